"""The epoch that records are sealed in, owned by the writer.

| state | event | next |
| --- | --- | --- |
| none | seal | open: new root, opener stored, first seq and link read from the database |
| open | seal, fewer than 256 records, younger than an hour | open |
| open | seal, full or old | none, then open |
| open | forget (a commit failed or is uncertain) | none: the key is dropped |
"""

from collections.abc import Callable

import apsw

from edge_agent.outbox.types import Draft, Head
from protocol.envelope import EPOCH_RECORDS_MAX, LINK_ZERO, Epoch
from protocol.keys import CentrePublic, DeviceKey

EPOCH_AGE_MS_MAX = 3_600_000
EPOCH_ID_BYTES = 16
ROOT_BYTES = 32

_HEAD = "SELECT seq, link FROM record ORDER BY seq DESC LIMIT 1"
_NEW_EPOCH = (
    "INSERT INTO epoch (epoch_id, opener, first_seq, link_before) VALUES (?, ?, ?, ?) "
    "RETURNING number"
)
_NEW_RECORD = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def read_head(connection: apsw.Connection) -> Head:
    """The end of the chain as the database has it."""
    row = connection.execute(_HEAD).fetchone()
    return Head(*row) if row else Head(0, LINK_ZERO)


class Sealer:
    """Seals drafts inside the writer's transaction. The root key lives here, in RAM only."""

    def __init__(
        self,
        terminal: str,
        centre_public: CentrePublic,
        device_key: DeviceKey,
        entropy: Callable[[int], bytes],
        clock: Callable[[], int],
    ) -> None:
        self._terminal = terminal
        self._centre_public = centre_public
        self._device_key = device_key
        self._entropy = entropy
        self._clock = clock
        self._epoch: Epoch | None = None
        self._number = 0
        self._opened_ms = 0

    def next_seqs(self, connection: apsw.Connection, count: int) -> tuple[int, int]:
        """First and last seq of the next `count` records; 0, 0 of none."""
        if not count:
            return 0, 0
        epoch = self._epoch
        first = read_head(connection).seq + 1 if epoch is None else epoch.seq_next
        return first, first + count - 1

    def seal(self, connection: apsw.Connection, drafts: tuple[Draft, ...]) -> None:
        """Seal and insert, from the next seq on. The caller commits, or forgets."""
        now_ms = self._clock()
        for draft in drafts:
            epoch = self._ready(connection, now_ms)
            sealed = epoch.seal(draft.kind, draft.coding, draft.plaintext)
            connection.execute(
                _NEW_RECORD,
                (
                    *(sealed.seq, self._number, sealed.kind, sealed.coding),
                    *(int(draft.visit), now_ms, sealed.ciphertext, sealed.link),
                ),
            )

    def forget(self) -> None:
        """Throw the key away; nothing is sealed under it again."""
        if self._epoch is not None:
            self._epoch.discard()
            self._epoch = None

    def _ready(self, connection: apsw.Connection, now_ms: int) -> Epoch:
        epoch = self._epoch
        young = abs(now_ms - self._opened_ms) < EPOCH_AGE_MS_MAX
        if epoch is not None and epoch.is_open and young:
            return epoch
        self.forget()
        head = read_head(connection)
        epoch = Epoch.open(
            self._terminal,
            self._centre_public,
            self._device_key,
            self._entropy(EPOCH_ID_BYTES),
            self._entropy(ROOT_BYTES),
            head.seq + 1,
            head.link,
        )
        self._number = connection.execute(
            _NEW_EPOCH, (epoch.epoch_id, epoch.opener, epoch.first_seq, head.link)
        ).get
        self._epoch = epoch
        self._opened_ms = now_ms
        return epoch


__all__ = ["EPOCH_AGE_MS_MAX", "EPOCH_RECORDS_MAX", "Sealer", "read_head"]
