"""Pages keep to their own assets, and strangers are kept out of them."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tongban.web.security import BODY_BYTES_MAX, SecurityHeaders, content_policy


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


APP = SecurityHeaders(Starlette(routes=[Route("/", echo, methods=["GET", "POST"])]))


def ask(method: str = "GET", body: bytes = b"", **headers: str) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as web:
            return await web.request(method, "/", content=body, headers=headers)

    return asyncio.run(go())


def test_a_page_may_load_nothing_from_elsewhere() -> None:
    answer = ask()
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin", "else our own forms have no origin"


def test_a_frame_is_allowed_by_name_only() -> None:
    policy = content_policy(embed="http://127.0.0.1:1", frames=["http://127.0.0.1:2"])
    assert "frame-ancestors http://127.0.0.1:1" in policy
    assert "frame-src http://127.0.0.1:2" in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", ""])
def test_a_name_that_is_not_ours_is_refused(host: str) -> None:
    assert ask(Host=host).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:8080"])
def test_our_own_names_are_served(host: str) -> None:
    assert ask(Host=host).status_code == 200


def test_a_change_comes_from_our_own_page() -> None:
    assert ask("POST", b"x", Origin="http://evil.example").status_code == 403
    assert ask("POST", b"x", Origin="null").status_code == 403
    assert ask("POST", b"x", Origin="http://127.0.0.1:8080").text == "x"


def test_a_body_has_a_limit() -> None:
    assert ask("POST", bytes(BODY_BYTES_MAX)).status_code == 200
    assert ask("POST", bytes(BODY_BYTES_MAX + 1)).status_code == 413
