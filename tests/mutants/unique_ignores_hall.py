"""Planted: a person has one number in the whole city."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.core.store_port import StoredTicket
from sync_server.store_memory import MemoryTransaction
from tests.server.guards import halls_are_apart

GUARD = halls_are_apart


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""

    def anywhere(
        self: MemoryTransaction, _unit: str, day: str, matter: str, person_ref: bytes
    ) -> list[StoredTicket]:
        wanted = (day, matter, person_ref)
        return self._tickets(lambda row: (row.business_date, row.matter, row.person_ref) == wanted)

    with patch.object(MemoryTransaction, "tickets_of", anywhere):
        yield
