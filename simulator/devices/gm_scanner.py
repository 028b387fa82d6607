"""Barcode scanner of the Grow family (GM65, GM812): commands to zones, codes as bare bytes.

| state | event | next | does |
| --- | --- | --- | --- |
| WAITING | 1 written to the trigger zone, mode `command` | READING | lights on |
| READING | a code is in view for decode_ms | WAITING | code and tail go out |
| READING | read_ms without a code, 0 written to the trigger zone | WAITING | lights off |
| any | mode `continuous` or `motion` and a new code in view | same | code and tail go out |

Zones are volatile until saved (type 09); without power the saved ones come back. A command with a
wrong CRC, of an unknown type or broken off for frame_gap_ms is not answered.

Sources: Grow GM65 and GM812 user manuals as transcribed publicly. Not fixed there: times; what 0 at
the trigger does.
"""

import random
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from simulator.devices.faults import Fault
from simulator.devices.uart import COMMON_FAULTS, UartDevice

MANUAL, COMMAND, CONTINUOUS, MOTION = 0, 1, 2, 3
MODE_ZONE, TRIGGER_ZONE, BAUD_ZONE, RESET_ZONE = 0x0000, 0x0002, 0x002A, 0x00D9
RESET_VALUE = 0x50
TYPE_READ, TYPE_WRITE, TYPE_SAVE, TYPE_BEAT = 0x07, 0x08, 0x09, 0x0A
NO_CHECK = 0xABCD
COMMANDS_KEPT_MAX = 1000
CODE_BYTES_MAX = 4296  # a QR code of version 40
DATA_BYTES_MAX = 32
SPEEDS = {9600: 0x0139, 19200: 0x009C, 38400: 0x004E, 57600: 0x0034, 115200: 0x001A}
GM65_TAILS = {0x01: b"\r", 0x21: b"\r\n", 0x41: b"\t", 0x61: b""}
GM812_TAILS = {0: b"\r", 1: b"\n", 2: b"\r\n", 3: b"\t", 4: b""}


@dataclass(frozen=True)
class GrowModel:
    """What differs between two scanners of the family: where the tail is set, what comes with it,
    and the factory's settings."""

    name: str
    tail_zone: int
    tails: dict[int, bytes]
    factory: dict[int, int]


GM65 = GrowModel("GM65", 0x0060, GM65_TAILS, {MODE_ZONE: 0xD4, 0x0060: 0x21})
GM812 = GrowModel("GM812", 0x000E, GM812_TAILS, {MODE_ZONE: 0xD6, 0x000D: 1, 0x000E: 2})


@dataclass(frozen=True)
class ScannerTiming:
    """Milliseconds."""

    answer_ms: tuple[float, float] = (2, 15)
    decode_ms: tuple[float, float] = (60, 250)
    read_ms: float = 5000
    frame_gap_ms: float = 100
    burst_gap_ms: float = 8


def crc_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM, from a table of the polynomial's multiples."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _TABLE[crc >> 8 ^ byte]
    return crc


def _table_entry(byte: int) -> int:
    entry = byte << 8
    for _ in range(8):
        entry = entry << 1 ^ (0x11021 if entry & 0x8000 else 0)
    return entry


_TABLE = [_table_entry(byte) for byte in range(256)]


