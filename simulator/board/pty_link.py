"""The board link's far end: a pseudo terminal that the agent opens like any serial port.

The slave stays open here too, so an agent that comes and goes does not hang the line up. Nobody
reading is no reason to wait: what does not fit the host's terminal buffer is lost, as on a real
line.

The kernel gives the number of a closed terminal to the next one. So agents are told a name in the
board's folder: one that outlives its board finds nothing there, not the line of another board.
"""

import os
import tty
from pathlib import Path

from simulator.board.line import bytes_waiting

TERMINAL_BUFFER_BYTES = 4095  # of Linux's line discipline


class PtyLink:
    """Far end of a `SerialLine`; `path` is what the agent opens, a symbolic link made here."""

    def __init__(self, path: Path, baud: int) -> None:
        self.baud = baud
        self.dropped_bytes = 0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = path.absolute()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))

    def fileno(self) -> int:
        return self._master

    def read(self, limit: int) -> bytes:
        try:
            return os.read(self._master, limit)
        except BlockingIOError:
            return b""

    def pending(self) -> bool:
        return bytes_waiting(self._master) > 0

    def write(self, data: bytes, more: bool) -> None:  # noqa: ARG002 - a terminal has no gaps
        room = max(0, TERMINAL_BUFFER_BYTES - bytes_waiting(self._slave))
        try:
            sent = os.write(self._master, data[:room]) if room else 0
        except BlockingIOError:
            sent = 0
        self.dropped_bytes += len(data) - sent

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
