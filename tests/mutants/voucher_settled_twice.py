"""Planted: nothing asks whether a voucher was paid already, and the database lets it pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw

from sync_server import cash_desk, store_sqlite
from sync_server.cash_desk import Row
from sync_server.core.cash_port import Booking
from sync_server.store_sqlite_cash import SqliteCash
from sync_server.units import Scope
from tests.server.cash_guards import a_voucher_is_paid_to_one_officer
from tongban.database import migrate

GUARD = a_voucher_is_paid_to_one_officer


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    read, book = cash_desk.voucher, SqliteCash.book
    bookings = iter(range(1_000))

    def forgetful(connection: apsw.Connection, scope: Scope, voucher: int) -> Row:
        return {**read(connection, scope, voucher), "settled_ms": None}

    def book_anew(self: SqliteCash, booking: Booking) -> None:
        book(self, booking._replace(about=f"{booking.about} {next(bookings)}"))

    def lenient(connection: apsw.Connection, package: str) -> int:
        version = migrate(connection, package)
        connection.execute("DROP TRIGGER IF EXISTS voucher_settled_once")
        return version

    with (
        patch.object(cash_desk, "voucher", forgetful),
        patch.object(SqliteCash, "book", book_anew),
        patch.object(store_sqlite, "migrate", lenient),
    ):
        yield
