"""What time it is, and how far that can be trusted.

| heard from the centre in the last SYNC_AGE_MS_MAX | clock of the computer | quality | at_ms |
| --- | --- | --- | --- |
| yes | within SYNC_OFFSET_MS_MAX of the centre's time | SYNCED | the clock |
| yes | elsewhere | SYNCED | the centre's time, carried on |
| no | before the floor | FLOOR | the floor, carried on |
| no | else | UNKNOWN | the clock |

The floor is the highest time that the centre ever signed or that was SYNCED: the true time is not
before it. A clock that jumped into the future never raises it. Wall time is Unix ms and may jump;
`mono_ms` is ms since the agent's start and never does.
"""

from typing import NamedTuple

from protocol.records import TimeQuality

SYNC_OFFSET_MS_MAX = 10_000
SYNC_AGE_MS_MAX = 24 * 3_600_000
FLOOR_STEP_MS = 60_000


class _Moment(NamedTuple):
    """A true time and when, by the clock that never jumps, it was so."""

    at_ms: int
    mono_ms: int

    def carried_on(self, mono_ms: int) -> int:
        return self.at_ms + max(0, mono_ms - self.mono_ms)


class ClockQuality:
    """Starts from the persisted floor; `floor_to_keep` says when a new one is worth a commit.

    Safe from any thread: each of its values is replaced whole.
    """

    def __init__(self, floor_ms: int) -> None:
        self._floor = _Moment(floor_ms, 0)
        self._kept_ms = floor_ms
        self._centre: _Moment | None = None

    @property
    def floor_ms(self) -> int:
        """No time before this can be right, Unix ms."""
        return self._floor.at_ms

    def learn(self, centre_ms: int, mono_ms: int) -> None:
        """The centre signed this time just now (see LearnTime in core/uplink)."""
        self._centre = _Moment(centre_ms, mono_ms)
        self._raise_floor(centre_ms, mono_ms)

    def stamp(self, wall_ms: int, mono_ms: int) -> tuple[int, TimeQuality]:
        """(time to write, its quality)."""
        centre = self._centre
        if centre is not None and mono_ms - centre.mono_ms <= SYNC_AGE_MS_MAX:
            true_ms = centre.carried_on(mono_ms)
            at_ms = wall_ms if abs(wall_ms - true_ms) <= SYNC_OFFSET_MS_MAX else true_ms
            self._raise_floor(min(at_ms, true_ms), mono_ms)
            return at_ms, TimeQuality.SYNCED
        floor_ms = self._floor.carried_on(mono_ms)
        if wall_ms < floor_ms:
            return floor_ms, TimeQuality.FLOOR
        return wall_ms, TimeQuality.UNKNOWN

    def floor_to_keep(self) -> int | None:
        """The floor when it has risen enough to be persisted, else None."""
        floor_ms = self._floor.at_ms
        if floor_ms - self._kept_ms < FLOOR_STEP_MS:
            return None
        self._kept_ms = floor_ms
        return floor_ms

    def _raise_floor(self, at_ms: int, mono_ms: int) -> None:
        if at_ms >= self._floor.at_ms:
            self._floor = _Moment(at_ms, mono_ms)
