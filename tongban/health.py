"""Health pages of a running role: `/healthz` (the process lives) and `/readyz` (it can work).

A check returns (ok, one sentence). `/readyz` answers 200 when all are ok, else 503; both as JSON.
"""

import socket
import threading
from collections.abc import Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Check = Callable[[], tuple[bool, str]]
STOP_TIMEOUT_S = 3.0


class HealthPages:
    """Serves the two pages on a loopback port from a thread of its own; port 0 picks a free one."""

    def __init__(
        self, checks: Mapping[str, Check], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._checks = dict(checks)
        self.app = Starlette(routes=[Route("/healthz", self._alive), Route("/readyz", self._ready)])
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise OSError(
                error.errno,
                f"health port {host}:{port}: {error.strerror}. Choose another port or 0.",
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off")
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="health", daemon=True
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

    async def _alive(self, _request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _request: Request) -> JSONResponse:
        results = {name: check() for name, check in self._checks.items()}
        ready = all(ok for ok, _ in results.values())
        body = {
            "status": "ok" if ready else "not ready",
            "checks": {name: {"ok": ok, "note": note} for name, (ok, note) in results.items()},
        }
        return JSONResponse(body, 200 if ready else 503)
