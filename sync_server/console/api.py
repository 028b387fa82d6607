"""The read-only API: the same rows as the pages, in the viewer's scope. Errors are RFC 9457.

It takes the session cookie of the pages; nobody is named in it.
"""

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query

from sync_server import cash, listings, overview, tickets
from sync_server.cash_desk import CashError
from sync_server.console.access import Sees
from sync_server.console.view import NotHereError, View
from sync_server.listings import Row
from sync_server.units import Scope, UnitError

ROWS_MAX = 1_000

router = APIRouter(prefix="/api/v1", tags=["fleet"])

Unit = Annotated[str, Query(max_length=400, description="Only this unit and below.")]
Day = Annotated[str, Query(max_length=16, description="YYYY-MM-DD; empty for all days.")]
Limit = Annotated[int, Query(ge=1, le=ROWS_MAX, description="Rows at most.")]


def narrowed(view: View, unit: str) -> Scope:
    """The unit asked for, when it lies in the viewer's scope. Raises NotHereError."""
    try:
        scope = Scope(unit) if unit else view.scope
    except UnitError as error:
        raise NotHereError from error
    if not view.account.covers(scope.path):
        raise NotHereError
    return scope


@router.get("/truth", summary="What people were told, what is settled, what waits")
def truth(view: Sees, unit: Unit = "") -> dict[str, Any]:
    """The truth line."""
    with view.console.database.reading() as connection:
        return overview.truth(connection, narrowed(view, unit), view.now_ms)


@router.get("/terminals", summary="Terminals with their newest state, by name")
def terminals(view: Sees, unit: Unit = "", limit: Limit = ROWS_MAX) -> list[Row]:
    """Each with why it needs somebody."""
    with view.console.database.reading() as connection:
        scope = narrowed(view, unit)
        needy = overview.attention(connection, scope, view.now_ms)
        reasons = {row["terminal"]: row["reasons"] for row in needy}
        rows = islice(listings.terminals(connection, scope), limit)
        return [{**row, "reasons": reasons.get(row["terminal"], [])} for row in rows]


@router.get("/tickets", summary="Today's tickets that wait or are called")
def todays_tickets(view: Sees, unit: Unit = "", limit: Limit = ROWS_MAX) -> list[Row]:
    """Called ones first, then the waiting list of each hall in its order."""
    with view.console.database.reading() as connection:
        scope = narrowed(view, unit)
        called = tickets.called(connection, scope, view.now_ms)
        rows = [*called, *tickets.waiting(connection, scope, view.now_ms)]
        return rows[:limit]


@router.get("/cash", summary="The books of cash by terminal, amounts in fen")
def books(view: Sees, unit: Unit = "", day: Day = "", limit: Limit = ROWS_MAX) -> list[Row]:
    """Of one day, or of all when none is given."""
    with view.console.database.reading() as connection:
        try:
            return cash.sheet(connection, narrowed(view, unit), day=day)[:limit]
        except CashError as error:
            raise NotHereError from error
