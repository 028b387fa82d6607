"""Planted: the terminal says that an officer is coming as soon as the call is noted."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.core import help_events
from tests.agent.help_guards import early_promise_violations

GUARD = early_promise_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, a recorded call is spoken of as if it were answered."""
    with patch.object(help_events, "RINGS", help_events.ANSWERED):
        yield
