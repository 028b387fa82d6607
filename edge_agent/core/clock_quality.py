"""What time it is, and how far that can be trusted.

| clock of the computer | quality | at_ms |
| --- | --- | --- |
| before the floor (highest time ever seen) | FLOOR | the floor |
| near the centre's signed time, heard in the last SYNC_AGE_MS_MAX | SYNCED | the clock |
| else | UNKNOWN | the clock |

Wall time is Unix ms and may jump; `mono_ms` is ms since the agent's start and never does. A signed
time well before the floor is an old answer that somebody sent again: it teaches nothing.
"""

from protocol.records import TimeQuality

SYNC_OFFSET_MS_MAX = 60_000
SYNC_AGE_MS_MAX = 24 * 3_600_000
FLOOR_STEP_MS = 60_000


class ClockQuality:
    """Starts from the persisted floor; `floor_to_keep` says when a new one is worth a commit."""

    def __init__(self, floor_ms: int) -> None:
        self.floor_ms = floor_ms
        self._kept_ms = floor_ms
        self._centre_ms = 0
        self._heard_mono_ms: int | None = None

    def learn(self, centre_ms: int, mono_ms: int) -> None:
        """A time signed by the centre came in just now."""
        if centre_ms < self.floor_ms - SYNC_OFFSET_MS_MAX:
            return
        self._centre_ms = centre_ms
        self._heard_mono_ms = mono_ms
        self.floor_ms = max(self.floor_ms, centre_ms)

    def stamp(self, wall_ms: int, mono_ms: int) -> tuple[int, TimeQuality]:
        """(time to write, its quality)."""
        if wall_ms < self.floor_ms:
            return self.floor_ms, TimeQuality.FLOOR
        if self._is_near(wall_ms, mono_ms):
            self.floor_ms = wall_ms
            return wall_ms, TimeQuality.SYNCED
        return wall_ms, TimeQuality.UNKNOWN

    def floor_to_keep(self) -> int | None:
        """The floor when it has risen enough to be persisted, else None."""
        if self.floor_ms - self._kept_ms < FLOOR_STEP_MS:
            return None
        self._kept_ms = self.floor_ms
        return self.floor_ms

    def _is_near(self, wall_ms: int, mono_ms: int) -> bool:
        if self._heard_mono_ms is None:
            return False
        age_ms = mono_ms - self._heard_mono_ms
        expected_ms = self._centre_ms + age_ms
        return age_ms <= SYNC_AGE_MS_MAX and abs(wall_ms - expected_ms) <= SYNC_OFFSET_MS_MAX
