"""Planted: what a printer's answer has left open is never forgotten, so nothing is heard again."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from firmware.drivers.escpos_replies import EscposReplies
from simulator.fuzz.campaign import campaign

INPUTS, SEED = 1000, 1


def findings() -> list[str]:
    """What a small campaign finds in the printer's driver."""
    return [str(found) for found in campaign(["escpos"], INPUTS, SEED).found]


GUARD = findings


@contextmanager
def apply() -> Iterator[None]:
    """While in force, the parser is not set back."""
    with patch.object(EscposReplies, "reset", lambda _self: None):
        yield
