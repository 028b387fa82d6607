"""The tables of cash as rows for other tools: terminals by name, people as pseudonyms."""

from collections.abc import Iterator, Mapping

import apsw

from sync_server.listings import Row
from sync_server.units import Scope

_TABLES = {
    "cash_note": "x.terminal, x.branch, x.seq",
    "cash_payment": "x.terminal, x.branch, x.seq",
    "cash_cassette": "x.terminal, x.branch, x.seq",
    "cash_voucher": "x.voucher",
    "cash_case": "x.cash_case",
    "cash_booking": "x.booking",
}
"""Table -> its order."""


def tables(connection: apsw.Connection, scope: Scope) -> Mapping[str, Iterator[Row]]:
    """Table -> its rows in the scope. Bytes are hex."""
    found = {name: _rows(connection, scope, name, order) for name, order in _TABLES.items()}
    return {**found, "cash_entry": _entries(connection, scope)}


def _rows(connection: apsw.Connection, scope: Scope, table: str, order: str) -> Iterator[Row]:
    condition, values = scope.sql("x.unit")
    cursor = connection.execute(
        f"SELECT t.name AS name, x.* FROM {table} x JOIN terminal t ON t.terminal = x.terminal "
        f"WHERE {condition} ORDER BY {order}",
        values,
    )
    for name, *found in cursor:
        keys = [column for column, *_ in cursor.get_description()][1:]
        row = dict(zip(keys, found, strict=True))
        plain = {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items()}
        yield {**plain, "terminal": name}


def _entries(connection: apsw.Connection, scope: Scope) -> Iterator[Row]:
    condition, values = scope.sql("b.unit")
    found = connection.execute(
        "SELECT e.booking, e.account, e.fen FROM cash_entry e "
        f"JOIN cash_booking b ON b.booking = e.booking WHERE {condition} "
        "ORDER BY e.booking, e.account",
        values,
    )
    for booking, account, fen in found:
        yield {"booking": booking, "account": account, "fen": fen}
