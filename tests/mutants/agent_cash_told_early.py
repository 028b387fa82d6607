"""Planted: a note is credited on the screen when the board says it, not when the disk has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from edge_agent.core import cash_events as cx
from edge_agent.core import cash_notes
from edge_agent.core.cash_state import CashState, Note
from tests.agent.cash_guards import fault_violations

GUARD = fault_violations
_ends = cash_notes._ends


@contextmanager
def apply() -> Iterator[None]:
    """While in force, the person sees money before its commit."""

    def ends(desk: CashState, end: cx.EndNote, note: Note | None, now_ms: int) -> cx.Effects:
        effects = _ends(desk, end, note, now_ms)
        payment = desk.of_session(end.session)
        if payment is not None and end.state == cx.STACKED:
            told = desk.progress(payment)
            effects.append(replace(told, paid_fen=told.paid_fen + end.fen))
        return effects

    with patch.object(cash_notes, "_ends", ends):
        yield
