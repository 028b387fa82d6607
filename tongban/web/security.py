"""Headers that keep a page to its own assets, and refusals that keep strangers out of it.

A request must name a host that we are known by (a page elsewhere could point its own name at
127.0.0.1), and one that changes something must come from our own page.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 64 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SAFE = ("GET", "HEAD", "OPTIONS")


def content_policy(embed: str = "", frames: Collection[str] = ()) -> str:
    """The Content-Security-Policy. `embed`: the one origin that may show our pages in a frame;
    `frames`: origins that our pages may show in one."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-src " + (" ".join(frames) or "'none'"),
            "frame-ancestors " + (embed or "'none'"),
        )
    )


class SecurityHeaders:
    """ASGI middleware around a whole application. `hosts`: names it is served under, without
    ports. `embed`, `frames`: as in `content_policy`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] = LOOPBACK,
        embed: str = "",
        frames: Collection[str] = (),
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._headers = {
            "content-security-policy": content_policy(embed, frames),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",  # without one, our own forms come from "null"
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        problem = self._problem(scope["method"], Headers(scope=scope))
        if problem:
            status, text = problem
            await PlainTextResponse(text, status)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _problem(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host.rsplit(":", 1)[0] not in self._hosts and host not in self._hosts:
            return 421, "This address is not served here. Open the page by its own address."
        if method in _SAFE:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "This request came from another page. Open the page by its own address."
        if "transfer-encoding" in headers:
            return 411, "Say how long the request is."
        size = headers.get("content-length", "0")
        if not size.isdecimal() or int(size) > BODY_BYTES_MAX:
            return 413, f"At most {BODY_BYTES_MAX} bytes are taken."
        return None
