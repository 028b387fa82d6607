"""One driver, one input: what is fed in, and what must hold afterwards. Runs under CPython and
MicroPython, so that a finding of one can be played in the other.

| checked | how |
| --- | --- |
| no exception | whatever the driver raises is the finding |
| bounded work | it says and sends at most CALLS_A_BYTE things a byte of input, CALLS_SPARE more |
| no false claim | `Subject.wrong`: for example no card, no print, that the input does not prove |
| in step again | of two good answers that follow the second one is heard |

How an input is cut into reads, and in which state it finds the driver, follows from the input
alone: its bytes are all that is needed to play it again.
"""

# ruff: noqa: ARG002, UP037

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

CALLS_A_BYTE = 2
CALLS_SPARE = 16
ANSWERS_MAX = 2
TURNS_MAX = 64
READ_MS = 2
COMMAND_MS_MAX = 15_000

EXCEPTION = "exception"
TOO_MUCH = "too much work"
CLAIM = "false claim"
OUT_OF_STEP = "out of step"


class FindingError(Exception):
    """`kind`: one of the above; the text says what was seen."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Port:
    """Takes everything."""

    def __init__(self) -> None:
        self.out = b""
        self.writes = 0

    def write(self, buf: bytes) -> int:
        self.writes += 1
        self.out += bytes(buf)
        return len(buf)


class Subject:
    """A driver on a line. A target's own sets `self.driver` and says what a good device answers."""

    HEARD_MS_MAX = 1000
    """After a good answer that it heard the driver asks on within this time."""

    def __init__(self) -> None:
        self.now = 1000
        self.port = Port()
        self.calls = 0
        self.said: "list[tuple[Any, ...]]" = []
        self.command = b""
        self.driver = self.make()

    def make(self) -> "Any":
        """The driver."""
        raise NotImplementedError

    def provoke(self, state: int) -> None:
        """Bring the driver into a state in which answers are due; any `state` >= 0 is one."""
        raise NotImplementedError

    def answer(self, command: bytes) -> bytes:
        """What a good device answers to the driver's last command."""
        raise NotImplementedError

    def wrong(self, data: bytes) -> str:
        """What the driver claims after `data` without ground, or ""."""
        return ""

    def is_heard(self, command: bytes, waited_ms: int, following: bytes) -> bool:
        """Whether the good answer to `command` was heard: `following` came `waited_ms` later."""
        return waited_ms < self.HEARD_MS_MAX and following != command

    def emit(self, *said: int, tail: bytes = b"") -> None:
        """A board message of the driver."""
        self.calls += 1
        self.said.append(said + (bytes(tail),))  # noqa: RUF005 - MicroPython

    def report(self, state: int, detail: int) -> None:
        """The driver's word on its device."""
        self.calls += 1

    def feed(self, data: bytes) -> None:
        """One read of the line."""
        self.driver.feed(data, len(data), self.now)

    def tick(self, ms: int) -> None:
        """Let time go by."""
        self.now = (self.now + ms) & 0x3FFFFFFF
        self.driver.tick(self.now)
        if self.port.out:
            self.command, self.port.out = self.port.out, b""

    def next_command(self) -> int:
        """Wait until the driver sends something; the milliseconds that took, -1 when it does not
        within COMMAND_MS_MAX."""
        self.command = b""
        waited = 0
        for _ in range(TURNS_MAX):
            self.tick(0)
            if self.command:
                return waited
            step = max(1, self.driver.deadline(self.now))
            waited += step
            if waited > COMMAND_MS_MAX:
                return -1
            self.tick(step)
            if self.command:
                return waited
        return -1

    def in_step(self) -> bool:
        """Of ANSWERS_MAX good answers the last one at the latest is heard."""
        if not self.command and self.next_command() < 0:
            return False
        for _ in range(ANSWERS_MAX):
            command = self.command
            self.feed(self.answer(command))
            waited = self.next_command()
            if waited < 0:
                return False
            if self.is_heard(command, waited, self.command):
                return True
        return False


def play(make: "Any", data: bytes) -> None:
    """Feed `data` to a new subject. Raises FindingError."""
    subject = make()
    try:
        _play(subject, data)
    except FindingError:
        raise
    except Exception as error:
        raise FindingError(EXCEPTION, repr(error)) from None


def _play(subject: Subject, data: bytes) -> None:
    subject.provoke(data[-1] if data else 0)
    calls = subject.calls + subject.port.writes
    step = 1 + (len(data) * 7 + sum(data[:4])) % 37
    for at in range(0, len(data), step):
        subject.feed(data[at : at + step])
        subject.tick(READ_MS)
    calls = subject.calls + subject.port.writes - calls
    if calls > CALLS_A_BYTE * len(data) + CALLS_SPARE:
        raise FindingError(TOO_MUCH, f"{calls} calls for {len(data)} bytes")
    wrong = subject.wrong(data)
    if wrong:
        raise FindingError(CLAIM, wrong)
    if not subject.in_step():
        raise FindingError(OUT_OF_STEP, "two good answers and none was heard")
