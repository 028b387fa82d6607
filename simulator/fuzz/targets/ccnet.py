"""The bill acceptor's driver, without the desk that answers for the notes."""

# ruff: noqa: ARG002, RUF005

from simulator.fuzz.rig import Subject as Rig

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HEADER = b"\x02\x03"
LENGTHS = ((2, 1),)
_POLYNOMIAL = 0x8408


def frame(data: bytes) -> bytes:
    """An answer around `data`; CRC-16/KERMIT, low byte first."""
    counted = HEADER + bytes([len(data) + 5]) + data
    crc = 0
    for byte in counted:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return counted + bytes([crc & 0xFF, crc >> 8])


ACK = frame(b"\x00")
NAK = frame(b"\xff")
IDLING = frame(b"\x14")
_STATES = b"\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x30\x41\x42\x43\x44\x45\x46"
IDENTITY = frame(b"PART NUMBER 123" + b"SERIAL 00001" + b"\x01\x02\x03\x04\x05\x06\x07")
BILLS = frame((b"\x01CHN\x00" + b"\x05CHN\x00" + b"\x01CHN\x01") * 8)
_WITH_ARGUMENT = (b"\x1b\x05", b"\x1c\x65", b"\x47\x50", b"\x80\x02", b"\x80\x00", b"\x80\x17")
_ENDS = (b"\x81\x02", b"\x82\x02")
FRAMES = (
    (ACK, NAK, IDENTITY, BILLS)
    + tuple(frame(bytes([state])) for state in _STATES)
    + tuple(frame(two) for two in _WITH_ARGUMENT + _ENDS)
)
_POLL, _IDENTIFICATION, _BILL_TABLE = 0x33, 0x37, 0x41
_ENABLE = HEADER + b"\x0c\x34"
_PROVOCATIONS = (b"", frame(b"\x19"), IDLING, frame(b"\x80\x02"), frame(b"\x10"))


class Owner:
    """Takes every note state as it is told; `told` is what the driver claimed."""

    may_reset = True
    wants_rest = False

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def polled(self, state: int, argument: int, now: int) -> bool:
        """Acknowledge it."""
        self.told.append(bytes([state]))
        return True

    def offline(self, now: int) -> None:
        """The driver says so."""


class Subject(Rig):
    """Polled, in one of the states in which the driver sends something else next."""

    def make(self) -> "Any":
        module = __import__("firmware.drivers.ccnet_acceptor", None, None, ("CcnetAcceptor",))
        driver = module.CcnetAcceptor(self.port, self.report, self.now)
        self.owner = driver.owner = Owner()
        self.asked = b""
        self.heard_of = 0
        return driver

    def provoke(self, state: int) -> None:
        self.driver.want(0x3F)
        self.next_command()
        before = _PROVOCATIONS[state % len(_PROVOCATIONS)]
        if before:
            self.feed(before)
            self._next_but_ack()
        self.owner.told = []

    def tick(self, ms: int) -> None:
        """What was sent last is the command; `asked` what a NAK asks for again."""
        super().tick(ms)
        if self.command:
            enables = self.command[-12:-8] == _ENABLE
            self.command = self.command[-12 if enables else -6 :]
            if self.command not in (ACK, NAK):
                self.asked = self.command

    def _next_but_ack(self) -> int:
        waited = self.next_command()
        while waited >= 0 and self.command == ACK:
            waited = self.next_command()
        return waited

    def answer(self, command: bytes) -> bytes:
        known = {_POLL: IDLING, _IDENTIFICATION: IDENTITY, _BILL_TABLE: BILLS}
        self.heard_of = self.asked[3]
        self.owner.told = []
        return known.get(self.heard_of, ACK)

    def in_step(self) -> bool:
        """From the command on that waits for an answer."""
        if not self.driver.is_exchanging:
            self._next_but_ack()
        return super().in_step()

    def is_heard(self, command: bytes, waited_ms: int, following: bytes) -> bool:
        """What the answer says is known to the driver."""
        asked = self.heard_of
        if asked == _POLL:
            return bool(self.owner.told)
        if asked == _IDENTIFICATION:
            return self.driver.identity is not None
        return self.driver.bills.known if asked == _BILL_TABLE else self.driver.in_force is not None

    def wrong(self, data: bytes) -> str:
        for state in self.owner.told:
            if not _is_proven(state, data):
                return f"a state {state.hex()} that no sound frame says"
        return ""


def _is_proven(state: bytes, data: bytes) -> bool:
    """A whole frame of one or two bytes of data with this state is there."""
    if frame(state) in data:
        return True
    at = data.find(HEADER + b"\x07" + state)
    while at >= 0:
        if data[at : at + 7] == frame(data[at + 3 : at + 5]):
            return True
        at = data.find(HEADER + b"\x07" + state, at + 1)
    return False
