"""The demo's pages before the hall is open, and what they refuse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from simulator.hall.hall import Hall, Options
from simulator.play import app as app_module
from simulator.play.app import PlayApp
from simulator.play.serve import PageError, Pages

ADDRESS = "http://127.0.0.1"


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the pages of a hall that is not open."""
    app = PlayApp(Hall(Options(), folder, lambda _text: None))
    app.start()
    try:
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            yield client
    finally:
        await app.stop()


def test_pages_answer_before_the_hall_is_open(tmp_path: Path) -> None:
    async def run() -> None:
        async with asked(tmp_path) as client:
            hall = await client.get("/")
            assert hall.status_code == 200
            assert "大厅正在开门" in hall.text
            assert "style=" not in hall.text
            play = await client.get("/play/gate-1")
            assert play.status_code == 200
            assert "缺纸" in play.text
            assert "style=" not in play.text
            assert "data-note" not in play.text
            assert 'data-note="50"' in (await client.get("/play/fee-1")).text
            assert "frame-src http://127.0.0.1:" in play.headers["content-security-policy"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("/network", "cut", 503),
        ("/tour", "end", 400),
        ("/play/gate-1/card", "elder", 404),
        ("/play/nowhere/card", "elder", 404),
    ],
)
def test_what_cannot_be_done_yet_is_refused_in_words(
    address: str, body: str, status: int, tmp_path: Path
) -> None:
    async def run() -> None:
        async with asked(tmp_path) as client:
            answer = await client.post(address, content=body)
            assert (answer.status_code, bool(answer.text)) == (status, True)

    asyncio.run(run())


def test_terminals_that_there_are_not_have_no_page(tmp_path: Path) -> None:
    async def run() -> None:
        async with asked(tmp_path) as client:
            assert (await client.get("/play/gate-99")).status_code == 404
            assert (await client.get("/play/gate-99/events")).status_code == 404
            assert (await client.get("/console")).status_code == 503

    asyncio.run(run())


def test_another_page_cannot_pull_the_plug(tmp_path: Path) -> None:
    async def run() -> None:
        async with asked(tmp_path) as client:
            headers = {"origin": "http://elsewhere.example"}
            answer = await client.post("/network", content="cut", headers=headers)
            assert answer.status_code == 403

    asyncio.run(run())


def test_streams_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "STREAMS_MAX", 0)

    async def run() -> None:
        async with asked(tmp_path) as client:
            assert (await client.get("/events")).status_code == 503

    asyncio.run(run())


def test_a_port_in_use_is_said_with_a_cure_and_8080_is_not_insisted_on() -> None:
    taken = Pages(0)
    try:
        port = int(taken.url.rsplit(":", 1)[1])
        with pytest.raises(PageError, match="Choose another port"):
            Pages(port)
        first = Pages(None)
        second = Pages(None)
        try:
            assert first.url != second.url
        finally:
            first.close()
            second.close()
    finally:
        taken.close()
