"""Planted: the number may be told as soon as its record is on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_definition import Step
from tests.agent.ticket_guards import told_violations

GUARD = told_violations
_note = Flow._note


@contextmanager
def apply() -> Iterator[None]:
    """While in force, the screen shows the number before the commit."""

    def note(self: Flow, step: Step) -> fx.PassageNote | fx.TicketNote | None:
        noted = _note(self, step)
        self.tell_ticket()
        return noted

    with patch.object(Flow, "_note", note):
        yield
