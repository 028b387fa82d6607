"""Relay board of the LCUS type, 9600 8N1: `A0 | channel | 01 on, 00 off | low byte of the sum`.

The basic type answers nothing. `contact` is a second contact of the relay that a careful installer
wires back. Source: public descriptions of the boards; two of them agree. Not fixed there: what
follows a broken frame (here: bytes are dropped until the next A0).
"""

import random
from collections.abc import Callable
from typing import ClassVar

from simulator.devices.faults import Fault
from simulator.devices.uart import COMMON_FAULTS, UartDevice

START, ON, OFF = 0xA0, 1, 0
FRAME_BYTES = 4
SWITCH_MS = 8.0  # coil to contact


class LcusRelay(UartDevice):
    """`on_change(level, now_ms)` is called when the contact of `channel` moves."""

    FAULTS: ClassVar = {
        "power_off": COMMON_FAULTS["power_off"],
        "lost_command": Fault("a command does not arrive"),
        "coil_dead": Fault("the contact does not close", condition=True),
        "welded": Fault("the contact does not open again", condition=True),
        "feedback_dead": Fault("the contact that is wired back never closes", condition=True),
    }

    def __init__(self, *, channel: int = 1, rng: random.Random | None = None) -> None:
        super().__init__(9600, rng)
        self.channel = channel
        self.on_change: Callable[[int, float], None] | None = None
        self.commands: list[bytes] = []
        self._closed = False
        self._frame = bytearray()
        self._moves: list[tuple[float, bool]] = []

    @property
    def closed(self) -> bool:
        """The contact that the gate sees."""
        return self._closed

    @property
    def contact(self) -> bool:
        """The contact that is wired back."""
        return self._closed and "feedback_dead" not in self.faults

    def _byte(self, byte: int, now_ms: float) -> None:
        if not self._frame and byte != START:
            return
        self._frame.append(byte)
        if len(self._frame) < FRAME_BYTES:
            return
        frame = bytes(self._frame)
        self._frame.clear()
        whole = sum(frame[:3]) & 0xFF == frame[3] and frame[2] in (ON, OFF)
        if not whole or self.faults.take("lost_command"):
            return
        self.commands.append(frame)
        if frame[1] == self.channel:
            self._moves.append((now_ms + SWITCH_MS, frame[2] == ON))

    def _tick(self, now_ms: float) -> None:
        while self._moves and self._moves[0][0] <= now_ms:
            at_ms, closes = self._moves.pop(0)
            self._move(closes, at_ms)

    def _move(self, closes: bool, at_ms: float) -> None:
        if closes and "coil_dead" in self.faults:
            return
        if not closes and "welded" in self.faults:
            return
        if closes != self._closed:
            self._closed = closes
            if self.on_change is not None:
                self.on_change(int(closes), at_ms)

    def _deadline(self) -> float | None:
        return self._moves[0][0] if self._moves else None

    def _power_lost(self) -> None:
        self._frame.clear()
        self._moves.clear()
        self._move(False, self._now_ms)

    def _power_returned(self) -> None:
        """The coil stays off."""
