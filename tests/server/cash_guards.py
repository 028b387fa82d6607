"""Promises of the books as functions: each returns its violations, none when all is well."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sync_server import cash_desk
from sync_server.cash_desk import CashError
from sync_server.core.cash_port import Booking
from sync_server.core.store_port import StoreError
from sync_server.store_sqlite import SqliteStore
from sync_server.units import Scope
from tests.server.cash_tools import FEE, balances, paid, stacked, unbalanced
from tests.server.hall import Hall
from tests.server.making import DAY, UNIT


@contextmanager
def _owing() -> Iterator[Hall]:
    """gate-1 owes 5 yuan."""
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        hall.append(1, stacked(1, 1))
        hall.append(1, paid(1, 20, 15, "VA-001"))
        yield hall
        hall.store.close()


def a_voucher_is_paid_to_one_officer() -> list[str]:
    """Two officers pay one voucher: the second one between what the first one reads and writes.
    One of them is told to pay, the other one that it was paid."""
    with _owing() as hall:
        first, second = hall.another(), hall.another()
        second.connection.set_busy_timeout(1)
        told_to_pay: list[str] = []

        def pay(store: SqliteStore, officer: str) -> None:
            with suppress(CashError):
                cash_desk.settle(store.connection, Scope(UNIT), 1, officer, hall.now_ms)
                told_to_pay.append(officer)

        def pay_between(_cursor: object, sql: str, _bindings: object) -> bool:
            if sql.startswith("UPDATE cash_voucher"):
                first.connection.exec_trace = None
                with suppress(StoreError):  # locked: he has to try again
                    pay(second, "second")
            return True

        first.connection.exec_trace = pay_between
        found = []
        try:
            pay(first, "first")
            pay(second, "second")
        except Exception as error:  # whatever it is, an officer did not get a word
            found.append(f"an officer got {error!r}")
        if told_to_pay != ["first"]:
            found.append(f"told to pay: {told_to_pay}")
        if balances(hall.store).get(f"till:{UNIT}") != -5:
            found.append(f"the till: {balances(hall.store)}")
        first.close()
        second.close()
    return found


def nothing_unbalanced_is_stored() -> list[str]:
    """A fault in a rule cannot get into the books: the database refuses it."""
    wrong = {"cassette:gate-1": 2000, f"revenue:{FEE}": -1500}
    with _owing() as hall:
        with suppress(StoreError), hall.store.transaction() as tx:
            tx.book(Booking("note", "gate-1/99", 1, UNIT, DAY, 1, "", wrong))
        return unbalanced(hall.store)
