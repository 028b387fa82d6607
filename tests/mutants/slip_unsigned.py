"""Planted: what a slip says is believed without its signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.counter.guards import forged_slips_taken

GUARD = forged_slips_taken


@contextmanager
def apply() -> Iterator[None]:
    """While in force, any signature will do."""
    with patch("protocol.slip_proof.checked_body", lambda raw, *_: raw[:-64]):
        yield
