"""Tells from any thread whether an event loop still turns.

The pages have a thread of their own, which would go on to serve an old screen while the agent's
loop hangs. Asked for its pulse, a loop that does not answer in STALL_S_MAX counts as gone.
"""

import asyncio
import time
from collections.abc import Callable

STALL_S_MAX = 1.0


class LoopPulse:
    """`beats()` never waits: it judges by the oldest question that is still open."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clock = clock
        self._asked: float | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """This loop is asked from now on."""
        self._loop = loop

    def beats(self) -> bool:
        """Whether the loop answered lately; asks again. False before `begin`."""
        if self._loop is None:
            return False
        asked = self._asked
        if asked is not None:
            return self._clock() - asked < STALL_S_MAX
        self._asked = self._clock()
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # the loop is closed; the question stays open
            return False
        return True

    def _answer(self) -> None:
        self._asked = None
