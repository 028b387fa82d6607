"""The console as one ASGI application, and what becomes of requests that fail."""

from collections.abc import Callable, Collection
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from sync_server.console import accounts_page, api, cash, fleet, hall, lists, login, streams
from sync_server.console.database import Database
from sync_server.console.live import Live
from sync_server.console.texts import texts
from sync_server.console.view import (
    HERE,
    Console,
    NeedsLoginError,
    NotAllowedError,
    NotHereError,
    address_of,
    bare_page,
    environment,
    language_of,
)
from sync_server.core.store_port import StoreError
from tongban.web.pages import static_mount
from tongban.web.security import LOOPBACK, SecurityHeaders

OPENAPI = "/api/openapi.json"
_PROBLEM_TYPE = "application/problem+json"
ROUTERS = tuple(
    module.router for module in (login, fleet, lists, hall, cash, accounts_page, streams, api)
)


def build(
    database: Database,
    live: Live,
    clock_ms: Callable[[], int],
    *,
    hosts: Collection[str] = (),
    is_https: bool = False,
) -> ASGIApp:
    """The whole application. `hosts`: names it is served under beside those of this machine."""
    return SecurityHeaders(
        routes(Console(database, live, environment(), clock_ms, is_https)),
        hosts=(*LOOPBACK, *hosts),
    )


def routes(console: Console) -> FastAPI:
    """The application without the headers around it."""
    app = FastAPI(
        title="Tongban",
        docs_url=None,
        redoc_url=None,
        openapi_url=OPENAPI,
        redirect_slashes=False,
        routes=[*static_mount(HERE)],
    )
    app.state.console = console
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(NeedsLoginError, _needs_login)
    app.add_exception_handler(NotHereError, _refused(HTTPStatus.NOT_FOUND))
    app.add_exception_handler(NotAllowedError, _refused(HTTPStatus.FORBIDDEN))
    app.add_exception_handler(RequestValidationError, _refused(HTTPStatus.UNPROCESSABLE_ENTITY))
    app.add_exception_handler(StoreError, _refused(HTTPStatus.SERVICE_UNAVAILABLE))
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _refused(HTTPStatus.INTERNAL_SERVER_ERROR))
    return app


def is_for_machines(request: Request) -> bool:
    """Whether the answer is read by a program."""
    return request.url.path.startswith("/api/")


async def _needs_login(request: Request, _error: Exception) -> Response:
    if is_for_machines(request):
        return problem(request, HTTPStatus.UNAUTHORIZED)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"hx-redirect": "/login"})
    if request.url.path.startswith("/live/"):
        return Response(status_code=401)
    back = address_of(request) if request.method == "GET" else "/"
    url = request.url_for("login_page").include_query_params(next=back)
    return RedirectResponse(f"{url.path}?{url.query}", 303)


def _refused(status: HTTPStatus) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _error: Exception) -> Response:
        return refusal(request, status)

    return answer


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refusal(request, HTTPStatus(error.status_code))
    answer.headers.update(error.headers or {})
    return answer


def refusal(request: Request, status: HTTPStatus) -> Response:
    """What went wrong and what to do: a page, or problem details for a program."""
    if is_for_machines(request):
        return problem(request, status)
    words = texts(language_of(request))
    key = f"refused.{status.value}" if words.has(f"refused.{status.value}") else "refused.other"
    return bare_page(
        request.app.state.console,
        request,
        "message.html",
        f"{key}.title",
        status.value,
        text=words(f"{key}.text"),
    )


def problem(request: Request, status: HTTPStatus) -> Response:
    """RFC 9457."""
    words = texts("en")
    key = f"refused.{status.value}" if words.has(f"refused.{status.value}") else "refused.other"
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": words(f"{key}.text"),
        "instance": request.url.path,
    }
    return JSONResponse(body, status.value, media_type=_PROBLEM_TYPE)
