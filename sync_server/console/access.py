"""Who is asking, and may they: the dependencies that every route takes.

| what is missing | answer to a page | to htmx | to /api, /live |
| --- | --- | --- | --- |
| a session | to /login and back | told to load /login | 401 |
| the permission | 403 | 403 | 403 |
| the scope, or the thing itself | 404 | 404 | 404 |
| the form's token | 403 | 403 | |
"""

import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request

from sync_server.accounts import ACCOUNTS, AUDIT, CASH, QUEUE, SEE, session
from sync_server.console.texts import texts
from sync_server.console.view import (
    OPERATE,
    Console,
    NeedsLoginError,
    NotAllowedError,
    View,
    address_of,
    counter_of,
    language_of,
    theme_of,
)


def console_of(request: Request) -> Console:
    """The console that the application was made for."""
    console: Console = request.app.state.console
    return console


AConsole = Annotated[Console, Depends(console_of)]


def viewer(request: Request, console: AConsole) -> View:
    """Whoever is logged in. Raises NeedsLoginError."""
    token = request.cookies.get(console.session_cookie, "")
    account = None
    if token:
        with console.database.acting() as connection:
            account = session(connection, token, console.clock_ms())
    if account is None:
        raise NeedsLoginError
    return View(
        console,
        account,
        token,
        texts(language_of(request)),
        theme_of(request),
        address_of(request),
        request.url.path,
        counter_of(request),
    )


def _with(permission: str) -> Callable[[View], View]:
    def allowed(view: Annotated[View, Depends(viewer)]) -> View:
        if not view.may(permission):
            raise NotAllowedError
        return view

    return allowed


def _with_form(permission: str) -> Callable[[View, str], View]:
    def allowed(
        view: Annotated[View, Depends(_with(permission))],
        form_token: Annotated[str, Form(max_length=64)] = "",
    ) -> View:
        if not hmac.compare_digest(form_token.encode(), view.form_token.encode()):
            raise NotAllowedError
        return view

    return allowed


Viewer = Annotated[View, Depends(viewer)]
Sees = Annotated[View, Depends(_with(SEE))]
Queues = Annotated[View, Depends(_with(QUEUE))]
Operates = Annotated[View, Depends(_with(OPERATE))]
Audits = Annotated[View, Depends(_with(AUDIT))]
ManagesAccounts = Annotated[View, Depends(_with(ACCOUNTS))]
Acts = Annotated[View, Depends(_with_form(SEE))]
ActsOnQueue = Annotated[View, Depends(_with_form(QUEUE))]
ActsOnCash = Annotated[View, Depends(_with_form(CASH))]
ActsAsOperator = Annotated[View, Depends(_with_form(OPERATE))]
ActsOnAccounts = Annotated[View, Depends(_with_form(ACCOUNTS))]
"""The last five also have the token that stands in our own forms."""
