"""Planted: a receipt settles whatever its link is."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.core.uplink import Effects, Uplink
from protocol.receipts import Receipt
from tests.agent.uplink_guards import foreign_receipt_violations

GUARD = foreign_receipt_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, every link is our own."""
    receipt = Uplink.receipt

    def trusting(self: Uplink, heard: Receipt, _own: bytes | None, now_ms: int) -> Effects:
        return receipt(self, heard, heard.link, now_ms)

    with patch.object(Uplink, "receipt", trusting):
        yield
