"""ID card reader with a SAM_V module, SDT protocol, as bytes on a serial line.

    host -> reader   AA AA AA 96 69 | length u16 BE | CMD PARA [data]     | XOR
    reader -> host   AA AA AA 96 69 | length u16 BE | SW1 SW2 SW3 [data]  | XOR

Length counts what follows it; the XOR runs from the length to the byte before itself.

| state | event | next | answers (SW3) |
| --- | --- | --- | --- |
| NO_CARD | find | NO_CARD | 80 |
| NO_CARD | select / read | NO_CARD | 81 / 41 |
| NO_CARD | card put down | PRESENT | - |
| PRESENT, FOUND, SELECTED | find | FOUND | 9F |
| FOUND | select | SELECTED | 90 |
| SELECTED, READ | read | READ | 90 and the data |
| SELECTED, READ | read added address | same | 90 and the data, or 91 |
| READ | find | READ | 80, unless `finds_again` (then FOUND, 9F) |
| other | select / read | same | `out_of_order` |
| any | card lifted | NO_CARD | a select or read under way: 81, 41 |

Sources: GA 450 / GA 467 / GA/T 490 family; public SDT tables. Times are engineering values.
"""

import random
from collections import deque
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor
from typing import ClassVar

from simulator.devices.cards import ADDED_ADDRESS_BYTES, Card, field_bytes
from simulator.devices.faults import Fault
from simulator.devices.uart import COMMON_FAULTS, UartDevice

__all__ = ["Card", "ReaderTiming", "SdtReader"]

HEADER = bytes.fromhex("AAAAAA9669")
LENGTH_MIN, LENGTH_MAX = 3, 4096
COMMANDS_QUEUED_MAX = 4
"""Commands that wait behind the one at work; more are lost, as in a module's small buffer."""
COMMANDS_KEPT_MAX = 1000

NO_CARD, PRESENT, FOUND, SELECTED, READ = "NO_CARD", "PRESENT", "FOUND", "SELECTED", "READ"

RESET, STATUS, SAM_NUMBER = b"\x10\xff", b"\x11\xff", b"\x12\xff"
FIND, SELECT = b"\x20\x01", b"\x20\x02"
READ_TEXT, READ_FINGERPRINT, READ_ADDED = b"\x30\x01", b"\x30\x10", b"\x30\x03"
SET_SPEED = 0x60
SPEEDS = {0: 115200, 1: 57600, 2: 38400, 3: 19200, 4: 9600}
CARD_COMMANDS = {FIND, SELECT, READ_TEXT, READ_FINGERPRINT, READ_ADDED}
COMMANDS = CARD_COMMANDS | {RESET, STATUS, SAM_NUMBER} | {bytes((SET_SPEED, n)) for n in SPEEDS}

DONE, FOUND_CARD, NO_ITEM = 0x90, 0x9F, 0x91
BAD_CHECKSUM, BAD_LENGTH, BAD_COMMAND = 0x10, 0x11, 0x21
VERIFY_FAILED, CARD_TYPE, READ_FAILED = 0x33, 0x40, 0x41
SELF_TEST_FAILED, NOT_AUTHORISED, NO_CARD_FOUND, SELECT_FAILED = 0x60, 0x66, 0x80, 0x81

SAMPLE_SAM_NUMBER = bytes.fromhex("0500010030D5330140E2010015CD5B07")
CARD_STATUS_WORDS = b"\x6f\x00"
"""SW1 SW2 that the card itself gives with a failed read or select (ISO 7816: no diagnosis)."""


@dataclass(frozen=True)
class ReaderTiming:
    """Milliseconds; pairs are drawn from evenly for each command."""

    answer_ms: tuple[float, float] = (5, 15)
    reset_ms: tuple[float, float] = (100, 200)
    find_ms: tuple[float, float] = (80, 300)
    select_ms: tuple[float, float] = (50, 150)
    read_ms: tuple[float, float] = (600, 1500)
    frame_gap_ms: float = 500
    """A command whose bytes stop for longer than this is forgotten."""
    split_ms: float = 40
    slow_factor: float = 5
    speed_change_ms: float = 20

    def of(self, command: bytes) -> tuple[float, float]:
        """Shortest and longest time that `command` takes."""
        return {
            RESET: self.reset_ms,
            FIND: self.find_ms,
            SELECT: self.select_ms,
            READ_TEXT: self.read_ms,
            READ_FINGERPRINT: self.read_ms,
            READ_ADDED: self.select_ms,
        }.get(command, self.answer_ms)


@dataclass(frozen=True)
class _Job:
    command: bytes
    due_ms: float
    card_no: int
    lift_ms: float | None = None


