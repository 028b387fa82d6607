"""Planted: logging out clears the browser's cookie and leaves the session open."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.server.console_guards import sessions_end_for_good

GUARD = sessions_end_for_good


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch("sync_server.console.login.accounts.end_session", lambda *_: None):
        yield
