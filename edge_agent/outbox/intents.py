"""Which appends are in: the intents of the newest records, so that none is done twice.

| state | event | next |
| --- | --- | --- |
| unknown | asked | known: read with the newest records of the disk |
| known | append | known, with one more; the oldest goes at INTENTS_KNOWN |
| known | forget (a commit failed or is uncertain) | unknown: only the disk says what is in |

An intent stands in the row of each of its records; no index of them is kept on the disk, which
would be a second page to write with each append. A retry comes within minutes, or at the next
start.
"""

import apsw

INTENTS_KNOWN = 4_096
"""Appends, and records that are read at the start."""
_NEWEST = (
    "SELECT intent, min(seq) AS first, max(seq) FROM "
    "(SELECT seq, intent FROM record ORDER BY seq DESC LIMIT ?) GROUP BY intent ORDER BY first"
)


class Intents:
    """Used inside the writer's transactions only."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, int]] | None = None

    def find(self, connection: apsw.Connection, intent: bytes) -> tuple[int, int] | None:
        """First and last seq of an append that is in, or is put in by this transaction."""
        known = self._known
        if known is None:
            known = self._known = self._read(connection)
        return known.get(intent)

    def note(self, intent: bytes, first: int, last: int) -> None:
        """This transaction puts it in. Only after `find` in the same transaction."""
        known = self._known
        assert known is not None
        if len(known) >= INTENTS_KNOWN:
            del known[next(iter(known))]
        known[intent] = (first, last)

    def forget(self) -> None:
        """Ask the disk again."""
        self._known = None

    @staticmethod
    def _read(connection: apsw.Connection) -> dict[bytes, tuple[int, int]]:
        rows = [*connection.execute(_NEWEST, (INTENTS_KNOWN,))]
        if rows and rows[-1][2] - rows[0][1] + 1 == INTENTS_KNOWN:
            del rows[0]  # its first record may be older than what was read
        return {intent: (first, last) for intent, first, last in rows}
