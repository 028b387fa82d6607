"""Planted: a voucher is read and paid without holding the lock between."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

from tests.server.cash_guards import a_voucher_is_paid_to_one_officer

GUARD = a_voucher_is_paid_to_one_officer


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch("sync_server.cash_desk.immediate", lambda _connection: nullcontext()):
        yield
