"""The terminal's time: a clock that never jumps, and Unix time with how far it can be trusted."""

import time

from edge_agent.core.clock_quality import ClockQuality
from protocol.records import TimeQuality
from protocol.wire.ticks import TICKS_MASK


def wall_clock_ms() -> int:
    """Unix ms as the computer has it."""
    return time.time_ns() // 1_000_000


class OwnClock:
    """`floor_ms`: no time before this can be right (Unix ms)."""

    def __init__(self, floor_ms: int) -> None:
        self.quality = ClockQuality(floor_ms)
        self._boot_ns = time.monotonic_ns()

    def mono_ms(self) -> int:
        """Since this start."""
        return (time.monotonic_ns() - self._boot_ns) // 1_000_000

    def ticks(self) -> int:
        """Of protocol.wire.ticks."""
        return self.mono_ms() & TICKS_MASK

    def wall_ms(self) -> int:
        """Unix ms, never before the floor."""
        return self.quality.stamp(wall_clock_ms(), self.mono_ms())[0]

    def stamp(self) -> tuple[int, int, int]:
        """(Unix ms, its quality, ms since this start) of a record."""
        mono_ms = self.mono_ms()
        at_ms, quality = self.quality.stamp(wall_clock_ms(), mono_ms)
        return at_ms, int(quality), mono_ms

    def time_quality(self) -> TimeQuality:
        """How far Unix time can be trusted now."""
        return self.quality.stamp(wall_clock_ms(), self.mono_ms())[1]

    def learn(self, centre_ms: int) -> None:
        """The centre's signed time."""
        self.quality.learn(centre_ms, self.mono_ms())
