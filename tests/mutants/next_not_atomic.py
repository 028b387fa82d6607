"""Planted: "next" reads and writes without holding the lock between."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

from tests.server.guards import one_ticket_for_one_officer

GUARD = one_ticket_for_one_officer


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch("sync_server.tickets.immediate", lambda _connection: nullcontext()):
        yield
