"""The books of cash: per terminal and day what came in, where it is, and whether it balances.

`inserted = stacked + returned + in cases + written off`: the left side adds up the notes that the
terminal told of, the right side the ledger's accounts of its cassette and its notes in doubt, with
what was given back. A terminal is balanced when both agree, no ended payment misses notes, and no
cassette was counted otherwise than the ledger has it.

| figure | of one day | of all days |
| --- | --- | --- |
| inserted, stacked, returned, in cases, written off, kept, refunds, paid out | that day's | all |
| cassette, payments open, vouchers open, cases open | as the day ended | now |
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import apsw

from protocol.records import NOTE_RETURNED, NOTE_STACKED
from sync_server.cash_desk import CashError
from sync_server.core import ledger
from sync_server.core.reconcile import DAY_MS, SHANGHAI_OFFSET_MS
from sync_server.listings import Row
from sync_server.units import Scope

FOREVER_MS = 2**62
FOREVER_DAY = "9999-12-31"
_EPOCH_DAY = date(1970, 1, 1)
_KIND = "substr(e.account, 1, instr(e.account, ':') - 1)"
_UNBALANCED = (ledger.MISSING, ledger.RECOUNT)

Sums = Mapping[int, Mapping[str, int]]
"""Terminal number -> kind of account -> fen."""


def check_day(text: str) -> str:
    """`text` when it is a day as YYYY-MM-DD, or "" for all. Raises CashError."""
    if text:
        try:
            if date.fromisoformat(text).isoformat() == text:
                return text
        except ValueError:
            pass
        raise CashError("day", f"day {text!r}: write it as 2026-11-27")
    return text


def sheet(
    connection: apsw.Connection, scope: Scope, *, day: str = "", terminal: str = ""
) -> list[Row]:
    """A row a terminal that ever took cash, by unit and name. `day`: YYYY-MM-DD, "" for all.

    Raises CashError.
    """
    check_day(day)
    condition, values = scope.sql("t.unit")
    found: Any = connection.execute(
        "SELECT t.terminal, t.name, t.unit, c.held_fen FROM terminal t JOIN cash_counted c "
        f"ON c.terminal = t.terminal WHERE {condition} AND (? = '' OR t.name = ?) "
        "ORDER BY t.unit, t.name",
        (*values, terminal, terminal),
    )
    flows = _entries(connection, scope, "=" if day else ">=", day)
    later = _entries(connection, scope, ">", day or FOREVER_DAY)
    now = _now(connection)
    notes = _notes(connection, scope, day)
    adjusted = _adjusted(connection, scope, day)
    issued = _issued(connection, scope, day)
    waiting = _waiting(connection, scope, day)
    rows: list[Row] = []
    for number, name, unit, held_fen in found:
        flow, counted, moved = flows[number], notes[number], adjusted[number]
        stock = {kind: now[name][kind] - later[number][kind] for kind in _STOCKS}
        row: Row = {
            "terminal": name,
            "unit": unit,
            "day": day or None,
            "inserted_fen": counted["inserted"],
            "stacked_fen": flow[ledger.CASSETTE] + flow[ledger.COLLECTED],
            "returned_fen": counted["returned"] + moved[ledger.GIVEN_BACK],
            "in_cases_fen": flow[ledger.DOUBT],
            "written_off_fen": moved[ledger.NOT_THERE],
            "kept_fen": -flow[ledger.REVENUE],
            "refunds_fen": issued[number]["voucher"],
            "paid_out_fen": -flow[ledger.TILL],
            "cassette_fen": stock[ledger.CASSETTE],
            "payments_open_fen": -stock[ledger.PAYMENT],
            **{key: waiting[number][key] for key in _WAITING},
            "held_fen": held_fen,
            "tender": {"cash": _tender(counted)},
        }
        accounted = ("stacked_fen", "returned_fen", "in_cases_fen", "written_off_fen")
        row["difference_fen"] = row["inserted_fen"] - sum(row[key] for key in accounted)
        row["balanced"] = not (row["difference_fen"] or waiting[number]["unbalanced"])
        rows.append(row)
    return rows


def totals(rows: list[Row]) -> Row:
    """The sums over rows of `sheet`; `balanced` when all are."""
    keys = [key for key in (rows[0] if rows else {}) if key.endswith("_fen") or key in _WAITING]
    sums = {key: sum(row[key] for row in rows) for key in keys}
    return {"terminals": len(rows), **sums, "balanced": all(row["balanced"] for row in rows)}


def out_of_balance(connection: apsw.Connection, scope: Scope) -> list[tuple[str, str, int, int]]:
    """(terminal, unit, difference in fen, when its last note ended) of those whose notes and ledger
    differ, from sums that are kept as rows come: quick enough for every look at the overview."""
    condition, values = scope.sql("t.unit")
    account = "coalesce((SELECT a.fen FROM cash_account a WHERE a.account = '{}:' || t.name), 0)"
    accounts = " - ".join(
        account.format(kind) for kind in (ledger.CASSETTE, ledger.COLLECTED, ledger.DOUBT)
    )
    adjusted = (
        "coalesce((SELECT sum(k.fen) FROM cash_case k WHERE k.terminal = t.terminal AND "
        "(k.outcome = 'given_back' OR (k.outcome = 'not_there' AND k.reason = 'in_doubt'))), 0) - "
        "coalesce((SELECT sum(x.due_fen) FROM cash_cassette x WHERE x.terminal = t.terminal), 0)"
    )
    found = connection.execute(
        f"SELECT * FROM (SELECT t.name, t.unit, c.inserted_fen - c.returned_fen - {accounts} - "
        f"{adjusted} AS difference, "
        "(SELECT max(n.ended_ms) FROM cash_note n WHERE n.terminal = t.terminal) "
        f"FROM cash_counted c JOIN terminal t ON t.terminal = c.terminal WHERE {condition}) "
        "WHERE difference <> 0 ORDER BY name",
        values,
    )
    return [(str(name), str(unit), int(fen), ended_ms or 0) for name, unit, fen, ended_ms in found]


def open_cases(connection: apsw.Connection, scope: Scope, now_ms: int) -> Iterator[Row]:
    """A row a terminal with cases that nobody has closed: how many, how many overdue, since when,
    and how many of them keep it out of balance."""
    condition, values = scope.sql("c.unit")
    unbalanced = ", ".join("?" * len(_UNBALANCED))
    found = connection.execute(
        "SELECT t.name, c.unit, count(*), sum(c.deadline_ms < ?), "
        f"sum(c.reason IN ({unbalanced})), min(c.found_ms) "
        "FROM cash_case c JOIN terminal t ON t.terminal = c.terminal "
        f"WHERE {condition} AND c.closed_ms IS NULL GROUP BY t.name, c.unit ORDER BY t.name",
        (now_ms, *_UNBALANCED, *values),
    )
    keys = ("terminal", "unit", "cases", "late", "unbalanced", "since_ms")
    yield from (dict(zip(keys, row, strict=True)) for row in found)


# ---- sums by terminal

_STOCKS = (ledger.CASSETTE, ledger.PAYMENT)
_WAITING = ("vouchers_open", "vouchers_open_fen", "cases_open", "cases_open_fen")


def _entries(connection: apsw.Connection, scope: Scope, compare: str, day: str) -> Sums:
    """But for cassettes that were counted: their money was stacked before."""
    condition, values = scope.sql("b.unit")
    found = connection.execute(
        f"SELECT b.terminal, {_KIND}, sum(e.fen) FROM cash_booking b JOIN cash_entry e "
        f"ON e.booking = b.booking WHERE {condition} AND b.business_date {compare} ? "
        "AND b.cause <> ? GROUP BY 1, 2",
        (*values, day, ledger.COUNT_BOOKED),
    )
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    for terminal, kind, fen in found:
        sums[terminal][kind] = fen
    return sums


def _notes(connection: apsw.Connection, scope: Scope, day: str) -> Sums:
    """What the notes themselves add up to, and how many of each value are in the cassette."""
    condition, values = scope.sql("n.unit")
    found = connection.execute(
        "SELECT n.terminal, n.outcome, n.fen, count(*) FROM cash_note n "
        f"WHERE {condition} AND n.held = 0 AND n.business_date {'=' if day else '>='} ? "
        "GROUP BY 1, 2, 3",
        (*values, day),
    )
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    for terminal, outcome, fen, count in found:
        sums[terminal]["inserted"] += fen * count
        if outcome == NOTE_RETURNED:
            sums[terminal]["returned"] += fen * count
        elif outcome == NOTE_STACKED:
            sums[terminal][str(fen)] += count
    return sums


def _tender(counted: Mapping[str, int]) -> dict[str, int]:
    """Value of a note in fen -> how many are in the cassette, the smallest first."""
    values = sorted(int(key) for key in counted if key.isdecimal())
    return {str(fen): counted[str(fen)] for fen in values}


def _adjusted(connection: apsw.Connection, scope: Scope, day: str) -> Sums:
    """What officers gave back out of a machine, or found was never there."""
    condition, values = scope.sql("c.unit")
    found = connection.execute(
        "SELECT c.terminal, c.outcome, sum(c.fen) FROM cash_case c JOIN cash_booking b "
        f"ON b.cause = 'case' AND b.about = CAST(c.cash_case AS TEXT) WHERE {condition} "
        "AND (c.outcome = 'given_back' OR (c.outcome = 'not_there' AND c.reason = 'in_doubt')) "
        "AND (? = '' OR b.business_date = ?) GROUP BY 1, 2",
        (*values, day, day),
    )
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    for terminal, outcome, fen in found:
        sums[terminal][outcome] = fen
    return sums


def _now(connection: apsw.Connection) -> Mapping[str, Counter[str]]:
    """Terminal name -> kind of account -> fen, of what is in cassettes and in open payments."""
    found = connection.execute("SELECT account, fen FROM cash_account WHERE fen <> 0")
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for account, fen in found:
        kind, _, holder = account.partition(":")
        if kind in _STOCKS:
            sums[holder.partition("/")[0]][kind] += fen
    return sums


def _issued(connection: apsw.Connection, scope: Scope, day: str) -> Sums:
    """What became owed by voucher."""
    condition, values = scope.sql("v.unit")
    found = connection.execute(
        f"SELECT v.terminal, sum(v.fen) FROM cash_voucher v WHERE {condition} "
        f"AND v.business_date {'=' if day else '>='} ? GROUP BY 1",
        (*values, day),
    )
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    for terminal, fen in found:
        sums[terminal]["voucher"] = fen
    return sums


def _waiting(connection: apsw.Connection, scope: Scope, day: str) -> Mapping[int, Counter[str]]:
    """Vouchers and cases that are open, or were when the day ended."""
    last, end_ms = day or FOREVER_DAY, _end_ms(day)
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    condition, values = scope.sql("v.unit")
    rows: Any = connection.execute(
        f"SELECT v.terminal, count(*), sum(v.fen) FROM cash_voucher v WHERE {condition} AND "
        "v.business_date <= ? AND (v.settled_ms IS NULL OR v.settled_ms >= ?) GROUP BY 1",
        (*values, last, end_ms),
    )
    for terminal, count, fen in rows:
        sums[terminal] += Counter(vouchers_open=count, vouchers_open_fen=fen)
    condition, values = scope.sql("c.unit")
    rows = connection.execute(
        "SELECT c.terminal, c.reason, count(*), sum(c.fen) FROM cash_case c "
        f"WHERE {condition} AND c.business_date <= ? "
        "AND (c.closed_ms IS NULL OR c.closed_ms >= ?) GROUP BY 1, 2",
        (*values, last, end_ms),
    )
    for terminal, reason, count, fen in rows:
        unbalanced = count * (reason in _UNBALANCED)
        sums[terminal] += Counter(cases_open=count, cases_open_fen=fen, unbalanced=unbalanced)
    return sums


def _end_ms(day: str) -> int:
    """When a day ends in Shanghai."""
    if not day:
        return FOREVER_MS
    days = (date.fromisoformat(day) - _EPOCH_DAY).days + 1
    return days * DAY_MS - SHANGHAI_OFFSET_MS
