"""Planted: a note whose end comes again counts again."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.outbox import cash
from tests.agent.cash_guards import fault_violations

GUARD = fault_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, nobody looks whether a note has ended already."""
    with patch.object(cash, "read_note", lambda _connection, _note: None):
        yield
