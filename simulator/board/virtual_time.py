"""Time that passes only when nobody has anything left to do.

Theory of operation. A board, its devices and an agent in one process share the event loop's clock.
In a `VirtualTimeLoop` that clock stands while anything happens; when every handle has run, it jumps
to the next timer. The firmware is a process of its own, so it runs in lock step: every wait of its
program is a record on the bus (`S`), answered with the time (`N`) when the wait is over or a line
has bytes for it; then this process stands still until the firmware waits again. While a process
starts or ends the loop is held. So a scene plays the same on any machine, however busy, and waits
cost nothing.

| board | event | next | time |
| --- | --- | --- | --- |
| working | it waits (`S`) | parked | may pass |
| parked | its time has come, bytes for a wait that they end | working (`N`) | stands |
| any | killed, reset, cut | dying | stands |
| dying, working | its process is gone | off | may pass |
| off | a new life | working | stands |

What no firmware feels here: its own slowness. Passes, collections and a late host are what tests in
true time are for.
"""

import asyncio
import select
import selectors
from collections.abc import Callable
from typing import Any

from simulator.board.bus import Op, Record
from simulator.board.life import Life

STUCK_S = 60.0
LEAST_S = 1e-6
_START_S = 1000.0
_MOMENT_S = 0.001


class StuckError(BaseException):
    """Time can never pass again. Nobody on the way may think that his wait was over."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`asyncio.Runner(loop_factory=VirtualTimeLoop)`. What happens outside of the loop's timers (a
    thread, a process) needs a `hold`, or time runs away from it."""

    def __init__(self) -> None:
        self._now_s = _START_S
        self._holds = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Seconds since the start, and a thousand."""
        return self._now_s

    def hold(self) -> None:
        """Let no time pass until `let_go` was called as often."""
        self._holds += 1

    def let_go(self) -> None:
        self._holds -= 1

    @property
    def held(self) -> bool:
        return self._holds > 0

    def pass_by(self, seconds: float) -> None:
        """Jump; by less than a rounding error nobody would ever arrive."""
        self._now_s += max(seconds, LEAST_S)


class _Selector(selectors.DefaultSelector):
    """Where a loop waits: what is ready comes first, then time goes by at once."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and not self._loop.held:
            self._loop.pass_by(timeout)
            return []
        ready = super().select(STUCK_S)
        if not ready:
            raise StuckError(f"no process has started or ended for {STUCK_S:.0f} s")
        return ready


class Lockstep:
    """What a board tells of its firmware, whatever the loop; `working` is the firmware's state.

    In a loop of true time the firmware runs freely and nothing here has an effect.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, read_bus: Callable[[], None]) -> None:
        self._read_bus = read_bus
        self._loop = loop if isinstance(loop, VirtualTimeLoop) else None
        self.on_park: Callable[[], None] = lambda: None
        self._alarm: asyncio.Handle | None = None
        self._woken_by_bytes = False
        self._dying = False
        self.working = False

    @property
    def is_virtual(self) -> bool:
        return self._loop is not None

    def refuse_virtual_time(self) -> None:
        """Who cannot live in it says so. ValueError."""
        if self._loop is not None:
            raise ValueError("virtual time needs micropython, link='socket' and no collections")

    def begin_life(self) -> None:
        """A process is about to start."""
        self._dying = False
        self._work()

    def environment(self) -> dict[str, str]:
        """What it must find there."""
        return {} if self._loop is None else {"BOARD_NOW_US": str(self._now_us())}

    def begin_death(self) -> None:
        """The process is being killed: what it still says counts no more."""
        self._dying = True
        self._work()

    def end_life(self) -> None:
        """The process is gone."""
        self._rest()

    def park(self, life: Life, record: Record) -> None:
        """The firmware waits, as this record says."""
        if self._loop is None or self._dying:
            return
        us = record.value << 32 | record.extra
        self._woken_by_bytes = bool(record.unit)
        self._alarm = self._loop.call_later(us / 1e6, self._wake, life)
        self._rest()

    def tell(self, event: asyncio.Event) -> None:
        """Set this event: in virtual time when the firmware rests, else who waits for it would race
        with the firmware."""
        if self._loop is None:
            event.set()
        else:
            self._loop.call_later(_MOMENT_S, event.set)

    def bytes_came(self, life: Life | None) -> None:
        """A line has bytes for the firmware."""
        if self._alarm is not None and self._woken_by_bytes and life is not None:
            assert self._loop is not None
            self._alarm.cancel()
            self._woken_by_bytes = False
            self._alarm = self._loop.call_soon(self._wake, life)  # all lines have theirs by then

    def _wake(self, life: Life) -> None:
        self._work()
        now_us = self._now_us()
        life.send(Record(Op.NOW, 0, now_us >> 32, now_us & 0xFFFFFFFF))
        bus = select.poll()
        bus.register(life.fileno(), select.POLLIN)
        while self.working and not self._dying and not life.hung_up:
            if not bus.poll(STUCK_S * 1000):
                raise StuckError(f"the firmware has neither waited nor ended for {STUCK_S:.0f} s")
            self._read_bus()

    def _now_us(self) -> int:
        assert self._loop is not None
        return round(self._loop.time() * 1e6)

    def _work(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._loop is not None and not self.working:
            self.working = True
            self._loop.hold()

    def _rest(self) -> None:
        if self._loop is not None and self.working:
            self.working = False
            self._loop.let_go()
            self.on_park()


def run_in_virtual_time(main: Any) -> Any:
    """`asyncio.run` of this coroutine in a loop of virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
