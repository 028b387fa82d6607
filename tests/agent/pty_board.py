"""The fake board on a pseudo-terminal, in a thread of its own: what the agent opens as its port."""

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable

from protocol.wire.ticks import TICKS_MASK
from tests.agent.fake_board import FakeBoard

TICK_S = 0.01


class PtyBoard:
    """`path` is the port. The board lives in its own thread: touch it by `do` and `wait`."""

    def __init__(self) -> None:
        self.board = FakeBoard()
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._lock = threading.RLock()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def do(self, work: Callable[[FakeBoard], object]) -> object:
        """Touch the board between two steps of its thread."""
        with self._lock:
            return work(self.board)

    def reboot(self) -> None:
        with self._lock:
            self.board.reboot()

    def wait(self, what: Callable[[FakeBoard], object], timeout_s: float = 10.0) -> None:
        """Until `what(board)` is true."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            with self._lock:
                if what(self.board):
                    return
            time.sleep(0.01)
        raise AssertionError("the board waited in vain")

    def stop(self) -> None:
        self._stopping = True
        self._thread.join(5)
        os.close(self._master)
        os.close(self._slave)

    def _work(self) -> None:
        while not self._stopping:
            ready, _, _ = select.select([self._master], [], [], TICK_S)
            now = int(time.monotonic() * 1000) & TICKS_MASK
            with self._lock:
                if ready:
                    data = os.read(self._master, 4096)
                    self.board.link.receive(data, len(data), now)
                self.board.link.tick(now)
                while (frame := self.board.pull(now)) is not None:
                    os.write(self._master, frame)
