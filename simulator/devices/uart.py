"""What all devices on a serial line share: a queue of bytes to send, power, waking the board.

A device does no I/O and has no clock. Whoever owns the line calls

    receive(data, now_ms)   bytes that arrived at the device
    poll(now_ms)            bytes that the device has sent by now
    next_ms(now_ms)         the moment (same clock) to poll again; None: not before the next receive
    baud                    the speed of the line now

`now_ms` never goes back. What people do (a card put down, a roll changed) takes effect at the next
of these calls; `wake`, if set, is called so that the owner of the line makes it soon.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from simulator.devices.faults import Fault, Faults

PENDING_BYTES_MAX = 65_536
"""Bytes waiting to be polled; what a device would send beyond this is lost and counted."""

COMMON_FAULTS: Mapping[str, Fault] = {
    "silence": Fault("no answer leaves the device; it works otherwise", condition=True),
    "power_off": Fault("dead line; all volatile state is lost; removed = switched on", True),
}


class UartDevice(ABC):
    """Base of the models on a serial line. Randomness comes from `rng` only."""

    FAULTS: ClassVar[Mapping[str, Fault]] = COMMON_FAULTS

    def __init__(self, baud: int, rng: random.Random | None) -> None:
        self.baud = baud
        self.rng = rng if rng is not None else random.Random(0)
        self.faults = Faults(self.FAULTS)
        self.faults.on_change = self._woken
        self.wake: Callable[[], None] | None = None
        self.bytes_unsent = 0
        self._pending: list[tuple[float, bytes]] = []
        self._pending_bytes = 0
        self._off = False
        self._now_ms = 0.0

    def receive(self, data: bytes, now_ms: float) -> None:
        """Take bytes from the line."""
        self._sync(now_ms)
        if self._off:
            return
        for byte in data:
            self._byte(byte, now_ms)
        self._tick(now_ms)

    def poll(self, now_ms: float) -> bytes:
        """Bytes sent up to now."""
        self._sync(now_ms)
        due = [data for at, data in self._pending if at <= now_ms]
        self._pending = [entry for entry in self._pending if entry[0] > now_ms]
        sent = b"".join(due)
        self._pending_bytes -= len(sent)
        return sent

    def next_ms(self, now_ms: float) -> float | None:
        """When to poll again, on the clock of `now_ms`."""
        own = None if self._off else self._deadline()
        moments = [at for at, _ in self._pending] + ([] if own is None else [own])
        return max(now_ms, min(moments)) if moments else None

    # --- for the models

    def _send(self, data: bytes, at_ms: float) -> None:
        """Queue bytes that leave the device at `at_ms`."""
        if "silence" in self.faults:
            return
        if self._pending_bytes + len(data) > PENDING_BYTES_MAX:
            self.bytes_unsent += len(data)
            return
        last_ms = self._pending[-1][0] if self._pending else at_ms
        self._pending.append((max(at_ms, last_ms), data))  # a line never reorders
        self._pending_bytes += len(data)

    def _sync(self, now_ms: float) -> None:
        """Follow the power switch, then let time pass."""
        self._now_ms = now_ms
        off = "power_off" in self.faults
        if off and not self._off:
            self._pending.clear()
            self._pending_bytes = 0
            self._power_lost()
        if self._off and not off:
            self._off = False
            self._power_returned()
        self._off = off
        if not off:
            self._tick(now_ms)

    def _woken(self) -> None:
        if self.wake is not None:
            self.wake()

    @abstractmethod
    def _byte(self, byte: int, now_ms: float) -> None: ...

    @abstractmethod
    def _tick(self, now_ms: float) -> None: ...

    @abstractmethod
    def _deadline(self) -> float | None: ...

    @abstractmethod
    def _power_lost(self) -> None: ...

    @abstractmethod
    def _power_returned(self) -> None: ...
