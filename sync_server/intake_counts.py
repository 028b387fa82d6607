"""Counters and samples of what came in: kept in memory, written with a commit that happens anyway.

Nothing that a stranger sends may cost a commit or unbounded rows: counters are one row a terminal
and code, samples a few slots a code holding the beginning of a message.
"""

from collections import Counter

from sync_server.core.codes import IntakeCode
from sync_server.core.store_port import SampleRow, Transaction

WRITE_INTERVAL_MS = 1_000
SAMPLES_PER_CODE = 8
SAMPLE_BYTES_MAX = 256
REASON_CHARACTERS_MAX = 200
TOPIC_CHARACTERS_MAX = 64


class IntakeCounts:
    """What is not written yet, and what the present group would add to it."""

    def __init__(self) -> None:
        self._pending: Counter[tuple[int, int]] = Counter()
        self._current: Counter[tuple[int, int]] = Counter()
        self._samples: dict[tuple[int, int], SampleRow] = {}
        self._next_slot: Counter[int] = Counter()
        self._written_ms = 0

    def note(self, terminal: int, code: IntakeCode, count: int = 1) -> None:
        """Count for the present group."""
        self._current[terminal, code] += count

    def sample(
        self, code: IntakeCode, now_ms: int, message: tuple[str, bytes, int], reason: str
    ) -> None:
        """Keep the beginning of a refused message: (topic, payload, size as it came)."""
        topic, payload, size = message
        slot = self._next_slot[code] % SAMPLES_PER_CODE
        self._next_slot[code] += 1
        self._samples[code, slot] = SampleRow(
            code,
            slot,
            now_ms,
            topic[:TOPIC_CHARACTERS_MAX],
            reason[:REASON_CHARACTERS_MAX],
            size,
            payload[:SAMPLE_BYTES_MAX],
        )

    def is_due(self, now_ms: int) -> bool:
        """Whether it is time to write by itself."""
        waiting = bool(self._pending or self._current)
        return waiting and not 0 <= now_ms - self._written_ms < WRITE_INTERVAL_MS

    def write(self, tx: Transaction, now_ms: int) -> None:
        """Write everything; call `written` after the commit."""
        for (terminal, code), count in (self._pending + self._current).items():
            tx.count(terminal, code, count, now_ms)
        for row in self._samples.values():
            tx.put_sample(row)

    def written(self, now_ms: int) -> None:
        """The commit with everything is durable."""
        self._pending.clear()
        self._current.clear()
        self._samples.clear()
        self._written_ms = now_ms

    def keep(self) -> None:
        """The present group ended without a write."""
        self._pending.update(self._current)
        self._current.clear()

    def forget(self) -> None:
        """The present group was undone."""
        self._current.clear()
