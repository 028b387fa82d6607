"""Planted: a file of slip keys is read without its signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.counter.guards import foreign_keys_taken

GUARD = foreign_keys_taken


@contextmanager
def apply() -> Iterator[None]:
    """While in force, anybody may put a key in."""
    with patch("protocol.slip_keys.checked_body", lambda raw, *_: raw[:-64]):
        yield
