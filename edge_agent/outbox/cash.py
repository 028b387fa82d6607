"""Cash in the outbox's database: local effects of the commits that hold its records, and reading.

The database itself refuses what must not happen twice: a second end of a note, a voucher's number
given again, a cassette that was counted otherwise.
"""

from dataclasses import dataclass

import apsw

from edge_agent.core.cash_events import (
    WANTED,
    SavedCash,
    SavedNote,
    SavedPayment,
)
from edge_agent.outbox.jobs import apply
from edge_agent.outbox.types import LocalEffect, OutboxFailedError

_END_NOTE = (
    "INSERT INTO cash_note (note, payment, session, fen, state, place, reason) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (note) DO UPDATE SET state = ?5, place = ?6, "
    "reason = ?7, fen = ?4 WHERE state = 1"
)
_END_PAYMENT = (
    "UPDATE cash_payment SET state = 2, kept_fen = ?, voucher = ?, voucher_fen = ? "
    "WHERE payment = ? AND state = 1"
)
_COUNT_VOUCHERS = (
    "INSERT INTO number VALUES ('vouchers', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
)
_TAKE_CASSETTE = "UPDATE cash_note SET cassette = ? WHERE cassette = 0 AND state = 2"
_OPEN_PAYMENTS = (
    "SELECT p.payment, p.session, service, definition, due_fen, "
    "coalesce(sum(n.fen) FILTER (WHERE n.state = 2), 0), count(n.note) FILTER (WHERE n.state > 1) "
    "FROM cash_payment p LEFT JOIN cash_note n ON n.payment = p.payment WHERE p.state = 1 "
    "GROUP BY p.payment"
)


@dataclass(frozen=True)
class CashOpened(LocalEffect):
    """A payment may take notes from now on."""

    payment: bytes
    session: int
    service: str
    definition: int
    due_fen: int


@dataclass(frozen=True)
class CashWanted(LocalEffect):
    """A note in escrow is to be taken."""

    note: int
    payment: bytes
    session: int
    fen: int


@dataclass(frozen=True)
class CashNoteEnded(LocalEffect):
    """What became of a note. Fails the commit when the note has an end already."""

    note: int
    payment: bytes
    session: int
    fen: int
    state: int
    place: int
    reason: int


@dataclass(frozen=True)
class CashPaid(LocalEffect):
    """A payment is over. Fails the commit when it was over already or the voucher is taken."""

    payment: bytes
    kept_fen: int
    voucher: str
    voucher_fen: int
    vouchers: int


@dataclass(frozen=True)
class CashDropped(LocalEffect):
    """A payment is over that took no note."""

    payment: bytes


@dataclass(frozen=True)
class CashCassetteTaken(LocalEffect):
    """The cassette was taken out. Fails the commit when the notes in it were others."""

    number: int
    notes: int
    fen: int


@apply.register
def _(effect: CashOpened, connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT INTO cash_payment (payment, session, service, definition, due_fen) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (payment) DO NOTHING",
        (effect.payment, effect.session, effect.service, effect.definition, effect.due_fen),
    )


@apply.register
def _(effect: CashWanted, connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT INTO cash_note (note, payment, session, fen, state) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (note) DO NOTHING",
        (effect.note, effect.payment, effect.session, effect.fen, WANTED),
    )


@apply.register
def _(effect: CashNoteEnded, connection: apsw.Connection) -> None:
    row = (
        *(effect.note, effect.payment, effect.session, effect.fen),
        *(effect.state, effect.place, effect.reason),
    )
    connection.execute(_END_NOTE, row)
    if connection.changes() != 1:
        raise _refused(f"note {effect.note} has an end already")


@apply.register
def _(effect: CashPaid, connection: apsw.Connection) -> None:
    row = (effect.kept_fen, effect.voucher, effect.voucher_fen, effect.payment)
    try:
        connection.execute(_END_PAYMENT, row)
    except apsw.ConstraintError as error:
        raise _refused(f"voucher {effect.voucher} was given already") from error
    if connection.changes() != 1:
        raise _refused("the payment is over already, or was never opened")
    connection.execute(_COUNT_VOUCHERS, (effect.vouchers,))


@apply.register
def _(effect: CashDropped, connection: apsw.Connection) -> None:
    connection.execute("UPDATE cash_payment SET state = 2 WHERE payment = ?", (effect.payment,))


@apply.register
def _(effect: CashCassetteTaken, connection: apsw.Connection) -> None:
    row = (effect.number, effect.notes, effect.fen)
    connection.execute("INSERT INTO cash_cassette VALUES (?, ?, ?)", row)
    connection.execute(_TAKE_CASSETTE, (effect.number,))
    if connection.changes() != effect.notes:
        raise _refused(f"{effect.notes} notes do not make up the cassette")


def _refused(why: str) -> OutboxFailedError:
    return OutboxFailedError(f"{why}. Nothing was changed; look at `tongban terminal cash`")


# ---- reading


def read_saved(connection: apsw.Connection) -> SavedCash:
    """What an earlier life of the agent left."""
    payments = [SavedPayment(*row) for row in connection.execute(_OPEN_PAYMENTS)]
    sql = "SELECT note, payment, session, fen, state FROM cash_note WHERE state = ?"
    notes = [SavedNote(*row) for row in connection.execute(sql, (WANTED,))]
    lies = "FROM cash_note WHERE cassette = 0 AND state = 2"

    def number(sql: str) -> int:
        return int(connection.execute(sql).get or 0)

    return SavedCash(
        tuple(payments),
        tuple(notes),
        vouchers=number("SELECT value FROM number WHERE name = 'vouchers'"),
        cassettes=number("SELECT max(number) FROM cash_cassette"),
        cassette_notes=number(f"SELECT count(*) {lies}"),
        cassette_fen=number(f"SELECT sum(fen) {lies}"),
    )


def read_note(connection: apsw.Connection, note: int) -> SavedNote | None:
    """A note by its number."""
    sql = "SELECT note, payment, session, fen, state FROM cash_note WHERE note = ?"
    row = connection.execute(sql, (note,)).fetchone()
    return None if row is None else SavedNote(*row)


def read_payment_of(connection: apsw.Connection, session: int) -> bytes | None:
    """The payment that had this session."""
    found = connection.execute("SELECT payment FROM cash_payment WHERE session = ?", (session,)).get
    return None if found is None else bytes(found)
