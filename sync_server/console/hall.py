"""The officer's page of one hall: calls for help on top, the calling desk, who waits and why.

| action | on |
| --- | --- |
| next | whoever waits longest; a person still at this counter counts as served |
| again, no-show, done | the person at this counter, or any ticket of the hall |
| answer | a call for help: the terminal then tells the citizen that an officer is coming |

An action answers htmx with all fragments of the page and a word on what was done, and a plain form
with the page. The counter's number is kept in a cookie of the browser.
"""

from collections.abc import Iterable
from itertools import islice, takewhile
from typing import Annotated

import apsw
from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from sync_server import help_desk, tickets
from sync_server.accounts import QUEUE
from sync_server.console.access import ActsOnQueue, Queues
from sync_server.console.live import Fragments
from sync_server.console.login import see_other
from sync_server.console.view import COUNTER_COOKIE, LivePage, NotHereError, View, is_counter
from sync_server.core.queue import QueueError
from sync_server.help_desk import HelpError
from sync_server.listings import Row
from sync_server.units import Scope, UnitError, check_unit

LATE_CALLS_MAX = 3
LATE_CALLS_MS = 600_000
ROWS_MAX = 200

router = APIRouter(include_in_schema=False)

Ticket = Annotated[int, Form(ge=1, le=2**63 - 1)]


def hall_scope(view: View, connection: apsw.Connection, unit: str) -> Scope:
    """The scope of one hall. Raises NotHereError when it has no terminal or is not the viewer's."""
    try:
        check_unit(unit)
    except UnitError as error:
        raise NotHereError from error
    found = connection.execute("SELECT 1 FROM terminal WHERE unit = ? LIMIT 1", (unit,))
    if not view.account.covers(unit) or found.fetchone() is None:
        raise NotHereError
    return Scope(unit)


def _rows_of_hall(rows: Iterable[Row], unit: str) -> list[Row]:
    """A scope covers the units below, too; a desk calls for its own hall only."""
    return list(islice((row for row in rows if row["unit"] == unit), ROWS_MAX))


def hall_parts(view: View, connection: apsw.Connection, unit: str) -> Fragments:
    """Calls for help, the desk, the waiting list, conflicts."""
    scope, now_ms = hall_scope(view, connection, unit), view.now_ms
    late = [
        call
        for call in help_desk.answered(connection, scope, now_ms, limit=LATE_CALLS_MAX)
        if call["state"] != help_desk.MISSED and call["waited_ms"] < LATE_CALLS_MS
    ]
    called = _rows_of_hall(tickets.called(connection, scope, now_ms), unit)
    counter = view.counter
    mine = next((row for row in called if row["counter"] == counter), None)
    waiting = _rows_of_hall(tickets.waiting(connection, scope, now_ms), unit)
    undecided = takewhile(
        lambda row: row["decided_ms"] is None, tickets.conflicts(connection, scope)
    )
    desk = {
        "unit": unit,
        "counter": counter,
        "mine": mine,
        "others": [row for row in called if row is not mine],
        "counts": tickets.counts(connection, scope, now_ms),
        "is_empty": not any(row["state"] == "waiting" for row in waiting),
    }
    calls = list(help_desk.open_calls(connection, scope, now_ms))
    return {
        "calls": view.render("parts/calls.html", unit=unit, calls=calls, late=late),
        "desk": view.render("parts/desk.html", **desk),
        "waiting": view.render("parts/waiting.html", unit=unit, rows=waiting, counter=counter),
        "conflicts": view.render(
            "parts/conflicts.html",
            rows=_rows_of_hall(undecided, unit),
            back=f"/hall/{unit}",
            is_hall=True,
        ),
    }


# ---- pages


@router.get("/hall")
def halls(view: Queues) -> Response:
    """The halls of the scope; straight to the desk when there is one only."""
    condition, values = view.scope.sql("unit")
    with view.console.database.reading() as connection:
        found = connection.execute(
            f"SELECT DISTINCT unit FROM terminal WHERE {condition} ORDER BY unit", values
        )
        units = [unit for (unit,) in found]
        if len(units) == 1:
            return see_other(f"/hall/{units[0]}")
        rows = [_hall_row(view, connection, unit) for unit in units]
    return view.page("halls.html", view.texts("halls.title"), rows=rows)


def _hall_row(view: View, connection: apsw.Connection, unit: str) -> Row:
    scope = Scope(unit)
    calls = help_desk.open_calls(connection, scope, view.now_ms)
    return {
        "unit": unit,
        "counts": tickets.counts(connection, scope, view.now_ms),
        "calls": sum(1 for call in calls if call["unit"] == unit),
    }


@router.get("/hall/{unit:path}")
def hall_page(view: Queues, unit: str) -> HTMLResponse:
    """The desk of one hall."""
    with view.console.database.reading() as connection:
        fragments = hall_parts(view, connection, unit)
    return view.page(
        "hall.html",
        view.texts("hall.title"),
        stream=f"/live/hall/{unit}",
        fragments=fragments,
        unit=unit,
        counter=view.counter,
    )


