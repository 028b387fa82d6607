"""The barcode scanner's driver."""

from protocol.wire import messages
from simulator.fuzz.rig import Subject as Rig

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HEADER = b"\x02\x00\x00"
LENGTHS = ((3, 1),)
_POLYNOMIAL = 0x1021


def reply(data: bytes) -> bytes:
    """What the scanner answers; CRC-16/XMODEM from the status on."""
    body = b"\x00" + bytes([len(data)]) + data
    crc = 0
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc & 0x8000 else 0)) & 0xFFFF
    return b"\x02\x00" + body + bytes([crc >> 8, crc & 0xFF])


WRITTEN = reply(b"\x00")
CODE = b"TB1/GATE-1/B-017\r"
FRAMES = (
    WRITTEN,
    b"\x03" + WRITTEN[1:],
    b"\x02\x00\x00\x01\x00\xab\xcd",
    reply(b"\x39\x01"),
    reply(b"\xd6"),
    CODE,
    CODE[:-1],
    b"\xc1\xcc\xb9\xab\xb6\xc8\r",
    b"\x02\x00\x00\r",
    b"7" * 200 + b"\r",
    b"7" * 1030 + b"\r",
)
_READ = 0x07
_REPEAT_MS_MAX = 5000  # after this it is a heartbeat or a new round, not the same question again
_STATES = 6


class Subject(Rig):
    """Asked for a code: somewhere between its settings and the trigger, or waiting for one."""

    def make(self) -> "Any":
        module = __import__("firmware.drivers.gm_scanner", None, None, ("GmScanner",))
        model = __import__("firmware.models.gm65", None, None, ("ZONES",))
        self.zones = module.zones_of(model, 9600)
        return module.GmScanner(self.port, self.emit, self.report, self.now, zones=self.zones)

    def provoke(self, state: int) -> None:
        self.driver.start(1, 0, self.now)
        self.next_command()
        for _ in range(state % _STATES):
            self.feed(self.answer(self.command))
            self.next_command()

    def answer(self, command: bytes) -> bytes:
        if command[2] != _READ:
            return WRITTEN
        number = command[4] << 8 | command[5]
        for zone, mask, value in self.zones:
            if zone == number:
                return reply(bytes((value & 0xFF, value >> 8))[: 2 if mask > 0xFF else 1])
        return WRITTEN

    def in_step(self) -> bool:
        """From the next command on; an open one is sent again."""
        self.command = b""
        return super().in_step()

    def is_heard(self, command: bytes, waited_ms: int, following: bytes) -> bool:
        """A command that was not answered is sent again."""
        return following != command or waited_ms > _REPEAT_MS_MAX

    def wrong(self, data: bytes) -> str:
        for said in self.said:
            if said[0] == messages.SCAN and not _comes_from(said[-1], data):
                return "a code whose bytes did not come"
        return ""


def _comes_from(code: bytes, data: bytes) -> bool:
    """Its bytes stand in `data` in this order; a reply may have come in between."""
    at = 0
    for byte in code:
        at = data.find(bytes([byte]), at) + 1
        if not at:
            return False
    return True
