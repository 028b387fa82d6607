"""A device model plugged into a UART: turns its polled bytes into the far end of a serial line."""

from collections.abc import Callable
from typing import Protocol

OUT_BYTES_MAX = 16384


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
    """Far end of a `SerialLine`. `clock` gives the devices' milliseconds."""

    def __init__(self, device: SerialDevice, clock: Callable[[], float]) -> None:
        self.device = device
        self._clock = clock
        self._out = bytearray()
        self.dropped_bytes = 0

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

    def write(self, data: bytes) -> None:
        self.device.receive(data, self._clock())

    def next_ms(self) -> float | None:
        return self.device.next_ms(self._clock())

    def _collect(self) -> None:
        data = self.device.poll(self._clock())
        room = OUT_BYTES_MAX - len(self._out)
        self._out += data[:room]
        self.dropped_bytes += max(0, len(data) - room)
