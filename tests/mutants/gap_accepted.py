"""Planted: a batch is taken although records before it are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.core import intake
from sync_server.core.chains import Place, PlaceKind
from tests.server.guards import no_gap_is_taken

GUARD = no_gap_is_taken


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    real = intake.place

    def place(*arguments) -> Place:
        found = real(*arguments)
        return Place(PlaceKind.NEXT, 0, 0) if found.kind is PlaceKind.LOOSE else found

    with patch.object(intake, "place", place):
        yield
