"""Planted: a later ticket of a person quietly takes the place of the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.core.store_port import StoredTicket, TicketRow
from sync_server.store_memory import MemoryTransaction
from tests.server.guards import nobody_loses_a_ticket

GUARD = nobody_loses_a_ticket


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""

    def forget(
        self: MemoryTransaction, unit: str, day: str, matter: str, person_ref: bytes
    ) -> list[StoredTicket]:
        rows = self._tables.ticket
        for ticket, row in rows.items():
            if (row.unit, row.business_date, row.matter, row.person_ref) == (
                unit,
                day,
                matter,
                person_ref,
            ):
                rows[ticket] = TicketRow(*row[:-1], stands=0)
        return []

    with patch.object(MemoryTransaction, "tickets_of", forget):
        yield
