"""SYN6288 speech chip as bytes on a serial line.

    FD | length u16 BE | command [parameter] [text <= 200] | XOR       XOR from FD on

| state | event | next | answers |
| --- | --- | --- | --- |
| OFF | power | BOOTING | - |
| BOOTING | boot_ms | IDLE | 4A |
| IDLE, SPEAKING, PAUSED | good speak frame | SPEAKING | 41; speech under way is cut off |
| SPEAKING | speech ends | IDLE | 4F, unasked |
| SPEAKING | pause | PAUSED | 41 |
| PAUSED | resume | SPEAKING | 41 |
| SPEAKING, PAUSED | stop | IDLE | 41, then 4F |
| IDLE / SPEAKING, PAUSED | query | same | 41 4F / 41 4E |
| awake | power down | ASLEEP | 41 |
| ASLEEP | any byte | IDLE after wake_ms | those bytes are lost |
| woken, no good frame for 10 s | - | ASLEEP | - |
| awake | bad XOR, bad length, bytes > 8 ms apart, frame < 8 ms after the last | same | 45 |

Whether 4F follows a stop, and what a frame that starts too early gets, is not in the datasheet;
the answers above are what a careful driver must stand. Source: SYN6288 datasheet V1.7.
"""

import random
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import ClassVar

from simulator.devices.faults import Fault
from simulator.devices.syn6288_text import ENCODINGS, Settings, read_tags
from simulator.devices.uart import COMMON_FAULTS, UartDevice

START = 0xFD
TEXT_BYTES_MAX = 200
LENGTH_MAX = TEXT_BYTES_MAX + 3
SPEAK, STOP, PAUSE, RESUME, QUERY, SET_BAUD, POWER_DOWN = 0x01, 2, 3, 4, 0x21, 0x31, 0x88
BAUDS = {0: 9600, 1: 19200, 2: 38400}
READY, ACCEPTED, REJECTED, BUSY, IDLE = 0x4A, 0x41, 0x45, 0x4E, 0x4F


@dataclass(frozen=True)
class VoiceTiming:
    """Milliseconds. `char_ms` is for one character at speed 4."""

    boot_ms: float = 100
    answer_ms: float = 2
    byte_gap_ms: float = 8
    frame_gap_ms: float = 8
    settle_ms: float = 16
    char_ms: float = 220
    speed_step: float = 0.2
    sleep_again_ms: float = 10_000

    @classmethod
    def for_speed(cls, speed: float, host_jitter_ms: float = 50) -> "VoiceTiming":
        """For a line whose clock runs `speed` times faster than the host that paces its bytes.

        The host's hiccups, not the firmware's, would break the 8 ms rule; here the rule stands
        above what the host may add.
        """
        return cls(byte_gap_ms=cls.byte_gap_ms + speed * host_jitter_ms)

    def speech_ms(self, characters: int, speed: int) -> float:
        """How long `characters` take at speed 0..5."""
        return characters * self.char_ms * (1 + (4 - speed) * self.speed_step)


@dataclass
class Utterance:
    """What a person in front of the terminal heard. `ended_ms` is None while it sounds."""

    text: str
    volume: int
    speed: int
    started_ms: float
    ended_ms: float | None = None
    interrupted: bool = False
    music: int = 0
    chimes: tuple[str, ...] = ()


