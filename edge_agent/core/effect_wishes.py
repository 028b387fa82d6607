"""What the terminal wants printed and opened, each effect at most once, said again after a link up.

| an effect is | event | next | does |
| --- | --- | --- | --- |
| TO_SEND | room on the link | SENT | PULSE, or all PRINT_DATA and PRINT_RUN |
| TO_SEND, nothing of it sent | link up | TO_SEND | |
| TO_SEND, begun to send | link up | TO_ASK | |
| SENT | link up, or ASK_EVERY_MS without an answer | TO_ASK | |
| TO_ASK | room on the link | ASKED | EFFECT_QUERY |
| ASKED | link up, or ASK_EVERY_MS without an answer | TO_ASK | |
| ASKED | EFFECT_RESULT never seen, job known | TO_SEND | the board does an id at most once |
| any | EFFECT_RESULT | gone | the outcome goes to the terminal |
| any | `abandon` | gone | |

Times are ticks of protocol.wire.ticks.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from protocol.wire import messages, states
from protocol.wire.ticks import add, diff

PRINT_CHUNK_BYTES = 256
PRINT_JOB_BYTES_MAX = 6400  # the board keeps one job in a buffer of this size
ASK_EVERY_MS = 4_000
EFFECTS_MAX = 16

TO_SEND, SENT, TO_ASK, ASKED = "to send", "sent", "to ask", "asked"

Send = Callable[..., bool]


class EffectError(Exception):
    """The terminal asked for more than can be kept; the text names the limit."""


@dataclass
class _Effect:
    """`pulse_ms` 0 and `slip` empty: only the outcome of an earlier life is asked for."""

    effect_id: int
    stage: str
    slip: bytes = b""
    pulse_ms: int = 0
    sent_bytes: int = 0
    begun: bool = False
    at: int = 0  # ticks when it got to SENT or ASKED

    @property
    def has_job(self) -> bool:
        return bool(self.slip or self.pulse_ms)


class EffectWishes:
    """`send(kind, *fields, tail)` is False when the link has no room."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._effects: dict[int, _Effect] = {}

    def print_slip(self, effect_id: int, slip: bytes) -> None:
        """Print once. Raises EffectError when the slip is too long or too much is waiting."""
        if not 0 < len(slip) <= PRINT_JOB_BYTES_MAX:
            raise EffectError(f"slip of {len(slip)} bytes, at most {PRINT_JOB_BYTES_MAX}")
        self._add(_Effect(effect_id, TO_SEND, slip=slip))

    def pulse(self, effect_id: int, duration_ms: int) -> None:
        """Open the gate once. Raises EffectError when too much is waiting."""
        self._add(_Effect(effect_id, TO_SEND, pulse_ms=duration_ms))

    def query(self, effect_id: int) -> None:
        """What became of an effect of an earlier life. Raises EffectError."""
        self._add(_Effect(effect_id, TO_ASK))

    def abandon(self, effect_id: int) -> None:
        """Nobody waits for this effect any more: it is not sent again."""
        self._effects.pop(effect_id, None)

    def link_up(self) -> None:
        """The board may have restarted: what has begun is asked for."""
        for effect in self._effects.values():
            if effect.begun or effect.stage == ASKED:
                effect.stage, effect.sent_bytes = TO_ASK, 0

    def tick(self, now: int) -> None:
        """What was not answered in time is asked for."""
        for effect in self._effects.values():
            if effect.stage in (SENT, ASKED) and diff(now, effect.at) >= ASK_EVERY_MS:
                effect.stage = TO_ASK

    def deadline_ms(self, now: int) -> int:
        """Milliseconds until `tick` is due, ASK_EVERY_MS when nothing is on its way."""
        waits = [
            diff(add(effect.at, ASK_EVERY_MS), now)
            for effect in self._effects.values()
            if effect.stage in (SENT, ASKED)
        ]
        return min(waits, default=ASK_EVERY_MS)

    def ended(self, effect_id: int, outcome: int, _detail: int) -> bool:
        """The board's word on an effect; whether it is news for the terminal."""
        effect = self._effects.get(effect_id)
        if effect is None:
            return False  # abandoned, or answered twice
        if outcome == states.NEVER_SEEN and effect.has_job:
            effect.stage, effect.sent_bytes = TO_SEND, 0
            return False
        del self._effects[effect_id]
        return True

    def say(self, now: int) -> bool:
        """Send what is due; False when the link has no room."""
        return all(self._say(effect, now) for effect in self._effects.values())

    def _add(self, effect: _Effect) -> None:
        if len(self._effects) >= EFFECTS_MAX and effect.effect_id not in self._effects:
            raise EffectError(f"{EFFECTS_MAX} effects wait for the board; is it connected?")
        self._effects[effect.effect_id] = effect

    def _say(self, effect: _Effect, now: int) -> bool:
        if effect.stage == TO_ASK:
            if not self._send(messages.EFFECT_QUERY, effect.effect_id):
                return False
            effect.stage, effect.at = ASKED, now
        elif effect.stage == TO_SEND:
            if not (self._send_slip(effect) if effect.slip else self._send_pulse(effect)):
                return False
            effect.stage, effect.at = SENT, now
        return True

    def _send_pulse(self, effect: _Effect) -> bool:
        effect.begun = self._send(messages.PULSE, effect.effect_id, effect.pulse_ms)
        return effect.begun

    def _send_slip(self, effect: _Effect) -> bool:
        slip = effect.slip
        while effect.sent_bytes < len(slip):
            chunk = slip[effect.sent_bytes : effect.sent_bytes + PRINT_CHUNK_BYTES]
            head = (effect.effect_id, effect.sent_bytes)
            if not self._send(messages.PRINT_DATA, *head, tail=chunk):
                return False
            effect.begun = True
            effect.sent_bytes += len(chunk)
        return self._send(messages.PRINT_RUN, effect.effect_id, len(slip), zlib.crc32(slip))
