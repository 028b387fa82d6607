"""The board link's far end without a terminal: a socket pair, for an agent in the same process.

A pseudo terminal needs a kernel worker to move its bytes, which a busy host may not run for
seconds; tests of the firmware alone want none of that.
"""

import asyncio
import socket
from collections.abc import Callable

from simulator.board.line import bytes_waiting


class SocketLink:
    """Far end of a `SerialLine`; `agent` is the other end, a port as pyserial's."""

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self.dropped_bytes = 0
        self._armed = False
        self._on_bytes: Callable[[], None] = lambda: None
        self._plug_in()

    def _plug_in(self) -> None:
        self._near, far = socket.socketpair()
        self._near.setblocking(False)
        self._agent = SocketPort(far)

    def port(self) -> "SocketPort":
        """The agent's end: another one when the last was closed."""
        if self._agent.closed:
            self._disarm()
            self._near.close()
            self._plug_in()
        return self._agent

    def watch(self, on_bytes: Callable[[], None]) -> None:
        """Call `on_bytes` once for each `arm`, when bytes are there."""
        self._on_bytes = on_bytes

    def arm(self) -> None:
        """Everything was read: tell of the next bytes."""
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().add_reader(self._near, self._readable)

    def read(self, limit: int) -> bytes:
        try:
            return self._near.recv(limit)
        except (BlockingIOError, ConnectionResetError):
            return b""

    def pending(self) -> bool:
        return bytes_waiting(self._near.fileno()) > 0

    def write(self, data: bytes, more: bool) -> None:  # noqa: ARG002 - a socket has no gaps
        try:
            sent = self._near.send(data)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            sent = 0
        self.dropped_bytes += len(data) - sent

    def close(self) -> None:
        self._disarm()
        self._near.close()
        self._agent.close()

    def _readable(self) -> None:
        self._disarm()
        if self.pending():  # else the agent's end was closed: there is nothing to come
            self._on_bytes()

    def _disarm(self) -> None:
        if self._armed:
            self._armed = False
            asyncio.get_running_loop().remove_reader(self._near)


class SocketPort:
    """The agent's end: what a `serial.Serial` without time-outs offers."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.closed = False

    @property
    def in_waiting(self) -> int:
        return bytes_waiting(self._end.fileno())

    def read(self, count: int) -> bytes:
        return self._end.recv(count)

    def write(self, data: bytes) -> int:
        try:
            return self._end.send(data)
        except (BlockingIOError, BrokenPipeError):
            return 0

    def close(self) -> None:
        self.closed = True
        self._end.close()
