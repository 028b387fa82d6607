"""The speech driver with a SYN6288: what a module answers."""

# ruff: noqa: ARG002

from protocol.wire import states
from simulator.fuzz.rig import Subject as Rig

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HEADER = b"\x41"
LENGTHS = ()
FRAMES = (
    b"\x41",
    b"\x41\x4e",
    b"\x41\x4f",
    b"\x45",
    b"\x4a",
    b"\x4e",
    b"\x4f",
    b"\x41\x41\x4f\x4f",
)
TEXT = b"\xc7\xeb\xbd\xf8"
_STATES = 4


class Subject(Rig):
    """Asked, or told to speak, or speaking, or told to be silent."""

    FRAMES = "syn6288_frames"
    QUERY = b"\xfd\x00\x02\x21\xde"

    def make(self) -> "Any":
        drivers = "firmware.drivers."
        frames = __import__(drivers + self.FRAMES, None, None, ("STOP",))
        voice = __import__(drivers + "voice", None, None, ("Voice",)).Voice
        return voice(
            self.port, self.emit, self.report, self.now, frames=frames, baud=9600, encoding=1
        )

    def provoke(self, state: int) -> None:
        self.next_command()
        if state % _STATES == 0:
            return
        self.feed(b"\x41\x4f")
        self._say(1)
        if state % _STATES > 1:
            self.feed(b"\x41")
        if state % _STATES > 2:
            self.driver.hush()
            self.next_command()

    def _say(self, number: int) -> None:
        self.driver.say(number, 5, 5, TEXT, self.now)
        self.next_command()

    def answer(self, command: bytes) -> bytes:
        return b"\x41\x4f" if command == self.QUERY else b"\x41"

    def in_step(self) -> bool:
        """A new text is spoken after two good answers at the latest that follow its frame."""
        self.driver.say(2, 5, 5, TEXT, self.now)
        answers = 0
        while answers < 2:
            if self.next_command() < 0:
                return False
            self.feed(self.answer(self.command))
            if TEXT in self.command:
                answers += 1
            if (2, states.SPEECH_STARTED) in [said[1:3] for said in self.said]:
                return True
        return False

    def wrong(self, data: bytes) -> str:
        started = [said[1] for said in self.said if said[2] == states.SPEECH_STARTED]
        if started.count(1) > 1:
            return "one text begun twice"
        return ""
