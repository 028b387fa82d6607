"""Planted: a day's last number is deleted with its index, so it begins again at one."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.outbox import jobs
from tests.agent.ticket_guards import restart_violations

GUARD = restart_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, a clock that goes back over midnight counts from one again."""
    forget = (*jobs._FORGET_DAYS[:-1], "DELETE FROM ticket_counter WHERE day < ?")
    with patch.object(jobs, "_FORGET_DAYS", forget):
        yield
