"""Walk-in tickets at the centre: the waiting list, calling, conflicts. The rules: core/queue.py.

Functions take the database connection and a scope; each that writes is one commit that holds the
write lock from its beginning, so two officers who press "next" at once never get the same ticket.
Nobody is named: a ticket is its number. `officer` is the account that acts.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import apsw

from protocol.commands import CallTicket
from sync_server import audit
from sync_server.commands import CALL_TICKET_MS, queue_command, take_back
from sync_server.core import queue
from sync_server.core.queue import QueueError
from sync_server.core.reconcile import business_date
from sync_server.listings import Row
from sync_server.store_sqlite import immediate
from sync_server.units import Scope
from tongban.logs import mask

Move = Callable[[apsw.Connection, Scope, int, str, int], Row]
"""`no_show` or `done`: (connection, scope, ticket, officer, now_ms) -> the ticket's row."""

DECISION_CHARACTERS_MAX = 200
OTHER_DAYS_ROWS_MAX = 200

_COUNTER = re.compile(r"[0-9]{1,2}")
_OPEN_CONFLICTS = (
    "(SELECT group_concat(DISTINCT c.reason) FROM conflict c WHERE c.decided_ms IS NULL "
    "AND (c.later_ticket = k.ticket OR (c.first_ticket = k.ticket AND c.reason = 'same_number')))"
)
_SELECT = (
    "SELECT k.ticket, k.number, k.matter, k.unit, t.name, k.business_date, k.state, "
    f"k.ground, k.issued_ms, k.queued_ms, k.calls, k.counter, k.changed_ms, k.held, "
    f"{_OPEN_CONFLICTS} FROM ticket k JOIN terminal t ON t.terminal = k.terminal "
)


# ---- lists


def waiting(connection: apsw.Connection, scope: Scope, now_ms: int) -> Iterator[Row]:
    """Today's tickets that wait, in the order of calling, then those that were not there.

    `place` counts from 1 in each hall, None for no-shows; `reasons` say why.
    """
    condition, values = scope.sql("k.unit")
    found = connection.execute(
        f"{_SELECT} WHERE {condition} AND k.business_date = ? "
        "AND k.state IN ('waiting', 'no_show') "
        "ORDER BY k.unit, k.state DESC, k.queued_ms, k.ticket",
        (*values, business_date(now_ms)),
    )
    places: dict[str, int] = {}
    for values_ in found:
        row = _row(values_, now_ms)
        if row["state"] == queue.WAITING:
            places[row["unit"]] = row["place"] = places.get(row["unit"], 0) + 1
        yield row


def called(connection: apsw.Connection, scope: Scope, now_ms: int) -> Iterator[Row]:
    """Today's tickets that are at a counter now, the latest call first."""
    condition, values = scope.sql("k.unit")
    found = connection.execute(
        f"{_SELECT} WHERE {condition} AND k.business_date = ? AND k.state = 'called' "
        "ORDER BY k.changed_ms DESC, k.ticket",
        (*values, business_date(now_ms)),
    )
    yield from (_row(row, now_ms) for row in found)


def other_days(connection: apsw.Connection, scope: Scope, now_ms: int) -> Iterator[Row]:
    """Tickets of other days that nobody served, the latest first, OTHER_DAYS_ROWS_MAX at most.

    A terminal whose clock is wrong prints another day; `call_again` calls those too.
    """
    condition, values = scope.sql("k.unit")
    found = connection.execute(
        f"{_SELECT} WHERE {condition} AND k.business_date <> ? AND k.state <> 'done' "
        "ORDER BY k.business_date DESC, k.queued_ms DESC LIMIT ?",
        (*values, business_date(now_ms), OTHER_DAYS_ROWS_MAX),
    )
    yield from (_row(row, now_ms) for row in found)


def counts(connection: apsw.Connection, scope: Scope, now_ms: int) -> dict[str, int]:
    """Today's tickets by state, and `issued`: all of today."""
    condition, values = scope.sql("k.unit")
    found = connection.execute(
        f"SELECT k.state, count(*) FROM ticket k WHERE {condition} AND k.business_date = ? "
        "GROUP BY k.state",
        (*values, business_date(now_ms)),
    )
    by_state = dict.fromkeys(queue.STATES, 0) | {str(state): int(n) for state, n in found}
    return {**by_state, "issued": sum(by_state.values())}