def frame(body: bytes) -> bytes:
    """A whole frame around `body` (what stands between length and XOR)."""
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return HEADER + counted + bytes((reduce(xor, counted),))


class SdtReader(UartDevice):
    """The reader. People use `place(card)` and `lift()`."""

    FAULTS: ClassVar = {
        **COMMON_FAULTS,
        "wrong_checksum": Fault("the last byte of a reply is inverted"),
        "truncated_reply": Fault("a reply ends after half of its bytes"),
        "noise_before_header": Fault("three noise bytes come before a reply's header"),
        "header_split": Fault("three bytes of the header, a pause, then the rest of the reply"),
        "slow": Fault("a command takes several times longer than it should"),
        "lost_reply": Fault("a command is obeyed and its reply lost"),
        "card_lifted_mid_read": Fault("the card leaves the field halfway through a read: 41"),
        "read_failed": Fault("a read answers 41 with the card's own SW1 SW2"),
        "select_failed": Fault("a select answers 81"),
        "card_type_unknown": Fault("a select answers 40: a card of another kind"),
        "verify_failed": Fault("a read answers 33: information verification failed"),
        "sam_failed": Fault("SAM self-test failed: every command is answered 60", True),
        "not_authorised": Fault("SAM not authorised: card commands and status answer 66", True),
    }

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: ReaderTiming | None = None,
        baud: int = 115200,
        finds_again: bool = False,
        out_of_order: int = BAD_COMMAND,
        sam_number: bytes = SAMPLE_SAM_NUMBER,
    ) -> None:
        super().__init__(baud, rng)
        self.timing = timing if timing is not None else ReaderTiming()
        self.finds_again = finds_again
        self.out_of_order = out_of_order
        self.sam_number = sam_number
        self.card: Card | None = None
        self.state = NO_CARD
        self.commands: deque[bytes] = deque(maxlen=COMMANDS_KEPT_MAX)
        """Well-formed commands in order of arrival (CMD PARA), the latest ones."""
        self.reads_done = 0
        self._card_no = 0
        self._baud_at_start = baud
        self._new_baud: tuple[float, int] | None = None
        self._frame = bytearray()
        self._last_byte_ms = 0.0
        self._job: _Job | None = None
        self._queue: deque[bytes] = deque()

    # --- what people do

    def place(self, card: Card) -> None:
        """Put a card down; one that lies there already is taken away first."""
        self._card_no += 1
        self.card, self.state = card, PRESENT
        self._woken()

    def lift(self) -> None:
        """Take the card away, if there is one."""
        self._card_no += 1
        self.card, self.state = None, NO_CARD
        self._woken()

    # --- the line

    def _byte(self, byte: int, now_ms: float) -> None:
        if self._frame and now_ms - self._last_byte_ms > self.timing.frame_gap_ms:
            self._frame.clear()
        self._last_byte_ms = now_ms
        self._frame.append(byte)
        size = len(self._frame)
        if size <= len(HEADER):
            while self._frame and not HEADER.startswith(self._frame):
                del self._frame[0]
            return
        if size < 7:
            return
        length = int.from_bytes(self._frame[5:7], "big")
        if not LENGTH_MIN <= length <= LENGTH_MAX:
            self._frame.clear()
            self._refuse(BAD_LENGTH, now_ms)
        elif size == 7 + length:
            whole = bytes(self._frame)
            self._frame.clear()
            self._command(whole, now_ms)

    def _command(self, whole: bytes, now_ms: float) -> None:
        command = whole[7:-1]
        if reduce(xor, whole[5:-1]) != whole[-1]:
            self._refuse(BAD_CHECKSUM, now_ms)
        elif command[:2] not in COMMANDS:
            self._refuse(BAD_COMMAND, now_ms)
        elif len(command) != 2:
            self._refuse(BAD_LENGTH, now_ms)
        else:
            self.commands.append(command)
            if len(self._queue) < COMMANDS_QUEUED_MAX:
                self._queue.append(command)
            self._start(now_ms)

    def _refuse(self, status: int, now_ms: float) -> None:
        self._reply(bytes((0, 0, status)), now_ms + self.timing.answer_ms[0])

    def _start(self, now_ms: float) -> None:
        if self._job is not None or not self._queue:
            return
        command = self._queue.popleft()
        shortest, longest = self.timing.of(command)
        takes_ms = self.rng.uniform(shortest, longest)
        if self.faults.take("slow"):
            takes_ms *= self.timing.slow_factor
        lift_ms = None
        reads = command in (READ_TEXT, READ_FINGERPRINT)
        if reads and self.card is not None and self.faults.take("card_lifted_mid_read"):
            lift_ms = now_ms + takes_ms / 2
        self._job = _Job(command, now_ms + takes_ms, self._card_no, lift_ms)

    def _tick(self, now_ms: float) -> None:
        if self._new_baud is not None and self._new_baud[0] <= now_ms:
            self.baud = self._new_baud[1]
            self._new_baud = None
        while self._job is not None:
            job = self._job
            if job.lift_ms is not None and job.lift_ms <= now_ms:
                self._job = job = replace(job, lift_ms=None)
                if job.card_no == self._card_no:
                    self.lift()
            if job.due_ms > now_ms:
                return
            self._job = None
            self._reply(self._answer(job), job.due_ms)
            self._start(job.due_ms)

    def _deadline(self) -> float | None:
        moments = [] if self._new_baud is None else [self._new_baud[0]]
        if self._job is not None:
            moments += [self._job.due_ms if self._job.lift_ms is None else self._job.lift_ms]
        return min(moments, default=None)

    def _reply(self, body: bytes, at_ms: float) -> None:
        reply = frame(body)
        if self.faults.take("lost_reply"):
            return
        if self.faults.take("wrong_checksum"):
            reply = reply[:-1] + bytes((reply[-1] ^ 0xFF,))
        if self.faults.take("truncated_reply"):
            reply = reply[: len(reply) // 2]
        if self.faults.take("noise_before_header"):
            reply = bytes(self.rng.choice(b"\x00\x55\xaa\xff") for _ in range(3)) + reply
        if self.faults.take("header_split"):
            self._send(reply[:3], at_ms)
            reply, at_ms = reply[3:], at_ms + self.timing.split_ms
        self._send(reply, at_ms)

    # --- what the commands do

    def _answer(self, job: _Job) -> bytes:
        command = job.command
        if "sam_failed" in self.faults:
            return bytes((0, 0, SELF_TEST_FAILED))
        if "not_authorised" in self.faults and (command in CARD_COMMANDS or command == STATUS):
            return bytes((0, 0, NOT_AUTHORISED))
        if command[0] == SET_SPEED:
            self._new_baud = (job.due_ms + self.timing.speed_change_ms, SPEEDS[command[1]])
        if command == RESET and self.card is not None:
            self.state = PRESENT
        if command == SAM_NUMBER:
            return bytes((0, 0, DONE)) + self.sam_number
        if command == FIND:
            return self._find()
        if command == SELECT:
            return self._select(job)
        if command in CARD_COMMANDS:
            return self._read(job)
        return bytes((0, 0, DONE))

    def _find(self) -> bytes:
        if self.card is None or (self.state == READ and not self.finds_again):
            return bytes((0, 0, NO_CARD_FOUND))
        self.state = FOUND
        return bytes((0, 0, FOUND_CARD)) + bytes(4)

    def _select(self, job: _Job) -> bytes:
        if self.card is None or job.card_no != self._card_no:
            return bytes((0, 0, SELECT_FAILED))
        if self.state != FOUND:
            return bytes((0, 0, self.out_of_order))
        if self.faults.take("select_failed"):
            self.state = PRESENT
            return CARD_STATUS_WORDS + bytes((SELECT_FAILED,))
        if self.faults.take("card_type_unknown"):
            self.state = PRESENT
            return bytes((0, 0, CARD_TYPE))
        self.state = SELECTED
        return bytes((0, 0, DONE)) + bytes(8)

    def _read(self, job: _Job) -> bytes:
        card = self.card
        if card is None or job.card_no != self._card_no:
            return bytes((0, 0, READ_FAILED))
        if self.state not in (SELECTED, READ):
            return bytes((0, 0, self.out_of_order))
        if self.faults.take("read_failed"):
            self.state = PRESENT
            return CARD_STATUS_WORDS + bytes((READ_FAILED,))
        if self.faults.take("verify_failed"):
            self.state = PRESENT
            return bytes((0, 0, VERIFY_FAILED))
        if job.command == READ_ADDED:
            if not card.added_address:
                return bytes((0, 0, NO_ITEM))
            added = field_bytes("added address", card.added_address, ADDED_ADDRESS_BYTES)
            return bytes((0, 0, DONE)) + added
        self.state = READ
        self.reads_done += 1
        parts = [card.text, card.photo]
        if job.command == READ_FINGERPRINT:
            parts.append(card.fingerprint)
        sizes = b"".join(len(part).to_bytes(2, "big") for part in parts)
        return bytes((0, 0, DONE)) + sizes + b"".join(parts)

    # --- power

    def _power_lost(self) -> None:
        self._frame.clear()
        self._queue.clear()
        self._job = None
        self._new_baud = None

    def _power_returned(self) -> None:
        self.baud = self._baud_at_start
        self.state = PRESENT if self.card is not None else NO_CARD
