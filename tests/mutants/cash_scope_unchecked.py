"""Planted: vouchers, cases and books are read whoever asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.units import Scope
from tests.server.console_guards import another_halls_cash_is_not_there

GUARD = another_halls_cash_is_not_there


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    narrow = Scope.sql

    def wide(self: Scope, column: str) -> tuple[str, tuple[str, ...]]:
        return ("1", ()) if column in {"v.unit", "c.unit"} else narrow(self, column)

    with patch.object(Scope, "sql", wide):
        yield