def find(connection: apsw.Connection, hall: str, number: str, now_ms: int) -> int:
    """The id of today's ticket `number` of a hall, else of its latest. Raises QueueError."""
    found: list[Any] = connection.execute(
        "SELECT ticket, business_date FROM ticket WHERE unit = ? AND number = ? "
        "ORDER BY business_date = ? DESC, business_date DESC",
        (hall, number, business_date(now_ms)),
    ).fetchall()
    if not found:
        raise QueueError(f"{hall} has no ticket {number}; `tongban server tickets` lists them")
    of_day = [ticket for ticket, day in found if day == found[0][1]]
    if len(of_day) > 1:
        ids = ", ".join(map(str, of_day))
        raise QueueError(f"{len(of_day)} tickets carry {number}; name one by its id: {ids}")
    return int(of_day[0])


def _row(values: tuple[Any, ...], now_ms: int) -> Row:
    ticket, number, matter, unit, name, day, state, ground, issued_ms = values[:9]
    queued_ms, calls, counter, changed_ms, held, conflicts_ = values[9:]
    why = queue.reasons(
        ground=ground,
        state=state,
        conflicts=conflicts_.split(",") if conflicts_ else (),
        held=bool(held),
        by_arrival=queued_ms != issued_ms,
    )
    return {
        "ticket": ticket,
        "number": number,
        "matter": matter,
        "unit": unit,
        "terminal": name,
        "business_date": day,
        "state": state,
        "place": None,
        "waited_ms": max(0, now_ms - queued_ms),
        "issued_ms": issued_ms,
        "calls": calls,
        "counter": counter,
        "changed_ms": changed_ms,
        "possible": () if _is_over(state, day, now_ms) else queue.possible(state),
        "reasons": [reason._asdict() for reason in why],
    }


def _is_over(state: str, day: str, now_ms: int) -> bool:
    """Whether nobody came for it all its day."""
    return state == queue.NO_SHOW and day != business_date(now_ms)


# ---- what officers do


def call_next(
    connection: apsw.Connection,
    hall: str,
    counter: str,
    officer: str,
    now_ms: int,
    matter: str = "",
) -> Row | None:
    """Call the ticket that waits longest (for `matter`), None when none does. Raises QueueError."""
    _check_counter(counter)
    with immediate(connection):
        ticket: Any = connection.execute(
            "SELECT ticket FROM ticket WHERE unit = ? AND business_date = ? AND state = 'waiting' "
            "AND (? = '' OR matter = ?) ORDER BY queued_ms, ticket LIMIT 1",
            (hall, business_date(now_ms), matter, matter),
        ).get
        if ticket is None:
            return None
        row = _of_scope(connection, Scope(hall), ticket, now_ms)
        return _act(connection, row, queue.CALL, counter, officer, now_ms)


def call_again(
    connection: apsw.Connection, scope: Scope, ticket: int, counter: str, officer: str, now_ms: int
) -> Row:
    """Call this one: again, after a no-show on its own day, or out of turn. Raises QueueError."""
    _check_counter(counter)
    with immediate(connection):
        row = _of_scope(connection, scope, ticket, now_ms)
        if _is_over(row["state"], row["business_date"], now_ms):
            raise QueueError(
                f"{row['number']} was for {row['business_date']} and nobody came when it was "
                "called; the person can take a new number"
            )
        return _act(connection, row, queue.CALL, counter, officer, now_ms)


def no_show(
    connection: apsw.Connection, scope: Scope, ticket: int, officer: str, now_ms: int
) -> Row:
    """Nobody came; the ticket can be called again all its day. Raises QueueError."""
    return _end_call(connection, scope, ticket, queue.MARK_NO_SHOW, officer, now_ms)


def done(connection: apsw.Connection, scope: Scope, ticket: int, officer: str, now_ms: int) -> Row:
    """The person was served. Raises QueueError."""
    return _end_call(connection, scope, ticket, queue.MARK_DONE, officer, now_ms)


def _end_call(
    connection: apsw.Connection, scope: Scope, ticket: int, action: str, officer: str, now_ms: int
) -> Row:
    with immediate(connection):
        row = _of_scope(connection, scope, ticket, now_ms)
        return _act(connection, row, action, row["counter"], officer, now_ms)


