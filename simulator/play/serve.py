"""Serves the demo's pages on one address of 127.0.0.1, in the loop that runs the hall."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn

from simulator.hall.hall import Hall
from simulator.play.app import PlayApp

PORT = 8080
STOP_TIMEOUT_S = 3.0
STREAM_END_S_MAX = 1


class PageError(Exception):
    """The address cannot be had; the text says what to do."""


class _Server(uvicorn.Server):
    """Signals are the hall's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Pages:
    """Takes the address when made; `open()` begins to answer, `stop()` ends it in the loop."""

    def __init__(self, port: int | None) -> None:
        """None: 8080 when it is free, else a free one. Raises PageError."""
        self._socket = _listen(port)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server: _Server | None = None
        self._app: PlayApp | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, hall: Hall) -> None:
        """Begin to answer; the hall need not be open yet."""
        self._app = PlayApp(hall)
        self._server = _Server(
            uvicorn.Config(
                self._app.asgi,
                ws="none",  # no page uses any; the library would be loaded at each start
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=STREAM_END_S_MAX,
            )
        )
        self._app.start()
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Stop answering; live streams end."""
        if self._app is not None:
            await self._app.stop()
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait([self._task], timeout=STOP_TIMEOUT_S)

    def close(self) -> None:
        """Free the address."""
        self._socket.close()


def _listen(port: int | None) -> socket.socket:
    wanted = PORT if port is None else port
    try:
        return socket.create_server(("127.0.0.1", wanted))
    except (OSError, OverflowError) as error:
        if port is None and getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES):
            return socket.create_server(("127.0.0.1", 0))
        raise PageError(
            f"--port {wanted}: {error}. Choose another port, or 0 for a free one."
        ) from error
