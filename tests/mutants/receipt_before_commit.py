"""Planted: the receipt is signed and sent while its transaction is still open."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from sync_server.core.intake import Taken
from sync_server.intake_worker import IntakeWorker, Message
from tests.server.guards import receipts_follow_commits

GUARD = receipts_follow_commits


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""

    def commit(
        self: IntakeWorker, group: Sequence[Message], taken: list[Taken], now_ms: int
    ) -> None:
        with self._store.transaction() as tx:
            for message in group:
                self._answer(self._take(tx, message, now_ms).answer)
        self._intake.committed()

    with patch.object(IntakeWorker, "_commit", commit):
        yield
