"""The ID card reader's driver."""

# ruff: noqa: RUF005

from protocol.wire import messages
from simulator.fuzz.rig import Subject as Rig

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HEADER = b"\xaa\xaa\xaa\x96\x69"
LENGTHS = ((5, 2),)


def frame(body: bytes) -> bytes:
    """A reply around `body`."""
    counted = (len(body) + 1).to_bytes(2, "big") + body
    check = 0
    for byte in counted:
        check ^= byte
    return HEADER + counted + bytes([check])


FOUND = frame(b"\x00\x00\x9f" + bytes(4))
NO_CARD = frame(b"\x00\x00\x80")
SELECTED = frame(b"\x00\x00\x90" + bytes(8))
DONE = frame(b"\x00\x00\x90")
REFUSALS = tuple(
    frame(b"\x00\x00" + bytes([sw])) for sw in b"\x10\x11\x21\x33\x40\x41\x60\x66\x81\x91"
)
TEXT = b"\x37\x68\x8b\x4f" + b"\x20\x00" * 120 + b"J\x00" + b"\x20\x00" * 5
CARD = frame(b"\x00\x00\x90\x01\x00\x04\x00" + TEXT + bytes(range(256)) * 4)
SHORT = frame(b"\x00\x00\x90\x01\x00\x00\x00" + TEXT)
FRAMES = (FOUND, NO_CARD, SELECTED, DONE) + REFUSALS + (SHORT, CARD)
_LIFTED = {0x20: NO_CARD, 0x30: frame(b"\x00\x00\x41"), 0x11: DONE}
_STATES = 4


class Subject(Rig):
    """Asked for a card, it waits for the answer to a status, find, select or read."""

    def make(self) -> "Any":
        module = __import__("firmware.drivers.sdt_card_reader", None, None, ("SdtCardReader",))
        return module.SdtCardReader(self.port, self.emit, self.report, self.now)

    def provoke(self, state: int) -> None:
        self.driver.start(1, 0, self.now)
        self.next_command()
        for good in (DONE, FOUND, SELECTED)[: state % _STATES]:
            self.feed(good)
            self.next_command()

    def answer(self, command: bytes) -> bytes:
        if command[7:9] == b"\x20\x02":
            return REFUSALS[8]  # select failed
        return _LIFTED[command[7]]

    def is_heard(self, command: bytes, waited_ms: int, following: bytes) -> bool:
        """An answer that was damaged is asked for again at once; searches are 300 ms apart."""
        repeated = following == command and waited_ms < 100
        return waited_ms < self.HEARD_MS_MAX and not repeated

    def wrong(self, data: bytes) -> str:
        for said in self.said:
            if said[0] == messages.CARD and not _is_proven(said[-1], data):
                return "a card whose text came in no sound frame"
        return ""


def _is_proven(text: bytes, data: bytes) -> bool:
    """A frame with the right check in `data` carries this text where it belongs."""
    at = data.find(HEADER)
    while at >= 0:
        length = int.from_bytes(data[at + 5 : at + 7], "big")
        whole = data[at + 5 : at + 7 + length]
        check = 0
        for byte in whole:
            check ^= byte
        if len(whole) == 2 + length and check == 0 and whole[9 : 9 + len(text)] == text:
            return True
        at = data.find(HEADER, at + 1)
    return False
