"""Planted: the desk of a hall opens to every officer who knows its address."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.units import Scope
from tests.server.console_guards import another_hall_is_not_there

GUARD = another_hall_is_not_there


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch("sync_server.console.hall.hall_scope", lambda _view, _connection, unit: Scope(unit)):
        yield
