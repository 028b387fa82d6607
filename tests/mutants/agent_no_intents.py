"""Planted: an append that is in already is done again."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.agent.outbox_guards import repeated_intent_violations

GUARD = repeated_intent_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, intents are never found."""
    nothing = "SELECT first_seq, last_seq FROM intent WHERE intent = ? AND 0"
    note = "INSERT OR REPLACE INTO intent VALUES (?, ?, ?)"
    with (
        patch("edge_agent.outbox.jobs._FIND_INTENT", nothing),
        patch("edge_agent.outbox.jobs._NOTE_INTENT", note),
    ):
        yield
