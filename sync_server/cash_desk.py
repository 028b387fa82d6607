"""Vouchers and cases at the centre: what an officer pays out, and what becomes of money in doubt.

| what | when | then |
| --- | --- | --- |
| voucher | open | paid out once: voucher + / till - |
| voucher | paid out | refused, with who and when |
| case | open | closed once, with an outcome that core/ledger.py allows and a note; it books that |
| case | closed | refused, with who and when |

Functions take the database connection and a scope; each that writes is one commit that holds the
write lock from its beginning, so of two officers at the same instant one wins. The rule and the
bookings: core/ledger.py. `officer` is the account that acts.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from protocol.errors import SlipProofError
from protocol.slip_proof import SLIP_WORD, claimed_terminal, open_slip
from sync_server import audit
from sync_server.cash_words import CASE_WORDS, where
from sync_server.core import ledger
from sync_server.core.cash_port import Booking, CaseRow
from sync_server.core.reconcile import business_date
from sync_server.listings import Row
from sync_server.store_sqlite import immediate
from sync_server.store_sqlite_cash import SqliteCash
from sync_server.units import Scope
from tongban.logs import mask

DECISION_CHARACTERS_MAX = 200

_VOUCHER = (
    "SELECT v.voucher, v.number, v.unit, t.name, v.business_date, v.service, v.fen, v.issued_ms, "
    "v.settled_ms, v.settled_by FROM cash_voucher v JOIN terminal t ON t.terminal = v.terminal "
)
_VOUCHER_KEYS = (
    "voucher",
    "number",
    "unit",
    "terminal",
    "business_date",
    "service",
    "fen",
    "issued_ms",
    "settled_ms",
    "settled_by",
)
_CASE = (
    f"SELECT c.cash_case, t.name, {', '.join('c.' + name for name in CaseRow._fields)}, "
    "c.closed_ms, c.closed_by, c.outcome, c.decision "
    "FROM cash_case c JOIN terminal t ON t.terminal = c.terminal "
)


class CashError(Exception):
    """It was not done; the text says what to do. `code`: a word for pages in other languages;
    `by` and `at_ms`: who did it before, and when."""

    def __init__(self, code: str, text: str, by: str = "", at_ms: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.by = by
        self.at_ms = at_ms


def yuan(fen: int) -> str:
    """As 12.50."""
    return f"{'-' * (fen < 0)}{abs(fen) // 100}.{abs(fen) % 100:02}"


def decision_text(text: str) -> str:
    """What an officer wrote, identities masked. Raises CashError when it says nothing."""
    said = mask(" ".join(text.split()))
    if not 1 <= len(said) <= DECISION_CHARACTERS_MAX:
        raise CashError("note", f"say in 1 to {DECISION_CHARACTERS_MAX} characters what was found")
    return said


# ---- vouchers


def vouchers(
    connection: apsw.Connection, scope: Scope, *, number: str = "", settled: bool = False
) -> Iterator[Row]:
    """Those that wait, the oldest first; `settled`: those paid out, the latest first. `number`
    gives all of one number, both kinds."""
    condition, values = scope.sql("v.unit")
    if number:
        rest, values = "v.number = ? ORDER BY v.voucher DESC", (*values, number.upper())
    elif settled:
        rest = "v.settled_ms IS NOT NULL ORDER BY v.settled_ms DESC, v.voucher DESC"
    else:
        rest = "v.settled_ms IS NULL ORDER BY v.issued_ms, v.voucher"
    found = connection.execute(f"{_VOUCHER} WHERE {condition} AND {rest}", values)
    yield from (dict(zip(_VOUCHER_KEYS, row, strict=True)) for row in found)


def voucher(connection: apsw.Connection, scope: Scope, voucher_: int) -> Row:
    """One voucher by its id. Raises CashError."""
    condition, values = scope.sql("v.unit")
    found = connection.execute(
        f"{_VOUCHER} WHERE {condition} AND v.voucher = ?", (*values, voucher_)
    ).fetchone()
    if found is None:
        raise CashError("no_voucher", "no such voucher here; `tongban server vouchers` lists them")
    return dict(zip(_VOUCHER_KEYS, found, strict=True))


def find_voucher(connection: apsw.Connection, scope: Scope, asked: str) -> Row:
    """The voucher of a printed number, of its id, or of the text of the code on its slip, whose
    signature is then checked. Raises CashError."""
    text = asked.strip().upper()
    if text.startswith(SLIP_WORD + "/"):
        return _of_slip(connection, scope, text)
    if text.isdecimal() and len(text) < 19:  # ids stay below 2**63
        return voucher(connection, scope, int(text))
    found = list(vouchers(connection, scope, number=text))
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{row['voucher']} ({row['unit']})" for row in found)
        raise CashError("several", f"{len(found)} vouchers carry {text}; name one by its id: {ids}")
    raise CashError("no_voucher", _not_found(connection, scope, text))


def _not_found(connection: apsw.Connection, scope: Scope, number: str) -> str:
    """A voucher of a restored disk is no voucher, but somebody holds its paper."""
    for row in cases(connection, scope):
        if row["voucher"] == number:
            return f"{number} is held, see case {row['case']}: tongban server cases"
    return (
        f"no voucher {number} here. Check the number; when it was printed a moment ago its "
        "terminal may not have sent it yet: tongban server status"
    )


def _of_slip(connection: apsw.Connection, scope: Scope, text: str) -> Row:
    """The voucher of a slip that its terminal signed. A slip proves the number of its record."""
    try:
        name = claimed_terminal(text)
        key: Any = connection.execute(
            "SELECT verify_key FROM terminal WHERE name = ? AND revoked = 0", (name,)
        ).get
        if key is None:
            raise CashError("slip_unknown", f"this slip is of {name}, which is not in force here")
        proof = open_slip(text, key)
    except SlipProofError as error:
        raise CashError("slip_forged", f"this slip is not genuine: {error}") from error
    condition, values = scope.sql("v.unit")
    found = connection.execute(
        f"{_VOUCHER} WHERE {condition} AND t.name = ? AND v.business_date = ? "
        "AND (v.number = ? OR CAST(v.seq AS TEXT) = ?)",
        (*values, proof.terminal, proof.day.isoformat(), proof.number, proof.number),
    ).fetchone()
    if found is None:
        raise CashError("no_voucher", _not_found(connection, scope, proof.number))
    return dict(zip(_VOUCHER_KEYS, found, strict=True))


def check_slip(connection: apsw.Connection, scope: Scope, row: Row, slip: str) -> None:
    """Raises CashError unless `slip` is the text of the code on the voucher's own slip."""
    if _of_slip(connection, scope, slip.strip().upper())["voucher"] != row["voucher"]:
        raise CashError("slip_other", f"this slip is not the one of {row['number']}")


