"""Cash for the centre's tests: records of notes and payments, and what the ledger has of them."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from protocol.records import (
    NOTE_CASE,
    NOTE_RETURNED,
    NOTE_STACKED,
    CashCassette,
    CashNote,
    CashPayment,
    Person,
)
from protocol.wire.states import BILL_JAMMED, PLACE_PATH
from sync_server import cash_desk
from sync_server.cash_desk import CashError
from sync_server.core.store_port import Store
from sync_server.store_memory import MemoryStore
from sync_server.store_sqlite import SqliteStore
from sync_server.units import Scope
from tests.server.hall import Hall
from tests.server.making import UNIT, number_of

FEE = "certificate-copy"
NOBODY = bytes(8)


def payment_id(number: int) -> bytes:
    """The name of payment `number`."""
    return b"p" * 7 + bytes((number,))


def stacked(note: int, payment: int | None, yuan: int = 20) -> CashNote:
    """A note in the cassette; `payment` None: of nobody."""
    name = NOBODY if payment is None else payment_id(payment)
    return CashNote(note, name, yuan * 100, NOTE_STACKED)


def returned(note: int, payment: int, yuan: int = 20) -> CashNote:
    return CashNote(note, payment_id(payment), yuan * 100, NOTE_RETURNED)


def in_doubt(note: int, payment: int, yuan: int = 20) -> CashNote:
    """A note that got stuck on its way to the cassette."""
    name = payment_id(payment)
    return CashNote(note, name, yuan * 100, NOTE_CASE, PLACE_PATH, BILL_JAMMED)


def paid(
    payment: int, yuan: int, kept: int = 0, voucher: str = "", person: int | None = None
) -> CashPayment:
    """The end of a payment."""
    who = None if person is None else Person("C", number_of(person), "样例甲")
    name = payment_id(payment)
    return CashPayment(FEE, 1, name, kept * 100, yuan * 100, kept * 100, voucher, who)


def emptied(notes: int, yuan: int) -> CashCassette:
    return CashCassette(notes, yuan * 100)


def owing_hall(folder: Path) -> Hall:
    """gate-1 owes 5 yuan under VA-001, gate-3 in the other hall 10 under VA-001, too."""
    hall = Hall(folder)
    for body in (stacked(1, 1), paid(1, 20, 15, "VA-001", person=3)):
        hall.append(1, body)
    for body in (stacked(1, 1), paid(1, 20, 10, "VA-001")):
        hall.append(3, body)
    return hall


def close_case(hall: Hall, case: int, outcome: str, scope: Scope | None = None) -> None:
    """An officer of the first hall closes a case; the books balance."""
    where = scope or Scope(UNIT)
    cash_desk.close(hall.connection, where, case, outcome, "li.wei", "looked", hall.now_ms)
    assert unbalanced(hall.store) == []


def refused(code: str):
    """A CashError of this code."""
    return pytest.raises(CashError, check=lambda error: error.code == code)


def balances(store: Store) -> Mapping[str, int]:
    """Account -> yuan, of accounts that are not at 0."""
    if isinstance(store, MemoryStore):
        found = store.tables.balances
    else:
        assert isinstance(store, SqliteStore)
        sql = "SELECT account, sum(fen) FROM cash_entry GROUP BY account"
        found = Counter(dict(store.connection.execute(sql)))
    return {name: fen // 100 for name, fen in found.items() if fen}


def cases(store: Store) -> list[tuple[str, int, bool]]:
    """(reason, yuan, whether it is closed), in the order they were found."""
    if isinstance(store, MemoryStore):
        rows = store.tables.case.items()
        return [(row.reason, row.fen // 100, case in store.tables.closed) for case, row in rows]
    assert isinstance(store, SqliteStore)
    sql = "SELECT reason, fen / 100, closed_ms IS NOT NULL FROM cash_case ORDER BY cash_case"
    return [(reason, yuan, bool(closed)) for reason, yuan, closed in store.connection.execute(sql)]


def vouchers(store: Store) -> list[tuple[str, int]]:
    """(number, yuan), by id."""
    if isinstance(store, MemoryStore):
        return [(row.number, row.fen // 100) for row in store.tables.voucher.values()]
    assert isinstance(store, SqliteStore)
    sql = "SELECT number, fen / 100 FROM cash_voucher ORDER BY voucher"
    return store.connection.execute(sql).fetchall()


def unbalanced(store: Store) -> list[str]:
    """Bookings whose entries do not sum to 0, by their cause and what they are about."""
    if isinstance(store, MemoryStore):
        found = store.tables.booking.items()
        return [f"{key}" for key, booking in found if sum(booking.entries.values())]
    assert isinstance(store, SqliteStore)
    sql = (
        "SELECT b.cause || ' ' || b.about FROM cash_booking b LEFT JOIN cash_entry e "
        "ON e.booking = b.booking GROUP BY b.booking HAVING coalesce(sum(e.fen), 1) <> 0"
    )
    return [text for (text,) in store.connection.execute(sql)]
