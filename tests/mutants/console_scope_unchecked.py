"""Planted: pages ask for everything, whoever looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.console.view import View
from sync_server.units import Scope
from tests.server.console_guards import another_hall_is_not_there

GUARD = another_hall_is_not_there


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch.object(View, "scope", property(lambda _view: Scope())):
        yield
