"""XFS5152CE speech chip, and chips that speak like it, as bytes on a serial line.

    FD | length u16 BE | command [encoding text <= 4096]            no checksum

| state | event | next | answers |
| --- | --- | --- | --- |
| awake | good speak, stop, pause, resume | as speech_chip.py | 41 before |
| awake | query | same | 41 4F idle, 41 4E speaking or paused |
| awake | sleep 88 | ASLEEP | 41; speech is cut off |
| awake | wake FF | same | 41 |
| ASLEEP | wake FF | IDLE after wake_ms | 41; frames in between are lost |
| ASLEEP | any other frame | ASLEEP | - |
| awake | unknown command, bad length, bytes further apart than byte_gap_ms | same | 45 |

Without a checksum a damaged text is spoken as it came, and a lost byte makes the chip wait until
the gap. Tags: `[v0..9]` volume, `[s0..9]` speed, `[t0..9]` tone, all 5 at first; `[m3]` usual and
`[m5x]` other voices; `[d]` all as at first. Settings stay until reset. What looks like a tag and is
none is read aloud. Prompts: sound101.., sound2xx, sound3xx.

Sources: public drivers of this family of chips. Sleep and wake, times, and what a wrong length gets
are not in them: engineering values.
"""

import random
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from simulator.devices.faults import Fault
from simulator.devices.speech_chip import (
    ACCEPTED,
    BUSY,
    IDLE,
    SPEECH_FAULTS,
    SpeechChip,
    Utterance,
    VoiceTiming,
)

START = 0xFD
TEXT_BYTES_MAX = 4096
SPEAK, STOP, PAUSE, RESUME, QUERY, SLEEP, WAKE = 0x01, 2, 3, 4, 0x21, 0x88, 0xFF
ENCODINGS = {0: "gb2312", 1: "gbk", 2: "big5", 3: "utf-16-le"}
PROMPT = re.compile(r"sound[123]\d\d")
USUAL_VOICE = "3"
_TAG = re.compile(r"\[(?:v(?P<volume>\d)|s(?P<speed>\d)|t(?P<tone>\d)|m(?P<voice>3|5\d)|d)\]")


@dataclass(frozen=True)
class Settings:
    """What tags set; the defaults are those after reset."""

    volume: int = 5
    speed: int = 5
    tone: int = 5
    voice: str = USUAL_VOICE


def read_tags(text: str, settings: Settings) -> tuple[str, Settings]:
    """`text` without its tags, and the settings that hold from its end on."""

    def obey(match: re.Match[str]) -> str:
        nonlocal settings
        if match["volume"]:
            settings = replace(settings, volume=int(match["volume"]))
        elif match["speed"]:
            settings = replace(settings, speed=int(match["speed"]))
        elif match["tone"]:
            settings = replace(settings, tone=int(match["tone"]))
        elif match["voice"]:
            settings = replace(settings, voice=match["voice"])
        else:
            settings = Settings()
        return ""

    return _TAG.sub(obey, text), settings


class Xfs5152Voice(SpeechChip):
    """The chip and its loudspeaker."""

    FAULTS: ClassVar = {
        **SPEECH_FAULTS,
        "byte_lost": Fault("the last byte of a frame is lost on the line: the chip waits for it"),
        "falls_asleep": Fault("the chip is asleep when it has spoken"),
    }

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: VoiceTiming | None = None,
        baud: int = 115200,
    ) -> None:
        super().__init__(baud, rng, timing)
        self.settings = Settings()

    @property
    def asleep(self) -> bool:
        """It heeds nothing but WAKE."""
        return self._asleep

    # --- the line

    def _byte(self, byte: int, now_ms: float) -> None:
        if self._hears_nothing or (not self._frame and byte != START):
            return
        self._frame.append(byte)
        self._last_byte_ms = now_ms
        if len(self._frame) < 3:
            return
        length = int.from_bytes(self._frame[1:3], "big")
        if not 1 <= length <= TEXT_BYTES_MAX + 2:
            self._reject(now_ms)
        elif len(self._frame) == 3 + length:
            if self.faults.take("byte_lost"):
                self._frame.pop()
            else:
                self._whole_frame(self._frame[3], bytes(self._frame[4:]), now_ms)

    def _reject(self, now_ms: float) -> None:
        if self._asleep:
            self._end_frame(now_ms)
        else:
            super()._reject(now_ms)

    def _whole_frame(self, command: int, rest: bytes, now_ms: float) -> None:
        if self._asleep:
            self._end_frame(now_ms)
            if command == WAKE:
                self._asleep = False
                self._answer(bytes((ACCEPTED,)), now_ms)
                self._deaf_until_ms = now_ms + self.timing.settle_ms
        elif self._is_known(command, rest) and not self._refuses(command == SPEAK):
            self._end_frame(now_ms)
            self._obey(command, rest, now_ms)
        else:
            self._reject(now_ms)

    @staticmethod
    def _is_known(command: int, rest: bytes) -> bool:
        if command == SPEAK:
            return len(rest) > 1 and rest[0] in ENCODINGS
        return not rest and command in (STOP, PAUSE, RESUME, QUERY, SLEEP, WAKE)

    # --- what the commands do

    def _obey(self, command: int, rest: bytes, now_ms: float) -> None:
        if command == QUERY:
            self._answer(bytes((ACCEPTED, BUSY if self.busy else IDLE)), now_ms)
            return
        self._answer(bytes((ACCEPTED,)), now_ms)
        if command == SPEAK:
            self._speak(ENCODINGS[rest[0]], rest[1:], now_ms)
        elif command == STOP:
            self._stop(now_ms)
        elif command == PAUSE:
            self._pause(now_ms)
        elif command == RESUME:
            self._resume(now_ms)
        elif command == SLEEP:
            self._cut_off(now_ms)
            self._asleep = True

    def _speak(self, encoding: str, raw: bytes, now_ms: float) -> None:
        if self.faults.take("brown_out"):
            self._restart()
            return
        text, self.settings = read_tags(raw.decode(encoding, "replace"), self.settings)
        prompts = tuple(PROMPT.findall(text))
        text = PROMPT.sub("", text)
        heard = Utterance(text, self.settings.volume, self.settings.speed, now_ms, chimes=prompts)
        characters = len(text) + 2 * len(prompts)
        self._sound(heard, characters, Settings().speed - self.settings.speed)

    # --- time and power

    def _tick(self, now_ms: float) -> None:
        spoke = self._end_ms is not None
        super()._tick(now_ms)
        if spoke and not self.busy and self.faults.take("falls_asleep"):
            self._asleep = True

    def _forget_settings(self) -> None:
        self.settings = Settings()
