"""Cassettes that were taken out, until somebody has counted them: then their money is at the bank.

| a cassette is | event | next | books |
| --- | --- | --- | --- |
| taken out | counted by two people, as the ledger has it | counted | bank + / collected - |
| taken out | counted, less | counted | bank + loss + / collected - |
| taken out | counted, more | counted | bank + / collected - surplus - |
| counted | counted again | refused, with who and when | |

What a case put into a cassette after it had left (found in it) belongs to the oldest that is not
counted yet.
"""

import re
from collections.abc import Iterator
from typing import Any

import apsw

from sync_server import audit
from sync_server.cash_desk import CashError, decision_text, yuan
from sync_server.core import ledger
from sync_server.core.cash_port import Booking
from sync_server.core.reconcile import business_date
from sync_server.listings import Row
from sync_server.store_sqlite import immediate
from sync_server.store_sqlite_cash import SqliteCash
from sync_server.units import Scope

_AMOUNT = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?", re.ASCII)
_KEYS = (
    "terminal",
    "seq",
    "unit",
    "business_date",
    "notes",
    "told_fen",
    "expected_fen",
    "taken_ms",
    "due_fen",
    "counted_fen",
    "counted_ms",
    "counted_by",
    "decision",
)
_SELECT = (
    "SELECT t.name, x.seq, x.unit, x.business_date, x.notes, x.fen, x.expected_fen, x.taken_ms, "
    "x.due_fen, x.counted_fen, x.counted_ms, x.counted_by, x.decision "
    "FROM cash_cassette x JOIN terminal t ON t.terminal = x.terminal "
)


def fen_of(text: str) -> int:
    """An amount as somebody writes it, as 1250 or 1250.50, in fen. Raises CashError."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise CashError("amount", f"amount {text!r}: write yuan, as 1250 or 1250.50")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def cassettes(connection: apsw.Connection, scope: Scope, *, counted: bool = False) -> Iterator[Row]:
    """Those that nobody has counted, the oldest first; `counted`: the others, the latest first.

    `told_fen`: what the terminal said is in it; `expected_fen`: what the ledger had then;
    `due_fen`: what it should have held when it was counted."""
    condition, values = scope.sql("x.unit")
    if counted:
        rest = "x.counted_ms IS NOT NULL ORDER BY x.counted_ms DESC"
    else:
        rest = "x.counted_ms IS NULL ORDER BY x.taken_ms"
    found = connection.execute(
        f"{_SELECT} WHERE {condition} AND x.held = 0 AND {rest}, t.name, x.seq", values
    )
    yield from (dict(zip(_KEYS, row, strict=True)) for row in found)


def count(
    connection: apsw.Connection,
    scope: Scope,
    terminal: str,
    seq: int,
    fen: int,
    officer: str,
    note: str,
    now_ms: int,
) -> Row:
    """Book what was counted in the cassette that record `seq` told of. Raises CashError."""
    said = decision_text(note)
    with immediate(connection):
        row = _of_scope(connection, scope, terminal, seq)
        if row["counted_ms"] is not None:
            raise CashError(
                "counted",
                f"{row['counted_by']} has counted this cassette already",
                row["counted_by"],
                row["counted_ms"],
            )
        store = SqliteCash(connection)
        number, due = _due(connection, store, row)
        connection.execute(
            "UPDATE cash_cassette SET due_fen = ?, counted_fen = ?, counted_ms = ?, "
            "counted_by = ?, decision = ? WHERE terminal = ? AND branch = 0 AND seq = ?",
            (due, fen, now_ms, officer, said, number, seq),
        )
        entries = ledger.counted(terminal, row["unit"], due, fen)
        if entries:
            about, day = f"{terminal}/{seq}", business_date(now_ms)
            store.book(
                Booking(
                    ledger.COUNT_BOOKED, about, number, row["unit"], day, now_ms, officer, entries
                )
            )
        detail = f"{yuan(fen)} of {yuan(due)}: {said}"
        about = f"{row['unit']} {terminal} {seq}"
        audit.append(connection, now_ms, officer, "cassette.counted", about, detail)
        return _of_scope(connection, scope, terminal, seq)


def _of_scope(connection: apsw.Connection, scope: Scope, terminal: str, seq: int) -> Row:
    condition, values = scope.sql("x.unit")
    found: tuple[Any, ...] | None = connection.execute(
        f"{_SELECT} WHERE {condition} AND x.held = 0 AND t.name = ? AND x.seq = ?",
        (*values, terminal, seq),
    ).fetchone()
    if found is None:
        raise CashError(
            "no_cassette", "no such cassette here; `tongban server cassettes` lists them"
        )
    return dict(zip(_KEYS, found, strict=True))


def _due(connection: apsw.Connection, store: SqliteCash, row: Row) -> tuple[int, int]:
    """(number of the terminal, what this cassette should hold): all that was collected when it is
    the oldest that nobody has counted, less what the others held."""
    found: Any = connection.execute(
        "SELECT t.terminal, min(x.seq), sum(x.expected_fen) FROM cash_cassette x "
        "JOIN terminal t ON t.terminal = x.terminal "
        "WHERE t.name = ? AND x.held = 0 AND x.counted_ms IS NULL",
        (row["terminal"],),
    ).fetchone()
    number, oldest, waiting = found
    if row["seq"] != oldest:
        return number, row["expected_fen"]
    collected = store.balance(ledger.account(ledger.COLLECTED, row["terminal"]))
    return number, collected - (waiting - row["expected_fen"])
