"""Planted: a form counts as ours whatever token it brings."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.server.console_guards import actions_come_from_our_forms

GUARD = actions_come_from_our_forms


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch("sync_server.console.access.hmac.compare_digest", lambda _mine, _given: True):
        yield