class GmScanner(UartDevice):
    """The scanner. People use `show(code)` and `take_away()`."""

    FAULTS: ClassVar = {
        **COMMON_FAULTS,
        "no_tail": Fault("a code is sent without its tail"),
        "half_code": Fault("a code breaks off after half of its bytes"),
        "two_codes": Fault("a second code follows right behind the first"),
        "long_code": Fault("a code of 1100 bytes is read instead of the one that is shown"),
        "code_in_reply": Fault("the code is sent within the reply to the trigger"),
        "wrong_checksum": Fault("the last byte of a reply is inverted"),
        "lost_reply": Fault("a command is obeyed and its reply lost"),
        "noise_before_reply": Fault("one noise byte comes before a reply"),
        "settings_lost": Fault("the scanner restarts before it obeys: factory settings"),
        "settings_stuck": Fault("writes are answered and change nothing", condition=True),
        "lens_dirty": Fault("no code is recognised", condition=True),
        "no_check": Fault("replies carry AB CD instead of a CRC", condition=True),
        "other_head": Fault("replies begin with 03", condition=True),
    }

    def __init__(
        self,
        *,
        model: GrowModel = GM65,
        rng: random.Random | None = None,
        timing: ScannerTiming | None = None,
        baud: int = 9600,
    ) -> None:
        super().__init__(baud, rng)
        self.model = model
        self.timing = timing if timing is not None else ScannerTiming()
        self.code: bytes | None = None
        self.commands: deque[bytes] = deque(maxlen=COMMANDS_KEPT_MAX)
        """Well-formed commands in order of arrival, the latest ones."""
        self.codes_sent = 0
        self._saved = self._factory()
        self._zones = dict(self._saved)
        self._frame = bytearray()
        self._last_byte_ms = 0.0
        self._read_until_ms: float | None = None
        self._decoded_at_ms: float | None = None
        self._seen = False

    @property
    def mode(self) -> int:
        """MANUAL, COMMAND, CONTINUOUS or MOTION."""
        return self._zones[MODE_ZONE] & 3

    @property
    def reading(self) -> bool:
        """Its lights are on and it looks for a code."""
        return self._read_until_ms is not None

    @property
    def tail(self) -> bytes:
        """What follows each code."""
        return self.model.tails.get(self._zones[self.model.tail_zone], b"")

    # --- what people do

    def show(self, code: bytes) -> None:
        """Hold a code before it, until `take_away`."""
        if not 0 < len(code) <= CODE_BYTES_MAX:
            raise ValueError(f"a code has 1 to {CODE_BYTES_MAX} bytes, not {len(code)}")
        self.code, self._seen, self._decoded_at_ms = code, False, None
        self._woken()

    def take_away(self) -> None:
        """No code is in view."""
        self.code, self._decoded_at_ms = None, None
        self._woken()

    # --- the line

    def _byte(self, byte: int, now_ms: float) -> None:
        self._tick(now_ms)  # the same whether bytes come one by one or together
        if self._frame and now_ms - self._last_byte_ms > self.timing.frame_gap_ms:
            self._frame.clear()
        self._last_byte_ms = now_ms
        self._frame.append(byte)
        head = bytes(self._frame[:2])
        if not b"\x7e\x00".startswith(head):
            self._frame.clear()
            return
        if len(self._frame) < 4:
            return
        kind, count = self._frame[2], self._frame[3]
        if kind not in (TYPE_READ, TYPE_WRITE, TYPE_SAVE, TYPE_BEAT) or count > DATA_BYTES_MAX:
            self._frame.clear()
            return
        data_bytes = 1 if kind == TYPE_READ else count
        if len(self._frame) == 6 + data_bytes + 2:
            whole = bytes(self._frame)
            self._frame.clear()
            crc = int.from_bytes(whole[-2:], "big")
            if crc in (NO_CHECK, crc_xmodem(whole[2:-2])):
                self._command(whole[2:-2], now_ms)

    def _command(self, body: bytes, now_ms: float) -> None:
        if self.faults.take("settings_lost"):
            self._zones = self._factory()
        self.commands.append(body)
        kind, zone, data = body[0], int.from_bytes(body[2:4], "big"), body[4:]
        answer = b"\x00"
        trigger = False
        if kind == TYPE_READ:
            answer = bytes(self._zones.get(zone + at, 0) for at in range(max(1, data[0])))
        elif kind == TYPE_SAVE:
            self._saved = dict(self._zones)
        elif kind == TYPE_WRITE and "settings_stuck" not in self.faults:
            trigger = zone == TRIGGER_ZONE and self._trigger(data[0], now_ms)
            if zone == RESET_ZONE and data[0] == RESET_VALUE:
                self._zones = self._factory()
            elif zone != TRIGGER_ZONE:
                self._zones.update({zone + at: value for at, value in enumerate(data)})
        self._answer(answer, trigger, now_ms + self.rng.uniform(*self.timing.answer_ms))

    def _trigger(self, value: int, now_ms: float) -> bool:
        """Whether the scanner reads now."""
        if self.mode != COMMAND or not value & 1:
            self._read_until_ms = self._decoded_at_ms = None
            return False
        self._read_until_ms = now_ms + self.timing.read_ms
        self._seen = False
        return True

    def _answer(self, data: bytes, trigger: bool, at_ms: float) -> None:
        body = bytes((0, len(data))) + data
        crc = NO_CHECK if "no_check" in self.faults else crc_xmodem(body)
        head = 3 if "other_head" in self.faults else 2
        reply = bytes((head, 0)) + body + crc.to_bytes(2, "big")
        if self.faults.take("lost_reply"):
            return
        if self.faults.take("wrong_checksum"):
            reply = reply[:-1] + bytes((reply[-1] ^ 0xFF,))
        if self.faults.take("noise_before_reply"):
            reply = b"\xf0" + reply
        if trigger and self.code is not None and self.faults.take("code_in_reply"):
            self._send(reply[:3] + self.code + self.tail + reply[3:], at_ms)
            self._code_was_sent()
            return
        self._send(reply, at_ms)

    # --- codes

    def _in_sight(self) -> bytes | None:
        """The code that it is about to decode."""
        looks = self.reading or self.mode in (CONTINUOUS, MOTION)
        return self.code if looks and not self._seen and "lens_dirty" not in self.faults else None

    def _tick(self, now_ms: float) -> None:
        code = self._in_sight()
        if code is None:
            self._decoded_at_ms = None
        else:
            if self._decoded_at_ms is None:
                self._decoded_at_ms = now_ms + self.rng.uniform(*self.timing.decode_ms)
            if self._decoded_at_ms <= now_ms:
                self._send_code(code, self._decoded_at_ms)
        if self._read_until_ms is not None and self._read_until_ms <= now_ms:
            self._read_until_ms = self._decoded_at_ms = None

    def _send_code(self, code: bytes, at_ms: float) -> None:
        if self.faults.take("long_code"):
            code = bytes(0x30 + at % 10 for at in range(1100))
        data = code + self.tail
        if self.faults.take("no_tail"):
            data = code
        if self.faults.take("half_code"):
            data = code[: len(code) // 2]
        if self.faults.take("two_codes"):
            data += code + self.tail
        self._send(data, at_ms)
        self._code_was_sent()

    def _code_was_sent(self) -> None:
        self.codes_sent += 1
        self._seen = True
        self._read_until_ms = self._decoded_at_ms = None

    def _deadline(self) -> float | None:
        moments = [self._read_until_ms]
        if self._in_sight() is not None:
            at_ms = self._decoded_at_ms
            moments.append(self._now_ms if at_ms is None else at_ms)
        return min((at for at in moments if at is not None), default=None)

    # --- power

    def _factory(self) -> dict[int, int]:
        speed = SPEEDS[self.baud]
        return {**self.model.factory, BAUD_ZONE: speed & 0xFF, BAUD_ZONE + 1: speed >> 8}

    def _power_lost(self) -> None:
        self._frame.clear()
        self._read_until_ms = self._decoded_at_ms = None

    def _power_returned(self) -> None:
        self._zones = dict(self._saved)
