"""What speech chips have in common: a loudspeaker with a transcript, and the one-byte answers.

| state | event | next | answers |
| --- | --- | --- | --- |
| OFF | power | BOOTING | - |
| BOOTING | boot_ms | IDLE | 4A |
| IDLE, SPEAKING, PAUSED | a text | SPEAKING | speech under way is cut off |
| SPEAKING | speech ends | IDLE | 4F, unasked |
| SPEAKING | pause | PAUSED | - |
| PAUSED | resume | SPEAKING | - |
| SPEAKING, PAUSED | stop | IDLE | 4F |

How a frame looks, what is in a text, when a chip sleeps and what it refuses is each chip's own.
"""

import random
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from simulator.devices.faults import Fault
from simulator.devices.uart import COMMON_FAULTS, UartDevice

READY, ACCEPTED, REJECTED, BUSY, IDLE = 0x4A, 0x41, 0x45, 0x4E, 0x4F

SPEECH_FAULTS = {
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


@dataclass(frozen=True)
class VoiceTiming:
    """Milliseconds. `char_ms` is for one character at the usual speed; `speed_step` is what a step
    of speed less adds to it."""

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

    def speech_ms(self, characters: int, steps_slower: int) -> float:
        """How long `characters` take, so many steps slower (negative: faster) than usual."""
        return characters * self.char_ms * max(self.speed_step, 1 + steps_slower * self.speed_step)


@dataclass
class Utterance:
    """What a person in front of the terminal heard. `ended_ms` is None while it sounds. `volume`
    and `speed` are on the chip's own scales."""

    text: str
    volume: int
    speed: int
    started_ms: float
    ended_ms: float | None = None
    interrupted: bool = False
    music: int = 0
    chimes: tuple[str, ...] = ()


class SpeechChip(UartDevice):
    """The loudspeaker; `transcript` is all that was audible, in order."""

    FAULTS: ClassVar = SPEECH_FAULTS

    def __init__(self, baud: int, rng: random.Random | None, timing: VoiceTiming | None) -> None:
        super().__init__(baud, rng)
        self.timing = timing if timing is not None else VoiceTiming()
        self.transcript: list[Utterance] = []
        self.frames_rejected = 0
        self._baud_at_start = baud
        self._frame = bytearray()
        self._last_byte_ms = float("-inf")
        self._frame_ended_ms = float("-inf")
        self._deaf_until_ms: float | None = None
        self._booting = True
        self._asleep = False
        self._current: Utterance | None = None
        self._end_ms: float | None = None
        self._left_ms: float | None = None

    @property
    def busy(self) -> bool:
        """The Ready/Busy pin: high while speaking (and while paused)."""
        return self._end_ms is not None or self._left_ms is not None

    @property
    def _hears_nothing(self) -> bool:
        return self._deaf_until_ms is not None or "voice_silent" in self.faults

    # --- answers

    def _refuses(self, speaks: bool) -> bool:
        """A good frame gets a 45 all the same."""
        return speaks and self.faults.take("voice_rejects")

    def _reject(self, now_ms: float) -> None:
        self.frames_rejected += 1
        self._end_frame(now_ms)
        self._answer(bytes((REJECTED,)), now_ms)

    def _end_frame(self, now_ms: float) -> None:
        self._frame.clear()
        self._frame_ended_ms = now_ms

    def _answer(self, reply: bytes, now_ms: float) -> None:
        if reply == bytes((ACCEPTED,)) and self.faults.take("reply_lost"):
            return
        if self.faults.take("noise_before_reply"):
            reply = bytes((self.rng.choice((0x00, 0x55, 0xFF)),)) + reply
        self._send(reply, now_ms + self.timing.answer_ms)

    def _say_idle(self, at_ms: float) -> None:
        if not self.faults.take("idle_lost"):
            self._send(bytes((IDLE,)), at_ms + self.timing.answer_ms)

    # --- the loudspeaker

    def _sound(self, heard: Utterance, characters: int, steps_slower: int) -> None:
        """Begin to speak; what sounded is cut off."""
        now_ms = heard.started_ms
        self._cut_off(now_ms)
        self._end_ms = now_ms + self.timing.speech_ms(characters, steps_slower)
        if characters and "speaker_broken" not in self.faults:
            self._current = heard
            self.transcript.append(heard)

    def _stop(self, now_ms: float) -> None:
        if self.busy:
            self._cut_off(now_ms)
            self._say_idle(now_ms)

    def _pause(self, now_ms: float) -> None:
        if self._end_ms is not None:
            self._left_ms, self._end_ms = self._end_ms - now_ms, None

    def _resume(self, now_ms: float) -> None:
        if self._left_ms is not None:
            self._end_ms, self._left_ms = now_ms + self._left_ms, None

    def _cut_off(self, now_ms: float) -> None:
        """End what sounds now, as interrupted."""
        if self._current is not None:
            self._current.ended_ms = now_ms
            self._current.interrupted = True
        self._current = self._end_ms = self._left_ms = None

    # --- time and power

    def _tick(self, now_ms: float) -> None:
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

    @property
    def _hangs(self) -> bool:
        return "voice_busy" in self.faults

    def _deadline(self) -> float | None:
        gap = self._last_byte_ms + self.timing.byte_gap_ms + 0.001 if self._frame else None
        end = None if self._hangs else self._end_ms
        boot = float("-inf") if self._booting and self._deaf_until_ms is None else None
        moments = (gap, end, boot, self._deaf_until_ms)
        return min((at for at in moments if at is not None), default=None)

    def _power_lost(self) -> None:
        self._cut_off(self._now_ms)
        self._frame.clear()
        self._deaf_until_ms = None
        self._asleep = False
        self._booting = True

    def _power_returned(self) -> None:
        self._forget_settings()
        self.baud = self._baud_at_start
        self._booting = True

    def _restart(self) -> None:
        """A reset without a switch: the supply broke down."""
        self._power_lost()
        self._power_returned()

    @abstractmethod
    def _forget_settings(self) -> None: ...
