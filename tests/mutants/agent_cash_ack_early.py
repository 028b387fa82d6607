"""Planted: the board may forget a note before the commit of its record."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.core import cash_events as cx
from edge_agent.core import cash_notes
from edge_agent.core.cash_state import CashState, Note
from tests.agent.cash_guards import fault_violations

GUARD = fault_violations
_ends = cash_notes._ends


@contextmanager
def apply() -> Iterator[None]:
    """While in force, an end is acknowledged as it comes."""

    def ends(desk: CashState, end: cx.EndNote, note: Note | None, now_ms: int) -> cx.Effects:
        return [*_ends(desk, end, note, now_ms), cx.Ack(end.note)]

    with patch.object(cash_notes, "_ends", ends):
        yield
