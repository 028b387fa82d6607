"""Planted: a batch that the broker took counts as settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from edge_agent.core.uplink import Effects, Uplink
from tests.agent.uplink_guards import seeded_storms_violations

GUARD = seeded_storms_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, what is sent is settled."""
    sent = Uplink.sent

    def settled(self: Uplink, last_seq: int, now_ms: int) -> Effects:
        effects = sent(self, last_seq, now_ms)
        self.settled_seq = max(self.settled_seq, last_seq)
        return effects

    with patch.object(Uplink, "sent", settled):
        yield