class Syn6288Voice(UartDevice):
    """The chip and its loudspeaker; `transcript` is all that was audible, in order."""

    FAULTS: ClassVar = {
        **COMMON_FAULTS,
        "voice_busy": Fault("speech never ends: busy stays high, queries answer 4E", True),
        "voice_rejects": Fault("a good speak frame is answered 45"),
        "voice_silent": Fault("neither answers nor speaks, as with a cut line", True),
        "speaker_broken": Fault("answers as if healthy, but nothing is heard", True),
        "idle_lost": Fault("the unasked 4F at the end of speech is not sent"),
        "reply_lost": Fault("a command is obeyed and its 41 lost"),
        "noise_before_reply": Fault("one noise byte comes before a reply"),
        "brown_out": Fault("the chip resets when it starts to speak: 4A, settings gone"),
    }

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: VoiceTiming | None = None,
        baud: int = 9600,
    ) -> None:
        super().__init__(baud, rng)
        self.timing = timing if timing is not None else VoiceTiming()
        self.transcript: list[Utterance] = []
        self.settings = Settings()
        self.frames_rejected = 0
        self._baud_at_start = baud
        self._frame = bytearray()
        self._last_byte_ms = float("-inf")
        self._frame_ended_ms = float("-inf")
        self._frame_early = False
        self._deaf_until_ms: float | None = None
        self._booting = True
        self._asleep = False
        self._sleep_at_ms: float | None = None
        self._current: Utterance | None = None
        self._end_ms: float | None = None
        self._left_ms: float | None = None
        self._new_baud: tuple[float, int] | None = None

    @property
    def busy(self) -> bool:
        """The Ready/Busy pin: high while speaking (and while paused)."""
        return self._end_ms is not None or self._left_ms is not None

    # --- the line

    def _byte(self, byte: int, now_ms: float) -> None:
        if self._asleep:
            self._asleep = False
            self._deaf_until_ms = now_ms + self.timing.settle_ms
            self._sleep_at_ms = now_ms + self.timing.sleep_again_ms
        if self._deaf_until_ms is not None or "voice_silent" in self.faults:
            return
        if not self._frame:
            if byte != START:
                return
            self._frame_early = now_ms - self._frame_ended_ms < self.timing.frame_gap_ms
        self._frame.append(byte)
        self._last_byte_ms = now_ms
        if len(self._frame) < 3:
            return
        length = int.from_bytes(self._frame[1:3], "big")
        if not 2 <= length <= LENGTH_MAX:
            self._reject(now_ms)
        elif len(self._frame) == 3 + length:
            self._whole_frame(now_ms)

    def _reject(self, now_ms: float) -> None:
        self.frames_rejected += 1
        self._frame.clear()
        self._frame_ended_ms = now_ms
        self._answer(bytes((REJECTED,)), now_ms)

    def _whole_frame(self, now_ms: float) -> None:
        frame = bytes(self._frame)
        unsure = self.baud == 38400 and self.busy and self.rng.random() < 0.5
        good = reduce(xor, frame) == 0 and not self._frame_early and not unsure
        if not good or not self._is_known(frame[3:-1]):
            self._reject(now_ms)
            return
        if frame[3] == SPEAK and self.faults.take("voice_rejects"):
            self._reject(now_ms)
            return
        self._frame.clear()
        self._frame_ended_ms = now_ms
        self._sleep_at_ms = None
        self._obey(frame[3], frame[4:-1], now_ms)

    @staticmethod
    def _is_known(body: bytes) -> bool:
        if body[0] == SPEAK:
            return len(body) > 2 and body[1] & 7 in ENCODINGS and body[1] >> 3 <= 15
        if body[0] == SET_BAUD:
            return len(body) == 2 and body[1] in BAUDS
        return len(body) == 1 and body[0] in (STOP, PAUSE, RESUME, QUERY, POWER_DOWN)

    def _answer(self, reply: bytes, now_ms: float) -> None:
        if reply == bytes((ACCEPTED,)) and self.faults.take("reply_lost"):
            return
        if self.faults.take("noise_before_reply"):
            reply = bytes((self.rng.choice((0x00, 0x55, 0xFF)),)) + reply
        self._send(reply, now_ms + self.timing.answer_ms)

    # --- what the commands do

    def _obey(self, command: int, rest: bytes, now_ms: float) -> None:
        if command == QUERY:
            self._answer(bytes((ACCEPTED, BUSY if self.busy else IDLE)), now_ms)
            return
        self._answer(bytes((ACCEPTED,)), now_ms)
        if command == SPEAK:
            self._speak(rest[0], rest[1:], now_ms)
        elif command == STOP and self.busy:
            self._cut_off(now_ms)
            self._say_idle(now_ms)
        elif command == PAUSE and self._end_ms is not None:
            self._left_ms, self._end_ms = self._end_ms - now_ms, None
        elif command == RESUME and self._left_ms is not None:
            self._end_ms, self._left_ms = now_ms + self._left_ms, None
        elif command == SET_BAUD:
            self._new_baud = (now_ms + self.timing.answer_ms + 2, BAUDS[rest[0]])
            self._deaf_until_ms = now_ms + self.timing.settle_ms
        elif command == POWER_DOWN:
            self._cut_off(now_ms)
            self._asleep = True

    def _speak(self, parameter: int, raw: bytes, now_ms: float) -> None:
        self._cut_off(now_ms)
        if self.faults.take("brown_out"):
            self._power_lost()
            self._power_returned()
            return
        spoken = read_tags(raw.decode(ENCODINGS[parameter & 7], "replace"), self.settings)
        self.settings = spoken.settings
        characters = len(spoken.text) + 2 * len(spoken.chimes)
        self._end_ms = now_ms + self.timing.speech_ms(characters, self.settings.speed)
        if characters == 0 or "speaker_broken" in self.faults:
            return
        self._current = Utterance(
            spoken.text,
            self.settings.volume,
            self.settings.speed,
            now_ms,
            music=parameter >> 3,
            chimes=tuple(spoken.chimes),
        )
        self.transcript.append(self._current)

    def _cut_off(self, now_ms: float) -> None:
        """End what sounds now, as interrupted."""
        if self._current is not None:
            self._current.ended_ms = now_ms
            self._current.interrupted = True
        self._current = self._end_ms = self._left_ms = None

    def _say_idle(self, at_ms: float) -> None:
        if not self.faults.take("idle_lost"):
            self._send(bytes((IDLE,)), at_ms + self.timing.answer_ms)

    # --- time and power

    def _tick(self, now_ms: float) -> None:
        if self._new_baud is not None and self._new_baud[0] <= now_ms:
            self.baud, self._new_baud = self._new_baud[1], None
        if self._booting and self._deaf_until_ms is None:
            self._deaf_until_ms = now_ms + self.timing.boot_ms
        if self._deaf_until_ms is not None and self._deaf_until_ms <= now_ms:
            if self._booting and "voice_silent" not in self.faults:
                self._send(bytes((READY,)), self._deaf_until_ms)
            self._booting, self._deaf_until_ms = False, None
        if self._frame and now_ms - self._last_byte_ms > self.timing.byte_gap_ms:
            self._reject(self._last_byte_ms + self.timing.byte_gap_ms)
        if self._end_ms is not None and self._end_ms <= now_ms and not self._hangs:
            ended_ms = self._end_ms
            if self._current is not None:
                self._current.ended_ms = ended_ms
            self._current = self._end_ms = None
            self._say_idle(ended_ms)
        if self._sleep_at_ms is not None and self._sleep_at_ms <= now_ms:
            self._sleep_at_ms, self._asleep = None, True

    @property
    def _hangs(self) -> bool:
        return "voice_busy" in self.faults

    def _deadline(self) -> float | None:
        gap = self._last_byte_ms + self.timing.byte_gap_ms + 0.001 if self._frame else None
        end = None if self._hangs else self._end_ms
        baud = self._new_baud[0] if self._new_baud is not None else None
        boot = float("-inf") if self._booting and self._deaf_until_ms is None else None
        moments = (gap, end, baud, boot, self._deaf_until_ms, self._sleep_at_ms)
        return min((at for at in moments if at is not None), default=None)

    def _power_lost(self) -> None:
        self._cut_off(self._now_ms)
        self._frame.clear()
        self._deaf_until_ms = self._sleep_at_ms = self._new_baud = None
        self._asleep = False
        self._booting = True

    def _power_returned(self) -> None:
        self.settings = Settings()
        self.baud = self._baud_at_start
        self._booting = True