def settle(
    connection: apsw.Connection,
    scope: Scope,
    voucher_: int,
    officer: str,
    now_ms: int,
    slip: str = "",
) -> Row:
    """Pay a voucher out of the hall's till, once for ever. `slip`: the text of the code on it, when
    it was scanned; it has to be the slip of this voucher. Raises CashError."""
    with immediate(connection):
        row = voucher(connection, scope, voucher_)
        if slip:
            check_slip(connection, scope, row, slip)
        if row["settled_ms"] is not None:
            raise CashError(
                "settled",
                f"{row['number']} was paid out by {row['settled_by']} already",
                row["settled_by"],
                row["settled_ms"],
            )
        connection.execute(
            "UPDATE cash_voucher SET settled_ms = ?, settled_by = ? WHERE voucher = ?",
            (now_ms, officer, voucher_),
        )
        entries = ledger.settled(voucher_, row["unit"], row["fen"])
        booking = _booking(connection, ledger.VOUCHER_BOOKED, voucher_, row, officer, now_ms)
        SqliteCash(connection).book(booking._replace(entries=entries))
        how = "slip checked" if slip else "by its number"
        about = f"{row['unit']} {row['number']}"
        audit.append(
            connection, now_ms, officer, "voucher.settled", about, f"{yuan(row['fen'])} {how}"
        )
    return {**row, "settled_ms": now_ms, "settled_by": officer}


