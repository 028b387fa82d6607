"""Planted: a call for help counts as answered once an answer was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sync_server import help_desk
from sync_server.listings import Row
from tests.server.guards import no_call_is_answered_by_a_silence

GUARD = no_call_is_answered_by_a_silence


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    real = help_desk._call

    def trusting(values: tuple[Any, ...], now_ms: int) -> Row:
        call = real(values, now_ms)
        return {**call, "state": help_desk.ANSWERED} if call["officer"] or values[-1] else call

    with patch.object(help_desk, "_call", trusting):
        yield
