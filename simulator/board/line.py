"""One serial line between a board's UART and what is plugged into it: pace, receive FIFO, overflow.

Bytes travel at `baud * speed`. Towards the board they land in a hardware FIFO followed by the
driver's `rxbuf`; what finds no room is lost and counted, as on a board. How full they are is asked
of the kernel (FIONREAD on our copy of the board's end), so the firmware under test reads a bare
descriptor and nothing is buffered twice.

The line may be slower than its baud when the host is busy, never faster. A late parent makes up for
lost time only as far as half the FIFO, so that its own delay cannot overflow it.
"""

import contextlib
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Protocol

BITS_A_BYTE = 10  # 8N1
IDLE_CREDIT_MS = 1.0
LATE_MS_MAX = 50.0
BAUD_ERROR_MAX = 0.03
SEND_BUFFER_BYTES = 1  # the kernel rounds up to its least, about 2 KiB
_GARBLED = bytes((byte * 5 + 0x93) & 0xFF for byte in range(256))


class FarEnd(Protocol):
    """What is plugged into a UART."""

    baud: int

    def read(self, limit: int) -> bytes:
        """At most `limit` bytes that now leave for the board."""

    def write(self, data: bytes, more: bool) -> None:
        """Bytes that arrived from the board; `more` follow them without a gap."""

    def pending(self) -> bool:
        """More bytes are ready to leave for the board."""


def bytes_waiting(fd: int) -> int:
    """How many bytes can be read from this descriptor."""
    answer = fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0")
    return int(struct.unpack("i", answer)[0])


class SerialLine:
    """`fifo_bytes` is the hardware's; `fifo_scale` keeps its milliseconds the same when devices run
    faster."""

    def __init__(
        self, uart: int, far: FarEnd, *, speed: float, fifo_bytes: int, fifo_scale: float = 1
    ) -> None:
        self.uart = uart
        self.far = far
        # Called between reading and delivering: settings the board made before those bytes come
        # first.
        self.before_delivery: Callable[[], None] = lambda: None
        self.after_delivery: Callable[[], None] = lambda: None
        """Called when the board has got bytes."""
        self.speed = speed
        self.fifo_bytes = int(fifo_bytes * fifo_scale)
        self.fifo_scale = fifo_scale
        self.overflow_bytes = 0
        self.unheard_bytes = 0
        self.garbled_bytes = 0
        self.bytes_to_board = 0
        self.bytes_from_board = 0
        self.near: socket.socket | None = None
        self._board_end: socket.socket | None = None
        self._board_baud = 0
        self._capacity = 0
        self._capacity_in_erase: int | None = None
        # In the FIFO too, but not in the kernel yet, which counts hundreds of bytes a small send.
        self._held = bytearray()
        self._credit_to = 0.0
        self._credit_from = 0.0
        self._busy_to = self._busy_from = False

    def connect(self) -> socket.socket:
        """A new life of the board: fresh, empty buffers. Returns the board's end, to be inherited
        by its process."""
        self.disconnect()
        self.near, self._board_end = socket.socketpair()
        self.near.setblocking(False)
        self._board_end.setblocking(False)
        self._board_end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return self._board_end

    def disconnect(self) -> None:
        for end in (self.near, self._board_end):
            if end is not None:
                end.close()
        self.near = self._board_end = None
        self._board_baud = self._capacity = 0
        self._capacity_in_erase = None
        self._held.clear()

    def configure(self, baud: int, rxbuf_bytes: int) -> None:
        """The firmware set its UART up; 0 baud switches it off."""
        self._board_baud = baud
        self._capacity = self.fifo_bytes + int(rxbuf_bytes * self.fifo_scale)

    def erase(self, running: bool) -> None:
        """While the flash erases, interrupts are off: nothing moves from the FIFO into the driver's
        buffer."""
        self._capacity_in_erase = None
        if running and self._board_end is not None:
            received = bytes_waiting(self._board_end.fileno()) + len(self._held)
            in_buffer = max(0, received - self.fifo_bytes)
            self._capacity_in_erase = min(self._capacity, in_buffer + self.fifo_bytes)

    def pump(self, elapsed_ms: float, board_ms: float) -> bool:
        """Move what the elapsed time allows; `board_ms` is the part of it in which the host let the
        board run.

        Returns True while bytes are under way, so that the caller comes back within a millisecond
        or so.
        """
        busy_to = self._pump_to_board(min(board_ms, LATE_MS_MAX))
        busy_from = self._pump_from_board(min(elapsed_ms, LATE_MS_MAX))
        return busy_to or busy_from

    def _bytes_a_ms(self) -> float:
        return self.far.baud * self.speed / BITS_A_BYTE / 1000

    def _pump_to_board(self, elapsed_ms: float) -> bool:
        rate = self._bytes_a_ms()
        self._credit_to += rate * (elapsed_ms if self._busy_to else min(elapsed_ms, IDLE_CREDIT_MS))
        self._credit_to = min(self._credit_to, max(rate * IDLE_CREDIT_MS + 1, self._capacity / 2))
        data = self.far.read(int(self._credit_to)) if self._credit_to >= 1 else b""
        self._credit_to -= len(data)
        self._busy_to = self.far.pending()
        if not self._busy_to:
            self._credit_to = 0.0
        if data:
            self._into_fifo(data)
        self._flush()
        return self._busy_to or bool(self._held)

    def _into_fifo(self, data: bytes) -> None:
        if self.near is None or self._board_end is None or self._board_baud == 0:
            self.unheard_bytes += len(data)
            return
        capacity = self._capacity_in_erase
        if capacity is None:
            capacity = self._capacity
        room = max(0, capacity - bytes_waiting(self._board_end.fileno()) - len(self._held))
        taken = self._through_wire(data[:room])
        self.overflow_bytes += len(data) - len(taken)
        self.bytes_to_board += len(taken)
        self._held += taken

    def _flush(self) -> None:
        if self._held and self.near is not None:
            with contextlib.suppress(BlockingIOError):
                del self._held[: self.near.send(self._held)]
                self.after_delivery()

    def _pump_from_board(self, elapsed_ms: float) -> bool:
        if self.near is None:
            return False
        rate = self._bytes_a_ms()
        was_busy = self._busy_from
        self._credit_from += rate * (elapsed_ms if was_busy else min(elapsed_ms, IDLE_CREDIT_MS))
        self._busy_from = True
        allowed = int(self._credit_from)
        if allowed == 0:
            return True
        try:
            data = self.near.recv(allowed)
        except (BlockingIOError, ConnectionResetError):
            data = b""
        self._credit_from -= len(data)
        self._busy_from = len(data) == allowed
        if data or was_busy:
            self.before_delivery()
            self.bytes_from_board += len(data)
            self.far.write(self._through_wire(data), self._busy_from)
        if not self._busy_from:
            self._credit_from = 0.0
        return self._busy_from

    def _through_wire(self, data: bytes) -> bytes:
        if abs(self._board_baud - self.far.baud) <= self.far.baud * BAUD_ERROR_MAX:
            return data
        self.garbled_bytes += len(data)
        return data.translate(_GARBLED)
