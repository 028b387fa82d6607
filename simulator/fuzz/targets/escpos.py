"""The receipt printer's driver: what a printer answers."""

# ruff: noqa: ARG002, ARG005

from simulator.fuzz.rig import Subject as Rig

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HEADER = b"\x37\x22"
LENGTHS = ()
HEALTHY = b"\x12"
JOB = b"\x1b@A001\n\x1dV\x42\x00"
JOB_ID = 0x0123456789ABCDEF
FRAMES = (
    b"\x12\x12\x12\x12",
    b"\x1a\x32\x12\x7e",
    b"\x1a\x16\x12\x12",
    b"\x1a\x52\x1a\x12",
    b"\x12\x12\x12\x1e",
    b"\x37\x22A001\x00",
    b"\x37\x25\x00",
    b"\x37\x23\x40\x00",
    b"\x10\x00\x00\x00",
    b"\x18\x00\x0f\x00",
    b"\x00",
    b"\x0c",
    b"\x11",
    b"\x13",
    b"\x5f1.00\x00",
)
_QUERY = b"\x10\x04"
_TAILS = (b"\x1d\x28", b"\x1d\x72")  # process id, paper status: the end of a job
_DONE = 1
_STATES = 4


class Subject(Rig):
    """Idle, or with a job whose proof is awaited: by process id, or as with a clone."""

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.process_id = True
        super().__init__()

    def make(self) -> "Any":
        module = __import__("firmware.drivers.escpos_printer", None, None, ("EscposPrinter",))
        begun = __import__("firmware.effects", None, None, ("BEGUN_NOW",)).BEGUN_NOW
        return module.EscposPrinter(
            self.port,
            lambda effect, now: begun,
            self._end,
            self.report,
            self.now,
            process_id=self.process_id,
        )

    def _end(self, effect_id: int, outcome: int, detail: int, now: int) -> None:
        self.calls += 1
        self.ends.append(outcome)

    def provoke(self, state: int) -> None:
        state %= _STATES
        self.process_id = state != 3
        self.driver = self.make()
        if state == 0:
            self.next_command()
            return
        self.driver.start(JOB_ID, memoryview(JOB), self.now)
        while self.command[:2] not in _TAILS:
            self.next_command()
            if self.command[:2] == _QUERY:
                self.feed(HEALTHY)
        self.mark = self.command[-4:]
        if state == 1:
            self.next_command()

    def in_step(self) -> bool:
        """From the next query on: it is all that a printer answers at once."""
        while self.command[:2] != _QUERY:
            if self.next_command() < 0:
                return False
        return super().in_step()

    def answer(self, command: bytes) -> bytes:
        return HEALTHY

    def is_heard(self, command: bytes, waited_ms: int, following: bytes) -> bool:
        """Queries come 1, 2, 3, 4; only one that was not answered begins again with 1 at once."""
        number = command[-1]
        if number == 4:
            return waited_ms < 2500
        return following[:2] == _QUERY and following[2] == number + 1

    def wrong(self, data: bytes) -> str:
        if _DONE not in self.ends:
            return ""
        if self.process_id:
            proof = b"\x37\x22" + self.mark + b"\x00"
            return "" if proof in data else "printed, and the id was not answered"
        return "printed by a clone, and no four healthy answers" if len(data) < 5 else ""
