"""The demo's pages: the hall, one terminal to play with, the tour; one live stream a page.

Everything runs in the hall's event loop. What changes something is a POST from our own page; each
value is checked against a fixed list.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator.hall.hall import Hall
from simulator.hall.truth import TruthReader
from simulator.play.scene import hall_scene
from tongban.web import SecurityHeaders, static_mount, templates

HERE = Path(__file__).resolve().parent
LOOK_EVERY_S = 0.5
SCENE_EVERY_S = 0.2
STREAMS_MAX = 16
PING_S = 10


class PlayApp:
    """`asgi` answers; `start()` begins to watch the hall, `stop()` ends all streams."""

    def __init__(self, hall: Hall, url: str) -> None:
        self._hall = hall
        self._url = url
        self._truth = TruthReader(hall)
        self._pages = templates(HERE)
        self._streams = 0
        self._stopping = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        routes = [
            Route("/", self._hall_page),
            Route("/events", self._events),
            Route("/network", self._network, methods=["POST"]),
            *static_mount(HERE),
        ]
        self.asgi = SecurityHeaders(Starlette(routes=routes))

    def start(self) -> None:
        """Begin to watch."""
        self._watch = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """End streams and close files."""
        self._stopping.set()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.to_thread(self._truth.close)

    async def _keep_looking(self) -> None:
        while True:
            await self._truth.look()
            await asyncio.sleep(LOOK_EVERY_S)

    # ---- pages

    async def _hall_page(self, _request: Request) -> Response:
        page = self._pages.get_template("hall.html")
        return HTMLResponse(page.render(posts=self._hall.posts, opening=self._hall.opening))

    async def _events(self, _request: Request) -> Response:
        return self._stream(self._scenes())

    def _stream(self, events: AsyncIterator[dict[str, str]]) -> Response:
        if self._streams >= STREAMS_MAX:
            return JSONResponse(
                {"error": f"{STREAMS_MAX} pages are open. Close one and reload this one."}, 503
            )
        return EventSourceResponse(events, ping=PING_S)

    async def _scenes(self) -> AsyncIterator[dict[str, str]]:
        self._streams += 1
        last = ""
        try:
            while not self._stopping.is_set():
                scene = json.dumps(hall_scene(self._hall, self._truth), ensure_ascii=False)
                if scene != last:
                    yield {"event": "scene", "data": scene}
                    last = scene
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), SCENE_EVERY_S)
        finally:
            self._streams -= 1

    # ---- what people do

    async def _network(self, request: Request) -> Response:
        wanted = (await request.body()).decode("utf-8", "replace")
        if wanted == "cut":
            self._hall.weather.cut(self._hall.network)
        elif wanted == "mend":
            self._hall.weather.mend(self._hall.network)
        else:
            return JSONResponse({"error": "Say cut or mend."}, 400)
        return Response(status_code=204)
