"""Pages around a session: first set-up, login, logout, one's own password, language and theme.

Every login makes a new session token; what the browser brought before is never taken up.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sync_server import accounts
from sync_server.accounts import AccountError, LoginError
from sync_server.console.access import AConsole, Acts, Viewer
from sync_server.console.texts import LANGUAGES, texts
from sync_server.console.view import (
    LANGUAGE_COOKIE,
    PREFERENCE_S,
    THEME_COOKIE,
    THEMES,
    Console,
    bare_page,
    language_of,
)
from sync_server.passwords import PASSWORD_CHARACTERS_MIN

ADDRESS_CHARACTERS_MAX = 512

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Form(max_length=64)]
Password = Annotated[str, Form(max_length=256)]
Token = Annotated[str, Form(max_length=128)]
Address = Annotated[str, Form(max_length=ADDRESS_CHARACTERS_MAX)]


def own_address(address: str) -> str:
    """`address` when it is a page of ours, else the home page."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_ours and address.isprintable() else "/"


def see_other(address: str) -> RedirectResponse:
    """To another page, with GET."""
    return RedirectResponse(quote(address, safe="/?&=%:+,-._~"), 303)


def client_of(request: Request) -> str:
    """The address that a login came from."""
    return request.client.host if request.client else ""


def account_problem(error: AccountError, request: Request) -> str:
    """The refusal in the reader's words."""
    words = texts(language_of(request))
    return words(f"account_problem.{error.code}", n=PASSWORD_CHARACTERS_MIN)


@router.get("/login")
def login_page(request: Request, console: AConsole, next: str = "/") -> HTMLResponse:
    """The way in."""
    return bare_page(console, request, "login.html", "login.title", next=own_address(next), name="")


@router.post("/login")
def log_in(
    request: Request, console: AConsole, name: Name, password: Password, next: Address = "/"
) -> Response:
    """A new session, or the same page with what to do."""
    try:
        with console.database.acting() as connection:
            token = accounts.check_login(
                connection, name, password, client_of(request), console.clock_ms()
            )
    except LoginError as error:
        words = texts(language_of(request))
        seconds = -(-error.wait_ms // 1000)
        problem = words("login.wait", n=seconds) if seconds else words("login.wrong")
        return bare_page(
            console,
            request,
            "login.html",
            "login.title",
            429 if seconds else 401,
            next=own_address(next),
            name=name,
            problem=problem,
        )
    answer = see_other(own_address(next))
    console.keep(answer, console.session_cookie, token, accounts.ABSOLUTE_MS // 1000)
    return answer


@router.post("/logout")
def log_out(view: Acts) -> Response:
    """End this session."""
    console = view.console
    with console.database.acting() as connection:
        accounts.end_session(connection, view.token, view.now_ms)
    answer = see_other("/login")
    console.keep(answer, console.session_cookie, "", 0)
    return answer


# ---- first set-up, one's own password


def _setup_page(
    console: Console, request: Request, token: str, name: str = "", problem: str = ""
) -> HTMLResponse:
    words = texts(language_of(request))
    return bare_page(
        console,
        request,
        "password.html",
        "setup.title",
        400 if problem else 200,
        action="/setup",
        explanation=words("setup.text"),
        link_token=token,
        name=name,
        fixed_name=False,
        password_min=PASSWORD_CHARACTERS_MIN,
        problem=problem,
    )


@router.get("/setup")
def setup_page(request: Request, console: AConsole, token: str = "") -> Response:
    """Where the set-up address leads; to the login once there is somebody."""
    with console.database.reading() as connection:
        if accounts.is_set_up(connection):
            return see_other("/login")
    return _setup_page(console, request, token)


@router.post("/setup")
def set_up(
    request: Request,
    console: AConsole,
    token: Token,
    name: Name,
    password: Password,
    repeated: Password,
) -> Response:
    """Make the first administrator, then let them log in."""
    if password != repeated:
        problem = texts(language_of(request))("password.differ")
        return _setup_page(console, request, token, name, problem)
    try:
        with console.database.acting() as connection:
            accounts.set_up_admin(
                connection, token, name.strip().lower(), password, console.clock_ms()
            )
    except AccountError as error:
        return _setup_page(console, request, token, name, account_problem(error, request))
    return see_other("/login")


def _own_password_page(view: Viewer, request: Request, problem: str = "") -> HTMLResponse:
    return bare_page(
        view.console,
        request,
        "own_password.html",
        "password.title",
        400 if problem else 200,
        form_token=view.form_token,
        name=view.account.name,
        password_min=PASSWORD_CHARACTERS_MIN,
        problem=problem,
    )


@router.get("/password")
def own_password_page(view: Viewer, request: Request) -> HTMLResponse:
    """Choose another password."""
    return _own_password_page(view, request)


@router.post("/password")
def change_own_password(
    view: Acts, request: Request, old: Password, password: Password, repeated: Password
) -> Response:
    """Change it, when the old one is right; all sessions end."""
    words, name = view.texts, view.account.name
    if password != repeated:
        return _own_password_page(view, request, words("password.differ"))
    try:
        with view.console.database.acting() as connection:
            accounts.check_login(connection, name, old, client_of(request), view.now_ms)
            accounts.change_password(
                connection, name=name, password=password, by=name, now_ms=view.now_ms
            )
    except LoginError as error:
        seconds = -(-error.wait_ms // 1000)
        problem = words("login.wait", n=seconds) if seconds else words("password.old_wrong")
        return _own_password_page(view, request, problem)
    except AccountError as error:
        return _own_password_page(view, request, account_problem(error, request))
    return see_other("/login")


# ---- language and theme: they change nothing but the browser's own cookies


@router.post("/preferences")
def preferences(
    console: AConsole,
    language: Annotated[str, Form(max_length=16)] = "",
    theme: Annotated[str, Form(max_length=16)] = "",
    back: Address = "/",
) -> Response:
    """Keep what was chosen, then back to the page."""
    answer = see_other(own_address(back))
    if language in LANGUAGES:
        console.keep(answer, LANGUAGE_COOKIE, language, PREFERENCE_S)
    if theme:
        is_forced = theme in THEMES
        console.keep(answer, THEME_COOKIE, theme if is_forced else "", PREFERENCE_S * is_forced)
    return answer