def _booking(
    connection: apsw.Connection, cause: str, about: int, row: Row, officer: str, now_ms: int
) -> Booking:
    """What an officer books today for the terminal of `row`; without entries yet."""
    terminal: Any = connection.execute(
        "SELECT terminal FROM terminal WHERE name = ?", (row["terminal"],)
    ).get
    day = business_date(now_ms)
    return Booking(cause, str(about), terminal, row["unit"], day, now_ms, officer, {})


# ---- cases


def cases(connection: apsw.Connection, scope: Scope, *, closed: bool = False) -> Iterator[Row]:
    """Those that wait, the nearest deadline first; `closed`: the others, the latest first."""
    condition, values = scope.sql("c.unit")
    if closed:
        rest = "c.closed_ms IS NOT NULL ORDER BY c.closed_ms DESC, c.cash_case DESC"
    else:
        rest = "c.closed_ms IS NULL ORDER BY c.deadline_ms, c.cash_case"
    found = connection.execute(f"{_CASE} WHERE {condition} AND {rest}", values)
    yield from (_case(row) for row in found)


def case(connection: apsw.Connection, scope: Scope, case_: int) -> Row:
    """One case by its id. Raises CashError."""
    return _case(_case_of(connection, scope, case_))


def _case_of(connection: apsw.Connection, scope: Scope, case_: int) -> Sequence[Any]:
    condition, values = scope.sql("c.unit")
    found: Sequence[Any] | None = connection.execute(
        f"{_CASE} WHERE {condition} AND c.cash_case = ?", (*values, case_)
    ).fetchone()
    if found is None:
        raise CashError("no_case", "no such case here; `tongban server cases` lists them")
    return found


def _case(values: Sequence[Any]) -> Row:
    case_, name, *stored = values
    row = CaseRow(*stored[:-4])
    closed_ms, closed_by, outcome, decision = stored[-4:]
    place = where(row.place, row.detail)
    return {
        "case": case_,
        "terminal": name,
        "unit": row.unit,
        "owner": row.unit,
        "business_date": row.business_date,
        "reason": row.reason,
        "fen": row.fen,
        "note": row.note,
        "payment": row.payment.hex(),
        "voucher": row.voucher,
        "why": CASE_WORDS[row.reason]._asdict(),
        "where": place._asdict() if place else None,
        "found_ms": row.found_ms,
        "deadline_ms": row.deadline_ms,
        "outcomes": () if closed_ms is not None else ledger.OUTCOMES[row.reason],
        "closed_ms": closed_ms,
        "closed_by": closed_by,
        "outcome": outcome,
        "decision": decision,
    }


def close(
    connection: apsw.Connection,
    scope: Scope,
    case_: int,
    outcome: str,
    officer: str,
    decision: str,
    now_ms: int,
) -> Row:
    """Close a case with what was found, and book it. Raises CashError."""
    note = decision_text(decision)
    with immediate(connection):
        found = _case_of(connection, scope, case_)
        row, stored = _case(found), CaseRow(*found[2:-4])
        if row["closed_ms"] is not None:
            who = row["closed_by"] or "the note that came"
            raise CashError(
                "closed", f"case {case_} was closed by {who} already", who, row["closed_ms"]
            )
        store = SqliteCash(connection)
        name = row["terminal"]
        missing = store.balance(ledger.payment_account(name, stored.payment))
        box = _box(connection, stored)
        try:
            entries = ledger.close(case_, stored, name, outcome, box, missing)
        except ledger.LedgerError as error:
            raise CashError("outcome", str(error)) from error
        if entries:
            booking = _booking(connection, ledger.CASE_BOOKED, case_, row, officer, now_ms)
            store.book(booking._replace(entries=entries))
        store.close_case(case_, outcome, officer, note, now_ms)
        detail = f"{outcome} {yuan(stored.fen)}: {note}"
        audit.append(
            connection, now_ms, officer, "cash_case.closed", f"{row['unit']} {case_}", detail
        )
    return case(connection, scope, case_)


def _box(connection: apsw.Connection, row: CaseRow) -> str:
    """Where the notes of a case's time are by now."""
    taken: Any = connection.execute(
        "SELECT count(*) FROM cash_cassette WHERE terminal = ? AND branch = ? AND seq > ? "
        "AND held = 0",
        row[:3],
    ).get
    return ledger.COLLECTED if taken else ledger.CASSETTE
