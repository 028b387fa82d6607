"""A device model plugged into a UART: turns its polled bytes into the far end of a serial line."""

from collections.abc import Callable
from typing import Protocol

from simulator.board.line import BITS_A_BYTE

OUT_BYTES_MAX = 65_536
PIECE_MS = 2.0


class SerialDevice(Protocol):
    """A byte-level device model. Times are milliseconds of the devices' own clock."""

    baud: int

    def receive(self, data: bytes, now_ms: float) -> None:
        """Bytes from the board."""

    def poll(self, now_ms: float) -> bytes:
        """Bytes the device sends now."""

    def next_ms(self, now_ms: float) -> float | None:
        """When to poll again, None while only `receive` can change anything."""


class DeviceEnd:
    """Far end of a `SerialLine`. `clock` gives the devices' milliseconds.

    While bytes of a burst arrive, the device's clock runs with the line: a host that comes late by
    a few milliseconds must not look like a gap between two bytes, which some devices refuse.
    """

    def __init__(self, device: SerialDevice, clock: Callable[[], float]) -> None:
        self.device = device
        self.dropped_bytes = 0
        self._clock = clock
        self._out = bytearray()
        self._now_ms = 0.0
        self._in_burst = False

    @property
    def baud(self) -> int:
        return self.device.baud

    @baud.setter
    def baud(self, value: int) -> None:
        self.device.baud = value

    def read(self, limit: int) -> bytes:
        self._collect()
        data = bytes(self._out[:limit])
        del self._out[:limit]
        return data

    def pending(self) -> bool:
        self._collect()
        return bool(self._out)

    def write(self, data: bytes, more: bool) -> None:
        byte_ms = BITS_A_BYTE * 1000 / self.device.baud
        piece_bytes = max(1, int(PIECE_MS / byte_ms))
        now_ms = self._time()
        for start in range(0, len(data), piece_bytes):
            piece = data[start : start + piece_bytes]
            if self._in_burst:
                now_ms += len(piece) * byte_ms
            self._in_burst = True
            self._now_ms = now_ms
            self.device.receive(piece, now_ms)
        self._in_burst = more

    def next_ms(self) -> float | None:
        """When the device wants to act next, by `clock`."""
        return self.device.next_ms(self._time())

    def _time(self) -> float:
        """The device's own time: never back, and in a burst no further than its bytes."""
        if not self._in_burst:
            self._now_ms = max(self._now_ms, self._clock())
        return self._now_ms

    def _collect(self) -> None:
        data = self.device.poll(self._time())
        room = OUT_BYTES_MAX - len(self._out)
        self._out += data[:room]
        self.dropped_bytes += max(0, len(data) - room)