# ---- actions


def _answer(
    view: View, request: Request, unit: str, said: str, *, is_good: bool = True
) -> Response:
    """What an action leaves: for htmx all fragments in place, else the page again."""
    if not request.headers.get("hx-request"):
        return see_other(f"/hall/{unit}")
    with view.console.database.reading() as connection:
        parts = {name: Markup(html) for name, html in hall_parts(view, connection, unit).items()}
    return HTMLResponse(
        view.render("parts/hall_answer.html", parts=parts, said=said, is_good=is_good)
    )


@router.post("/hall/{unit:path}/counter")
def set_counter(
    view: ActsOnQueue, unit: str, counter: Annotated[str, Form(max_length=8)]
) -> Response:
    """Which counter this browser stands at."""
    with view.console.database.reading() as connection:
        hall_scope(view, connection, unit)
    answer = see_other(f"/hall/{unit}")
    if is_counter(counter.strip()):
        view.console.keep(answer, COUNTER_COOKIE, counter.strip(), None)
    return answer


@router.post("/hall/{unit:path}/next")
def call_next(
    view: ActsOnQueue, request: Request, unit: str, served: Annotated[int, Form(ge=0)] = 0
) -> Response:
    """Call whoever waits longest; `served`: the ticket at this counter until now, 0 for none."""
    officer, words = view.account.name, view.texts
    with view.console.database.acting() as connection:
        scope = hall_scope(view, connection, unit)
        if not view.counter:
            return _answer(view, request, unit, words("desk.no_counter"), is_good=False)
        try:
            if served:
                tickets.done(connection, scope, served, officer, view.now_ms)
            row = tickets.call_next(connection, unit, view.counter, officer, view.now_ms)
        except QueueError:
            return _answer(view, request, unit, words("desk.changed"), is_good=False)
    return _answer(view, request, unit, _called(view, row), is_good=row is not None)


@router.post("/hall/{unit:path}/call")
def call_again(view: ActsOnQueue, request: Request, unit: str, ticket: Ticket) -> Response:
    """Call this one: again, or out of turn."""
    with view.console.database.acting() as connection:
        scope = hall_scope(view, connection, unit)
        if not view.counter:
            return _answer(view, request, unit, view.texts("desk.no_counter"), is_good=False)
        try:
            row = tickets.call_again(
                connection, scope, ticket, view.counter, view.account.name, view.now_ms
            )
        except QueueError:
            return _answer(view, request, unit, view.texts("desk.changed"), is_good=False)
    return _answer(view, request, unit, _called(view, row))


def _called(view: View, row: Row | None) -> str:
    if row is None:
        return view.texts("desk.nobody")
    key = "desk.called" if row["announced"] else "desk.called_silently"
    return view.texts(key, number=row["number"], counter=row["counter"])


@router.post("/hall/{unit:path}/no-show")
def no_show(view: ActsOnQueue, request: Request, unit: str, ticket: Ticket) -> Response:
    """Nobody came."""
    return _left(view, request, unit, ticket, tickets.no_show, "desk.was_absent")


@router.post("/hall/{unit:path}/done")
def done(view: ActsOnQueue, request: Request, unit: str, ticket: Ticket) -> Response:
    """The person was served."""
    return _left(view, request, unit, ticket, tickets.done, "desk.was_served")


def _left(
    view: View, request: Request, unit: str, ticket: int, move: tickets.Move, said: str
) -> Response:
    """A ticket leaves the counter by `move`; `said` is the text that tells so."""
    with view.console.database.acting() as connection:
        scope = hall_scope(view, connection, unit)
        try:
            row = move(connection, scope, ticket, view.account.name, view.now_ms)
        except QueueError:
            return _answer(view, request, unit, view.texts("desk.changed"), is_good=False)
    return _answer(view, request, unit, view.texts(said, number=row["number"]))


@router.post("/hall/{unit:path}/answer")
def answer_help(
    view: ActsOnQueue,
    request: Request,
    unit: str,
    terminal: Annotated[str, Form(max_length=32)],
    event: Annotated[int, Form(ge=0, le=0xFFFFFFFF)],
) -> Response:
    """An officer goes to the terminal."""
    with view.console.database.acting() as connection:
        scope = hall_scope(view, connection, unit)
        try:
            help_desk.answer(connection, scope, terminal, event, view.account.name, view.now_ms)
        except HelpError:
            said = view.texts("calls.not_answered", terminal=terminal)
            return _answer(view, request, unit, said, is_good=False)
    return _answer(view, request, unit, view.texts("calls.you_answered", terminal=terminal))


PAGES: dict[str, LivePage] = {"hall": LivePage(hall_parts, QUEUE)}
