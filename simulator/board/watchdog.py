"""The watchdog of a simulated board: bites when it was not fed in time."""

import asyncio
from collections.abc import Callable

FEED_SLACK = 1.125  # the shim tells of a feed at most every eighth of the time-out


class Watchdog:
    """Asleep until `start`. `bite` is called once, in the loop that runs."""

    def __init__(self, bite: Callable[[], None]) -> None:
        self._bite = bite
        self._timeout_ms = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    def start(self, timeout_ms: float) -> None:
        """From now on it wants to be fed this often."""
        self._timeout_ms = timeout_ms
        self.feed()

    def feed(self) -> None:
        """One that sleeps stays asleep."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._timeout_ms > 0:
            delay_s = self._timeout_ms * FEED_SLACK / 1000
            self._alarm = asyncio.get_running_loop().call_later(delay_s, self._bite)

    def stop(self) -> None:
        """A new life starts without one."""
        self.start(0)
