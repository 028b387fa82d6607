"""Calls for help: who waits for an officer, who answers, how long it took.

| a call is | when |
| --- | --- |
| open | no answer is known and none is on its way; younger than OPEN_MS |
| answering | an officer answered here, the terminal has not said so yet, and it has not expired |
| answered | the terminal's record says that somebody answered |
| missed | older than OPEN_MS, nobody answered |

Only the record counts: a terminal may take an answer and do nothing with it, because by its clock
it came too late. An answer that expires without a record makes the call open again. A terminal's
event numbers belong to its board, so an answer counts for the calls of that number before it.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import apsw

from protocol.commands import AnswerHelp
from protocol.records import ANSWERED_ON_PAGE
from sync_server import audit
from sync_server.commands import ANSWER_HELP_MS, KIND_OF, queue_command
from sync_server.listings import Row
from sync_server.store_sqlite import immediate
from sync_server.units import Scope

OPEN_MS = 3_600_000  # as long as a terminal rings for a call
ANSWERED_ROWS_MAX = 200
OPEN, ANSWERING, ANSWERED, MISSED = "open", "answering", "answered", "missed"


class HelpError(Exception):
    """The call was not answered; the text says what to do."""


_SELECT = (
    "SELECT h.terminal, t.name, t.unit, h.event, h.pressed_ms, "
    "a.answered_ms, a.wait_ms, a.answered_by, c.issued_ms, c.expires_ms, c.officer "
    "FROM help_call h JOIN terminal t ON t.terminal = h.terminal "
    "LEFT JOIN help_answer a ON (a.terminal, a.branch, a.seq) = "
    "(SELECT x.terminal, x.branch, x.seq FROM help_answer x WHERE x.terminal = h.terminal "
    "AND x.event = h.event AND x.seq > h.seq ORDER BY x.seq LIMIT 1) "
    "LEFT JOIN command c ON c.terminal = h.terminal AND c.number = (SELECT max(y.number) "
    f"FROM command y WHERE y.terminal = h.terminal AND y.kind = {KIND_OF[AnswerHelp]} "
    "AND y.about = h.event AND y.issued_ms >= h.pressed_ms) "
)


def open_calls(connection: apsw.Connection, scope: Scope, now_ms: int) -> Iterator[Row]:
    """Calls that nobody answers, the longest wait first."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        f"{_SELECT} WHERE {condition} AND h.pressed_ms > ? AND a.seq IS NULL "
        "ORDER BY h.pressed_ms, h.terminal",
        (*values, now_ms - OPEN_MS),
    )
    for row in found:
        call = _call(row, now_ms)
        if call["state"] == OPEN:
            yield call


def answered(
    connection: apsw.Connection, scope: Scope, now_ms: int, *, limit: int = ANSWERED_ROWS_MAX
) -> Iterator[Row]:
    """Calls that are not open, the latest first: `wait_ms` from press to answer, by whom."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        f"{_SELECT} WHERE {condition} ORDER BY h.pressed_ms DESC, h.terminal", values
    )
    calls = (_call(row, now_ms) for row in found)
    yield from islice((call for call in calls if call["state"] != OPEN), limit)


def answer(
    connection: apsw.Connection,
    scope: Scope,
    terminal: str,
    event: int,
    officer: str,
    now_ms: int,
) -> Row:
    """An officer is on the way: the terminal is told, and then tells the citizen.

    Raises HelpError.
    """
    condition, values = scope.sql("t.unit")
    with immediate(connection):
        row: Any = connection.execute(
            f"{_SELECT} WHERE {condition} AND t.name = ? AND h.event = ? "
            "ORDER BY h.pressed_ms DESC LIMIT 1",
            (*values, terminal, event),
        ).fetchone()
        if row is None:
            raise HelpError("no such call in this hall; load the list again")
        call = _call(row, now_ms)
        if call["state"] == MISSED:
            raise HelpError("this call is too old to answer; go and look at the terminal")
        if call["state"] != OPEN:
            who = call["officer"] or "an officer at the desk"
            raise HelpError(f"{who} has answered this call; load the list again")
        is_queued = queue_command(
            connection,
            row[0],
            AnswerHelp(event),
            about=event,
            officer=officer,
            now_ms=now_ms,
            lifetime_ms=ANSWER_HELP_MS,
        )
        if not is_queued:
            raise HelpError(
                f"{terminal} has not answered for some time; go there now, its line is down"
            )
        audit.append(connection, now_ms, officer, "help.answered", f"{terminal} {event}")
    return {**call, "state": ANSWERING, "officer": officer, "wait_ms": call["waited_ms"]}


def _call(values: tuple[Any, ...], now_ms: int) -> Row:
    _, name, unit, event, pressed_ms, answered_ms, wait_ms, by = values[:8]
    issued_ms, expires_ms, officer = values[8:]
    is_on_page = by == ANSWERED_ON_PAGE
    if answered_ms is not None:
        state = ANSWERED
    elif issued_ms is not None and expires_ms > now_ms:
        state, is_on_page, wait_ms = ANSWERING, True, max(0, issued_ms - pressed_ms)
    else:
        state = OPEN if pressed_ms > now_ms - OPEN_MS else MISSED
    words = {ANSWERED: "page" if is_on_page else "desk", ANSWERING: "page"}
    return {
        "terminal": name,
        "unit": unit,
        "event": event,
        "state": state,
        "pressed_ms": pressed_ms,
        "waited_ms": max(0, now_ms - pressed_ms),
        "wait_ms": wait_ms,
        "by": words.get(state, ""),
        "officer": (officer or "") if is_on_page else "",
    }
