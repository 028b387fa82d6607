"""Planted: what was taken is not remembered, so a replayed command is done again."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.outbox import Outbox
from tests.agent.command_guards import replayed_command_violations

GUARD = replayed_command_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, no number counts as taken."""
    with patch.object(Outbox, "commands_through", lambda _self: 0):
        yield
