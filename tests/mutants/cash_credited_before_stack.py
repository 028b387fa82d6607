"""Planted: a note counts as soon as the agent wants it; STACK goes out afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from simulator.sweep import plants
from tests.sweep.guards import money_balances, planted

GUARD = money_balances


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with planted(plants.credit_before_stack):
        yield
