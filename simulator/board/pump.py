"""Moves bytes on all lines of a board: at once when something arrives, every millisecond while
bytes are under way."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from simulator.board.host_time import BoardTime
from simulator.board.line import SerialLine
from simulator.board.pty_link import PtyLink
from simulator.board.socket_link import SocketLink
from simulator.board.virtual_time import Lockstep

TICK_MS = 1.0
LinkEnd = PtyLink | SocketLink


class Pump:
    """`refresh()` lets the devices act and returns the host's milliseconds until they want to
    again, or None. In virtual time nothing moves while the firmware works (`steps`)."""

    def __init__(
        self,
        lines: Sequence[SerialLine],
        refresh: Callable[[], float | None],
        steps: Lockstep,
    ) -> None:
        self._lines = lines
        self._refresh = refresh
        self._steps = steps
        steps.on_park = self._resume
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._armed: set[int] = set()
        self._board_time: BoardTime | None = None
        self._last_ms = self._loop.time() * 1000
        self._closed = False
        self._missed = False
        for line in lines:
            if isinstance(line.far, LinkEnd):
                line.far.watch(self._wake_from_thread)

    def begin_life(self, pid: int | None) -> None:
        """A firmware process has the near ends of the lines. None: all time is the board's."""
        self._board_time = None if pid is None else BoardTime(pid)
        self.wake()

    def end_life(self) -> None:
        """Call before the lines are disconnected: their descriptors are about to close."""
        if self._board_time is not None:
            self._board_time.close()
        self._board_time = None
        self._disarm()

    def close(self) -> None:
        self._closed = True
        self._disarm()
        if self._handle is not None:
            self._handle.cancel()

    def wake(self) -> None:
        """Something changed: look at every line and device now."""
        if self._closed:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_soon(self._run)

    def _resume(self) -> None:
        if self._missed:
            self._missed = False
            self.wake()

    def _wake_from_thread(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.wake)

    def _run(self) -> None:
        self._handle = None
        if self._steps.working:
            self._missed = True
            return
        now_ms = self._loop.time() * 1000
        elapsed_ms = now_ms - self._last_ms
        self._last_ms = now_ms
        board_ms = elapsed_ms if self._board_time is None else self._board_time.advance(elapsed_ms)
        busy = False
        for line in self._lines:
            if line.pump(elapsed_ms, board_ms):
                busy = True
            else:
                self._arm(line)
        next_ms = self._refresh()
        if busy:
            next_ms = TICK_MS
        if next_ms is not None and self._handle is None:  # a device may have called `wake`
            delay_s = max(next_ms, TICK_MS) / 1000
            self._handle = self._loop.call_later(delay_s, self._run)

    def _arm(self, line: SerialLine) -> None:
        if isinstance(line.far, LinkEnd):
            line.far.arm()
        if line.near is not None and line.near.fileno() not in self._armed:
            fd = line.near.fileno()
            self._armed.add(fd)
            self._loop.add_reader(fd, self._readable, fd)

    def _readable(self, fd: int) -> None:
        self._armed.discard(fd)
        self._loop.remove_reader(fd)
        self.wake()

    def _disarm(self) -> None:
        for fd in self._armed:
            self._loop.remove_reader(fd)
        self._armed.clear()
