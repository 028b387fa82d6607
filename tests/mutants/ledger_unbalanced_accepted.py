"""Planted: the database takes a booking whatever its entries sum to."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw

from sync_server import store_sqlite
from tests.server.cash_guards import nothing_unbalanced_is_stored
from tongban.database import migrate

GUARD = nothing_unbalanced_is_stored


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""

    def lenient(connection: apsw.Connection, package: str) -> int:
        version = migrate(connection, package)
        connection.execute("DROP TRIGGER IF EXISTS booking_balances")
        return version

    with patch.object(store_sqlite, "migrate", lenient):
        yield
