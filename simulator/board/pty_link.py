"""The board link's far end: a pseudo terminal that the agent opens like any serial port.

The slave stays open here too, so an agent that comes and goes does not hang the line up. Nobody
reading is no reason to wait: what does not fit the host's terminal buffer is lost, as on a real
line.

The kernel gives the number of a closed terminal to the next one. So agents are told a name in the
board's folder: one that outlives its board finds nothing there, not the line of another board.

On a busy host a read or poll of an empty terminal can block in the kernel for seconds, non-blocking
or not: it waits for the worker that moves bytes between the two ends. So only a thread waits for
bytes, and nothing is read before the kernel says that it is there (FIONREAD).
"""

import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from simulator.board.line import bytes_waiting

TERMINAL_BUFFER_BYTES = 4095  # of Linux's line discipline


class Terminal:
    """A pseudo terminal without echo or line editing; this is its master end. `slave` stays open
    here and may be inherited by a process."""

    def __init__(self) -> None:
        self._master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self._master, False)
        self._armed = threading.Event()
        self._closing = False
        self._stop_out, self._stop_in = os.pipe()
        self._thread: threading.Thread | None = None

    def watch(self, on_bytes: Callable[[], None]) -> None:
        """Call `on_bytes`, in a thread of its own, once for each `arm`, when bytes are there."""
        self._thread = threading.Thread(target=self._watch, args=(on_bytes,), daemon=True)
        self._thread.start()

    def arm(self) -> None:
        """Everything was read: tell of the next bytes."""
        self._armed.set()

    def read(self, limit: int) -> bytes:
        count = min(limit, bytes_waiting(self._master))
        return os.read(self._master, count) if count else b""

    def pending(self) -> bool:
        return bytes_waiting(self._master) > 0

    def put(self, data: bytes) -> int:
        """Write what finds room; how many bytes that were."""
        room = max(0, TERMINAL_BUFFER_BYTES - bytes_waiting(self.slave))
        try:
            return os.write(self._master, data[:room]) if room else 0
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """The thread that may still wait in the kernel closes the terminal."""
        self._closing = True
        if self._thread is None:
            self._close_all()
            return
        os.write(self._stop_in, b"x")
        self._armed.set()

    def _watch(self, on_bytes: Callable[[], None]) -> None:
        poller = select.poll()
        for fd in (self._master, self._stop_out):
            poller.register(fd, select.POLLIN)
        while True:
            self._armed.wait()
            self._armed.clear()
            if not self._closing:
                poller.poll()
            if self._closing:
                self._close_all()
                return
            on_bytes()

    def _close_all(self) -> None:
        for fd in (self._master, self.slave, self._stop_out, self._stop_in):
            os.close(fd)


class PtyLink(Terminal):
    """Far end of a `SerialLine`; `path` is what the agent opens, a symbolic link made here."""

    def __init__(self, path: Path, baud: int) -> None:
        super().__init__()
        self.baud = baud
        self.dropped_bytes = 0
        self.path = path.absolute()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self.slave))

    def write(self, data: bytes, more: bool) -> None:  # noqa: ARG002 - a terminal has no gaps
        self.dropped_bytes += len(data) - self.put(data)

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        super().close()
