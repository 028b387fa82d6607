"""Planted: an append that is in already is done again."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.outbox.intents import Intents
from tests.agent.outbox_guards import repeated_intent_violations

GUARD = repeated_intent_violations


def found_never(self: Intents, *_: object) -> None:
    self._known = self._known or {}


@contextmanager
def apply() -> Iterator[None]:
    """While in force, intents are never found."""
    with patch.object(Intents, "find", found_never):
        yield
