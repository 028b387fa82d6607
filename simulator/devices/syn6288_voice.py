"""SYN6288 speech chip as bytes on a serial line.

    FD | length u16 BE | command [parameter] [text <= 200] | XOR       XOR from FD on

| state | event | next | answers |
| --- | --- | --- | --- |
| awake | good speak, stop, pause, resume | as speech_chip.py | 41 before |
| IDLE / SPEAKING, PAUSED | query | same | 41 4F / 41 4E |
| awake | power down | ASLEEP | 41 |
| ASLEEP | any byte | IDLE after wake_ms | those bytes are lost |
| woken, no good frame for 10 s | - | ASLEEP | - |
| awake | bad XOR, bad length, bytes > 8 ms apart, frame < 8 ms after the last | same | 45 |

Whether 4F follows a stop, and what a frame that starts too early gets, is not in the datasheet;
the answers above are what a careful driver must stand. Source: SYN6288 datasheet V1.7.
"""

import random
from functools import reduce
from operator import xor

from simulator.devices.speech_chip import (
    ACCEPTED,
    BUSY,
    IDLE,
    SpeechChip,
    Utterance,
    VoiceTiming,
)
from simulator.devices.syn6288_text import ENCODINGS, Settings, read_tags

START = 0xFD
TEXT_BYTES_MAX = 200
LENGTH_MAX = TEXT_BYTES_MAX + 3
SPEAK, STOP, PAUSE, RESUME, QUERY, SET_BAUD, POWER_DOWN = 0x01, 2, 3, 4, 0x21, 0x31, 0x88
BAUDS = {0: 9600, 1: 19200, 2: 38400}


class Syn6288Voice(SpeechChip):
    """The chip and its loudspeaker."""

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: VoiceTiming | None = None,
        baud: int = 9600,
    ) -> None:
        super().__init__(baud, rng, timing)
        self.settings = Settings()
        self._frame_early = False
        self._sleep_at_ms: float | None = None
        self._new_baud: tuple[float, int] | None = None

    # --- the line

    def _byte(self, byte: int, now_ms: float) -> None:
        if self._asleep:
            self._asleep = False
            self._deaf_until_ms = now_ms + self.timing.settle_ms
            self._sleep_at_ms = now_ms + self.timing.sleep_again_ms
        if self._hears_nothing:
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

    def _whole_frame(self, now_ms: float) -> None:
        frame = bytes(self._frame)
        unsure = self.baud == 38400 and self.busy and self.rng.random() < 0.5
        good = reduce(xor, frame) == 0 and not self._frame_early and not unsure
        if (
            not good
            or not self._is_known(frame[3:-1])
            or (frame[3] == SPEAK and self.faults.take("voice_rejects"))
        ):
            self._reject(now_ms)
        else:
            self._end_frame(now_ms)
            self._sleep_at_ms = None
            self._obey(frame[3], frame[4:-1], now_ms)

    @staticmethod
    def _is_known(body: bytes) -> bool:
        if body[0] == SPEAK:
            return len(body) > 2 and body[1] & 7 in ENCODINGS and body[1] >> 3 <= 15
        if body[0] == SET_BAUD:
            return len(body) == 2 and body[1] in BAUDS
        return len(body) == 1 and body[0] in (STOP, PAUSE, RESUME, QUERY, POWER_DOWN)

    # --- what the commands do

    def _obey(self, command: int, rest: bytes, now_ms: float) -> None:
        if command == QUERY:
            self._answer(bytes((ACCEPTED, BUSY if self.busy else IDLE)), now_ms)
            return
        self._answer(bytes((ACCEPTED,)), now_ms)
        if command == SPEAK:
            self._speak(rest[0], rest[1:], now_ms)
        elif command == STOP:
            self._stop(now_ms)
        elif command == PAUSE:
            self._pause(now_ms)
        elif command == RESUME:
            self._resume(now_ms)
        elif command == SET_BAUD:
            self._new_baud = (now_ms + self.timing.answer_ms + 2, BAUDS[rest[0]])
            self._deaf_until_ms = now_ms + self.timing.settle_ms
        elif command == POWER_DOWN:
            self._cut_off(now_ms)
            self._asleep = True

    def _speak(self, parameter: int, raw: bytes, now_ms: float) -> None:
        if self.faults.take("brown_out"):
            self._restart()
            return
        spoken = read_tags(raw.decode(ENCODINGS[parameter & 7], "replace"), self.settings)
        self.settings = spoken.settings
        heard = Utterance(
            spoken.text,
            self.settings.volume,
            self.settings.speed,
            now_ms,
            music=parameter >> 3,
            chimes=tuple(spoken.chimes),
        )
        characters = len(spoken.text) + 2 * len(spoken.chimes)
        self._sound(heard, characters, Settings().speed - self.settings.speed)

    # --- time and power

    def _tick(self, now_ms: float) -> None:
        if self._new_baud is not None and self._new_baud[0] <= now_ms:
            self.baud, self._new_baud = self._new_baud[1], None
        super()._tick(now_ms)
        if self._sleep_at_ms is not None and self._sleep_at_ms <= now_ms:
            self._sleep_at_ms, self._asleep = None, True

    def _deadline(self) -> float | None:
        baud = self._new_baud[0] if self._new_baud is not None else None
        moments = (super()._deadline(), baud, self._sleep_at_ms)
        return min((at for at in moments if at is not None), default=None)

    def _power_lost(self) -> None:
        super()._power_lost()
        self._sleep_at_ms = self._new_baud = None

    def _forget_settings(self) -> None:
        self.settings = Settings()
