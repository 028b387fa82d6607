"""Planted: a loop that answered once is believed for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.kiosk import LoopPulse
from tests.pages.kiosk_guards import a_stalled_loop_is_noticed

GUARD = a_stalled_loop_is_noticed


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch.object(LoopPulse, "beats", lambda pulse: pulse._loop is not None):
        yield
