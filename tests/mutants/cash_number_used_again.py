"""Planted: after a restart the board counts its notes from 1 again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.sweep.firmware_space import FirmwareSpace
from tests.sweep.guards import money_balances, planted

GUARD = money_balances


def counting_anew(space: FirmwareSpace) -> None:
    journal = space.load("firmware.cash_journal").CashJournal

    def take_number(self: Any, journal_id: int, _counter: int) -> None:
        self._id = journal_id

    journal._take_number = take_number


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with planted(counting_anew):
        yield
