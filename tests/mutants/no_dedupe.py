"""Planted: a batch that came before is taken as a new one."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.core import intake
from sync_server.core.chains import Place, PlaceKind
from tests.server.guards import nothing_counts_twice

GUARD = nothing_counts_twice


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    real = intake.place

    def place(*arguments) -> Place:
        found = real(*arguments)
        return Place(PlaceKind.FORK, 0, 0) if found.kind is PlaceKind.KNOWN else found

    with patch.object(intake, "place", place):
        yield
