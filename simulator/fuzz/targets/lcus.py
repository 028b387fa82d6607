"""A gate on a LCUS relay board, which answers nothing: whatever comes, a pulse opens the gate."""

# ruff: noqa: ARG005
from simulator.fuzz.rig import Subject as Rig

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HEADER = b"\xa0"
LENGTHS = ()
ON = b"\xa0\x01\x01\xa2"
OFF = b"\xa0\x01\x00\xa1"
FRAMES = (ON, OFF, b"\x00", b"\xff")
_PULSE_MS = 500
_STATES = 2


class Events:
    """Takes what happened."""

    def happened(self, kind: int, tail: bytes, now: int) -> None:
        """A passage, a door."""


class Subject(Rig):
    """Shut, or in the middle of a pulse."""

    def make(self) -> "Any":
        lcus = __import__("firmware.drivers.gate_lcus", None, None, ("LcusRelay",))
        gate = __import__("firmware.drivers.gate", None, None, ("Gate",))
        begun = __import__("firmware.effects", None, None, ("BEGUN_NOW",)).BEGUN_NOW
        relay = lcus.LcusRelay(self.port, 1, None, False, self.now)
        return gate.Gate(
            relay,
            {},
            lambda effect, now: begun,
            lambda effect, outcome, detail, now: None,
            Events(),
            self.report,
            self.now,
            passage_s=10,
            held_s=30,
        )

    def provoke(self, state: int) -> None:
        self.tick(1)
        if state % _STATES:
            self.driver.start(1, _PULSE_MS, self.now)
            self.tick(1)

    def in_step(self) -> bool:
        """A pulse after the one that may be on: opened, and shut again."""
        self.tick(_PULSE_MS + 1)
        self.tick(1)
        if self.driver.busy:
            return False
        self.driver.start(2, _PULSE_MS, self.now)
        self.command = b""
        self.tick(1)
        opened = self.command[:4]
        self.command = b""
        self.tick(_PULSE_MS + 1)
        return opened == ON and OFF in self.command
