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

from edge_agent.outbox.intents import Intents
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
_NEW_RECORD = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


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
        self.intents = Intents()
        self._epoch: Epoch | None = None
        self._number = 0
        self._opened_ms = 0

    def seal(
        self, connection: apsw.Connection, intent: bytes, drafts: tuple[Draft, ...]
    ) -> tuple[int, int]:
        """Seal and insert, from the next seq on; first and last seq, 0 and 0 of no drafts.

        The caller commits, or forgets.
        """
        if not drafts:
            return 0, 0
        now_ms = self._clock()
        first = last = 0
        for kind, coding, plaintext, visit in drafts:
            epoch = self._ready(connection, now_ms)
            last, _, _, ciphertext, link = epoch.seal(kind, coding, plaintext)
            first = first or last
            row = (last, self._number, intent, kind, coding, visit, now_ms, ciphertext, link)
            connection.execute(_NEW_RECORD, row)
        self.intents.note(intent, first, last)
        return first, last

    def forget(self) -> None:
        """Throw the key away, and trust only the disk; nothing is sealed under that key again."""
        self._drop_epoch()
        self.intents.forget()

    def _drop_epoch(self) -> None:
        if self._epoch is not None:
            self._epoch.discard()
            self._epoch = None

    def _ready(self, connection: apsw.Connection, now_ms: int) -> Epoch:
        epoch = self._epoch
        young = abs(now_ms - self._opened_ms) < EPOCH_AGE_MS_MAX
        if epoch is not None and epoch.is_open and young:
            return epoch
        self._drop_epoch()
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
