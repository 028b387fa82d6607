"""Planted: after a failed commit the epoch goes on under the same key, from the head it finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw

from edge_agent.outbox.sealer import Sealer, read_head
from protocol.envelope import Epoch
from tests.agent.outbox_guards import failing_sync_violations

GUARD = failing_sync_violations


_EPOCH_AGAIN = (
    "INSERT OR IGNORE INTO epoch (number, epoch_id, opener, first_seq, link_before) "
    "VALUES (?, ?, ?, ?, ?)"
)


@contextmanager
def apply() -> Iterator[None]:
    """While in force, `forget` forgets nothing."""
    ready = Sealer._ready

    def realigned(self: Sealer, connection: apsw.Connection, now_ms: int) -> Epoch:
        epoch = self._epoch
        head = read_head(connection)
        if epoch is not None and epoch.is_open and epoch.seq_next != head.seq + 1:
            epoch.seq_next, epoch.link = head.seq + 1, head.link
            row = (self._number, epoch.epoch_id, epoch.opener, head.seq + 1, head.link)
            connection.execute(_EPOCH_AGAIN, row)
        return ready(self, connection, now_ms)

    with (
        patch.object(Sealer, "forget", lambda _self: None),
        patch.object(Sealer, "_ready", realigned),
    ):
        yield
