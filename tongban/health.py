"""Health pages of a running role: `/healthz` (the process lives) and `/readyz` (it can work).

A check returns (ok, one sentence). `/readyz` answers 200 when all are ok, else 503; both as JSON.
"""

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tongban.web.server import PageServer

Check = Callable[[], tuple[bool, str]]


class HealthPages(PageServer):
    """Serves the two pages; port 0 picks a free one."""

    def __init__(
        self, checks: Mapping[str, Check], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._checks = dict(checks)
        app = Starlette(routes=[Route("/healthz", self._alive), Route("/readyz", self._ready)])
        super().__init__(app, "health", host=host, port=port)

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