def _act(
    connection: apsw.Connection, row: Row, action: str, counter: str, officer: str, now_ms: int
) -> Row:
    """One step of the table, on the record; gives the row as it is now. `announced`: whether the
    terminal was asked to call it out."""
    ticket, number = row["ticket"], row["number"]
    state = queue.move(number, row["state"], action)
    is_call = action == queue.CALL
    connection.execute(
        "UPDATE ticket SET state = ?, calls = calls + ?, counter = ?, changed_ms = ? "
        "WHERE ticket = ?",
        (state, int(is_call), counter, now_ms, ticket),
    )
    connection.execute(
        "INSERT INTO ticket_event(ticket, at_ms, officer, counter, action) VALUES(?, ?, ?, ?, ?)",
        (ticket, now_ms, officer, counter, action),
    )
    where = f"{row['unit']} {row['business_date']} {number}"
    audit.append(connection, now_ms, officer, "ticket." + action, where, counter)
    terminal: Any = connection.execute(
        "SELECT terminal FROM ticket WHERE ticket = ?", (ticket,)
    ).get
    take_back(connection, terminal, CallTicket, ticket, now_ms)
    is_announced = is_call and queue_command(
        connection,
        terminal,
        CallTicket(number, counter),
        about=ticket,
        officer=officer,
        now_ms=now_ms,
        lifetime_ms=CALL_TICKET_MS,
    )
    changed = connection.execute(f"{_SELECT} WHERE k.ticket = ?", (ticket,)).fetchall()
    return {**_row(changed[0], now_ms), "announced": is_announced}


def _of_scope(connection: apsw.Connection, scope: Scope, ticket: int, now_ms: int) -> Row:
    condition, values = scope.sql("k.unit")
    row = connection.execute(
        f"{_SELECT} WHERE {condition} AND k.ticket = ?", (*values, ticket)
    ).fetchone()
    if row is None:
        raise QueueError("no such ticket in this hall; load the list again")
    return _row(row, now_ms)


def _check_counter(counter: str) -> None:
    if _COUNTER.fullmatch(counter) is None:
        raise QueueError(f"counter {counter!r}: write its number, 1 to 99")


# ---- conflicts


def conflicts(connection: apsw.Connection, scope: Scope) -> Iterator[Row]:
    """Tickets that a rule left to the hall, open ones first, then the latest decided."""
    condition, values = scope.sql("c.unit")
    found = connection.execute(
        "SELECT c.conflict, c.reason, c.unit, c.found_ms, c.deadline_ms, c.decided_ms, c.officer, "
        "c.decision, a.ticket, a.number, a.matter, a.business_date, a.state, f.name, "
        "b.ticket, b.number, b.matter, b.business_date, b.state, l.name FROM conflict c "
        "JOIN ticket a ON a.ticket = c.first_ticket JOIN terminal f ON f.terminal = a.terminal "
        "JOIN ticket b ON b.ticket = c.later_ticket JOIN terminal l ON l.terminal = b.terminal "
        f"WHERE {condition} ORDER BY c.decided_ms IS NOT NULL, c.deadline_ms, c.conflict DESC",
        values,
    )
    ticket_keys = ("ticket", "number", "matter", "business_date", "state", "terminal")
    for id_, reason, unit, found_ms, deadline_ms, decided_ms, officer, decision, *both in found:
        yield {
            "conflict": id_,
            "reason": queue.REASONS[str(reason)]._asdict(),
            "unit": unit,
            "found_ms": found_ms,
            "deadline_ms": deadline_ms,
            "decided_ms": decided_ms,
            "officer": officer,
            "decision": decision,
            "first": dict(zip(ticket_keys, both[:6], strict=True)),
            "later": dict(zip(ticket_keys, both[6:], strict=True)),
        }


def decide_conflict(
    connection: apsw.Connection,
    scope: Scope,
    conflict: int,
    officer: str,
    decision: str,
    now_ms: int,
) -> None:
    """Close a conflict with a note; both tickets stay as they are. Raises QueueError."""
    note = mask(" ".join(decision.split()))
    if not 1 <= len(note) <= DECISION_CHARACTERS_MAX:
        raise QueueError(f"say in 1 to {DECISION_CHARACTERS_MAX} characters what was decided")
    condition, values = scope.sql("c.unit")
    with immediate(connection):
        row = connection.execute(
            f"SELECT c.unit, c.decided_ms FROM conflict c WHERE {condition} AND c.conflict = ?",
            (*values, conflict),
        ).fetchone()
        if row is None:
            raise QueueError("no such conflict in this hall; load the list again")
        if row[1] is not None:
            raise QueueError("this conflict was decided already; load the list again")
        connection.execute(
            "UPDATE conflict SET decided_ms = ?, officer = ?, decision = ? WHERE conflict = ?",
            (now_ms, officer, note, conflict),
        )
        audit.append(connection, now_ms, officer, "conflict.decided", f"{row[0]} {conflict}", note)
