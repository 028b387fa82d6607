"""What happened at one terminal, newest first: records, devices, alarms, commands, calls.

Each line has a code that pages put into words, and details that name nobody: numbers, counters,
states. `at_ms` is the time it happened as far as it can be believed, `received_ms` when the centre
heard of it.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import apsw

from protocol.commands import AnswerHelp, CallTicket
from sync_server.commands import KIND_OF
from sync_server.device_words import condition_words, device_words
from sync_server.listings import Row, exception_name, kind_name
from sync_server.units import Scope

LINES_DEFAULT = 100
COMMAND_NAMES = {KIND_OF[AnswerHelp]: "answer_help", KIND_OF[CallTicket]: "call_ticket"}

_RECORDS = (
    "SELECT r.branch, r.seq, r.kind, r.at_ms, r.time_quality, r.exception, a.received_ms, "
    "k.number, h.event, n.event, n.wait_ms, d.device, d.state, d.detail FROM record r "
    "JOIN arrival a ON a.arrival = r.arrival "
    "LEFT JOIN ticket k ON (k.terminal, k.branch, k.seq) = (r.terminal, r.branch, r.seq) "
    "LEFT JOIN help_call h ON (h.terminal, h.branch, h.seq) = (r.terminal, r.branch, r.seq) "
    "LEFT JOIN help_answer n ON (n.terminal, n.branch, n.seq) = (r.terminal, r.branch, r.seq) "
    "LEFT JOIN device_change d ON (d.terminal, d.branch, d.seq) = (r.terminal, r.branch, r.seq) "
    "WHERE r.terminal = ? AND r.branch = ? ORDER BY r.seq DESC LIMIT ?"
)


def timeline(
    connection: apsw.Connection,
    scope: Scope,
    terminal: str,
    now_ms: int,
    limit: int = LINES_DEFAULT,
) -> list[Row]:
    """The newest `limit` lines; none for a terminal that is not in the scope."""
    condition, values = scope.sql("t.unit")
    number: Any = connection.execute(
        f"SELECT t.terminal FROM terminal t WHERE {condition} AND t.name = ?", (*values, terminal)
    ).get
    if number is None:
        return []
    lines = [
        *_records(connection, number, limit),
        *_alarms(connection, number, limit),
        *_commands(connection, number, now_ms, limit),
        *_calls(connection, number, limit),
    ]
    lines.sort(key=lambda line: -line["at_ms"])  # stable: newest records first within one moment
    return list(islice(lines, limit))


def _line(source: str, what: str, at_ms: int, received_ms: int, **more: object) -> Row:
    line = {"seq": None, "branch": 0, "number": "", "zh": "", "en": "", "note": "", "officer": ""}
    moment = {"source": source, "what": what, "at_ms": at_ms, "received_ms": received_ms}
    return {**moment, **line, **more}


def _records(connection: apsw.Connection, terminal: int, limit: int) -> Iterator[Row]:
    branches = connection.execute("SELECT branch FROM chain WHERE terminal = ?", (terminal,))
    for (branch,) in branches.fetchall():
        for row in connection.execute(_RECORDS, (terminal, branch, limit)):
            yield _record(row)


def _record(values: tuple[Any, ...]) -> Row:
    branch, seq, kind, at_ms, quality, exception, received_ms, number, call, answer = values[:10]
    wait_ms, device, state, detail = values[10:]
    details: Row = {"number": number or ""}
    if device is not None:
        name, like = device_words(device), condition_words(device, state, detail)
        details = {"zh": f"{name.zh}：{like.zh}", "en": f"{name.en}: {like.en}"}
    elif call is not None or answer is not None:
        details = {"number": str(call if answer is None else answer), "wait_ms": wait_ms}
    return _line(
        "record",
        kind_name(kind),
        min(at_ms, received_ms) if quality else received_ms,
        received_ms,
        seq=seq,
        branch=branch,
        note=exception_name(exception),
        **details,
    )


def _alarms(connection: apsw.Connection, terminal: int, limit: int) -> Iterator[Row]:
    found: Any = connection.execute(
        "SELECT code, raised_ms FROM alarm WHERE terminal = ? ORDER BY alarm DESC LIMIT ?",
        (terminal, limit),
    )
    for code, raised_ms in found:
        yield _line("alarm", code, raised_ms, raised_ms)


def _commands(connection: apsw.Connection, terminal: int, now_ms: int, limit: int) -> Iterator[Row]:
    found: Any = connection.execute(
        "SELECT c.kind, c.about, c.issued_ms, c.expires_ms, c.taken_ms, c.officer, k.number "
        "FROM command c "
        f"LEFT JOIN ticket k ON k.ticket = c.about AND c.kind = {KIND_OF[CallTicket]} "
        "WHERE c.terminal = ? ORDER BY c.number DESC LIMIT ?",
        (terminal, limit),
    )
    for kind, about, issued_ms, expires_ms, taken_ms, officer, number in found:
        note = "taken" if taken_ms else "expired" if expires_ms <= now_ms else "waiting"
        said = {"number": number or str(about), "note": note, "officer": officer}
        yield _line("command", COMMAND_NAMES[kind], issued_ms, issued_ms, **said)


def _calls(connection: apsw.Connection, terminal: int, limit: int) -> Iterator[Row]:
    found: Any = connection.execute(
        "SELECT e.at_ms, e.officer, e.counter, e.action, k.number FROM ticket k "
        "JOIN ticket_event e ON e.ticket = k.ticket "
        "WHERE k.terminal = ? ORDER BY e.event DESC LIMIT ?",
        (terminal, limit),
    )
    for at_ms, officer, counter, action, number in found:
        said = {"number": number, "officer": officer, "note": counter}
        yield _line("officer", "ticket." + action, at_ms, at_ms, **said)
