"""Serves an ASGI application on one address from a thread of its own."""

import socket
import threading
from typing import Any

import uvicorn

STOP_TIMEOUT_S = 3.0
KEEP_OPEN_S_MAX = 1
"""How long a live stream may hold up the end: pages reconnect by themselves."""


class PageServer:
    """Loopback unless told; port 0 picks a free one. Raises OSError that says what to do."""

    def __init__(self, app: Any, name: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise OSError(
                error.errno,
                f"{name} port {host}:{port}: {error.strerror}. Choose another port or 0.",
            ) from error
        # asyncio does this only for sockets that it made itself; accepted ones inherit it. Without
        # it every answer of two writes waits 40 ms for the reader's acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                ws="none",  # no page uses any; the library would be loaded at each start
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=KEEP_OPEN_S_MAX,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=name, daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        self._socket.close()
