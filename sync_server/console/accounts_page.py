"""The accounts page: administrators add people, give them another password, shut them out."""

from typing import Annotated

import apsw
from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from sync_server import accounts
from sync_server.accounts import ROLES, AccountError
from sync_server.console.access import ActsOnAccounts, ManagesAccounts
from sync_server.console.login import Name, Password, account_problem, see_other
from sync_server.console.view import View
from sync_server.passwords import PASSWORD_CHARACTERS_MIN
from sync_server.units import UnitError

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Form(max_length=16)]
UnitPath = Annotated[str, Form(max_length=400)]


def _page(view: View, connection: apsw.Connection, problem: str = "") -> HTMLResponse:
    units = connection.execute("SELECT DISTINCT unit FROM terminal ORDER BY unit")
    return view.page(
        "accounts.html",
        view.texts("accounts.title"),
        status=400 if problem else 200,
        rows=list(accounts.accounts(connection)),
        roles=list(ROLES),
        units=[unit for (unit,) in units],
        password_min=PASSWORD_CHARACTERS_MIN,
        problem=problem,
    )


@router.get("/accounts")
def accounts_page(view: ManagesAccounts) -> HTMLResponse:
    """All accounts, and a form for one more."""
    with view.console.database.reading() as connection:
        return _page(view, connection)


@router.post("/accounts")
def add_account(
    view: ActsOnAccounts,
    request: Request,
    name: Name,
    password: Password,
    role: Word,
    scope: UnitPath = "",
) -> Response:
    """Add one."""
    with view.console.database.acting() as connection:
        try:
            accounts.add_account(
                connection,
                name=name.strip().lower(),
                password=password,
                role=role,
                scope=scope.strip(),
                by=view.account.name,
                now_ms=view.now_ms,
            )
        except UnitError:
            return _page(view, connection, view.texts("account_problem.unit"))
        except AccountError as error:
            return _page(view, connection, account_problem(error, request))
    return see_other("/accounts")


@router.post("/accounts/password")
def give_password(
    view: ActsOnAccounts, request: Request, name: Name, password: Password
) -> Response:
    """Another password for somebody; their sessions end."""
    with view.console.database.acting() as connection:
        try:
            accounts.change_password(
                connection,
                name=name,
                password=password,
                by=view.account.name,
                now_ms=view.now_ms,
            )
        except AccountError as error:
            return _page(view, connection, account_problem(error, request))
    return see_other("/accounts")


@router.post("/accounts/disabled")
def set_disabled(
    view: ActsOnAccounts, request: Request, name: Name, disabled: Annotated[bool, Form()]
) -> Response:
    """Shut somebody out, or let them in again."""
    with view.console.database.acting() as connection:
        try:
            accounts.set_disabled(
                connection,
                name=name,
                is_disabled=disabled,
                by=view.account.name,
                now_ms=view.now_ms,
            )
        except AccountError as error:
            return _page(view, connection, account_problem(error, request))
    return see_other("/accounts")
