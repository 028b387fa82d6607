"""Planted: a journal is rewritten by removing it first."""

from collections.abc import Iterator
from contextlib import contextmanager

from simulator.sweep import plants
from tests.sweep.guards import journals_lose_nothing, planted

GUARD = journals_lose_nothing


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with planted(plants.erase_before_write):
        yield
