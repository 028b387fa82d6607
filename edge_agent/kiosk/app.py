"""Serves the citizen's screen: one page, one stream that keeps it current, one way back for keys.

    GET /        the page with the present screen in it
    GET /live    server-sent events: `boot` (which agent this is), `screen` (serial and a whole
                 fragment of HTML), `alive` every KEEP_ALIVE_S
    POST /key    {"key": one of KEYS, "serial": of the screen that was seen}: 204

When the stream ends or falls silent the page shows by itself that the terminal is paused
(static/kiosk.js), and goes on by itself when the stream is back. A stream ends when the agent's
loop stalls, so a hanging agent never leaves an old screen standing.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from edge_agent.core.screen import KEYS
from edge_agent.core.texts import Texts
from edge_agent.kiosk.draw import Drawer
from edge_agent.kiosk.source import ScreenSource
from tongban.web.pages import static_mount
from tongban.web.security import SecurityHeaders
from tongban.web.server import PageServer

HERE = Path(__file__).resolve().parent
STREAMS_MAX = 8
"""The terminal's own screen, and a few that look on."""
KEEP_ALIVE_S = 0.5
BOOT_BYTES = 8
KEY_BYTES_MAX = 256
SERIAL_MAX = 2**53


class Press(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Body of POST /key."""

    key: str
    serial: Annotated[int, msgspec.Meta(ge=0, le=SERIAL_MAX)]


_PRESS = msgspec.json.Decoder(Press)


class Kiosk(PageServer):
    """`beats`: whether the agent behind the source still runs. `embed`: the one origin that may
    show the screen in a frame. Port 0 picks a free one. Raises OSError with a cure."""

    def __init__(
        self,
        source: ScreenSource,
        texts: Texts,
        *,
        beats: Callable[[], bool] = lambda: True,
        port: int = 0,
        embed: str = "",
    ) -> None:
        self._source = source
        self._beats = beats
        self._boot = secrets.token_hex(BOOT_BYTES)
        self._streams = 0
        self._ending = False
        self._drawer = Drawer(texts)
        routes = [
            Route("/", self._show),
            Route("/live", self._live),
            Route("/key", self._key, methods=["POST"]),
            *static_mount(HERE),
        ]
        app = SecurityHeaders(Starlette(routes=routes), embed=embed)
        super().__init__(app, "kiosk", port=port)

    def stop(self) -> None:
        """Let the streams end, then stop answering and free the port."""
        self._ending = True
        super().stop()

    async def _show(self, _request: Request) -> HTMLResponse:
        return HTMLResponse(self._drawer.page(self._source.screen(), self._boot))

    async def _live(self, _request: Request) -> Response:
        if not self._beats():
            return PlainTextResponse("The terminal does not answer. Try again soon.", 503)
        if self._streams >= STREAMS_MAX:
            return PlainTextResponse(
                f"{STREAMS_MAX} screens look on already. Close one of them.", 503
            )
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _key(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > KEY_BYTES_MAX:
            return PlainTextResponse(f"A key takes at most {KEY_BYTES_MAX} bytes.", 400)
        try:
            press = _PRESS.decode(body)
        except msgspec.DecodeError as error:
            return PlainTextResponse(f'Send {{"key": ..., "serial": ...}}: {error}.', 400)
        if press.key not in KEYS:
            return PlainTextResponse(f"There is no such key. Use {', '.join(KEYS)}.", 400)
        if not self._beats():
            return PlainTextResponse("The terminal does not answer. Try again soon.", 503)
        self._source.press(press.key, press.serial)
        return Response(status_code=204)

    async def _events(self) -> AsyncIterator[str]:
        """The events of one page, until it goes away, the agent stalls or the server ends."""
        if self._streams >= STREAMS_MAX:  # several asked at the same moment
            return
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        self._streams += 1
        unwatch = self._source.watch(wake)
        try:
            yield _event("boot", self._boot)
            sent = -1
            while self._beats() and not self._ending:
                changed.clear()
                screen = self._source.screen()
                if screen.serial != sent:
                    sent = screen.serial
                    yield _event("screen", self._drawer.fragment(screen), sent)
                else:
                    yield _event("alive", "")
                try:
                    await asyncio.wait_for(changed.wait(), KEEP_ALIVE_S)
                except TimeoutError:
                    continue
        finally:
            unwatch()
            self._streams -= 1


def _event(name: str, data: str, number: int | None = None) -> str:
    """One server-sent event; any line end in `data` is kept as one."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\ndata: ")
    numbered = "" if number is None else f"id: {number}\n"
    return f"event: {name}\n{numbered}data: {lines}\n\n"
