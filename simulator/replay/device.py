"""A device that does what a trace says: it answers each send of the board as the real one did.

| state | event | next | does |
| --- | --- | --- | --- |
| HEALTHY | bytes of the board | HEALTHY | a model of the device answers |
| HEALTHY | `begin` | PLAYING | says what came before the first send |
| PLAYING | the next send of the trace is whole | PLAYING | its replies, each after its time |
| PLAYING | another of the next AHEAD_MAX sends fits | PLAYING | those between were not said |
| PLAYING | a send that came before | PLAYING | the replies that it had last |
| PLAYING | anything else | PLAYING | counts the bytes as unexpected |

A reply that came longer than SPONTANEOUS_MS after its send was not asked for: it comes at its time.
"""

import dataclasses
from typing import Any

from simulator.replay.script import Exchange, LineScript, Piece

AHEAD_MAX = 16
SPONTANEOUS_MS = 1500


@dataclasses.dataclass
class LineCount:
    """Sends of the trace that came, that did not, that came once more, and bytes that are not in
    the trace."""

    said: int = 0
    not_said: int = 0
    again: int = 0
    unexpected_bytes: int = 0


class ReplayDevice:
    """A device on a serial line (simulator/devices/uart.py tells the interface)."""

    def __init__(self, healthy: Any, script: LineScript) -> None:
        self.count = LineCount()
        self.wake: Any = None
        self._healthy = healthy
        self._script = script
        self._next = 0
        self._heard = bytearray()
        self._due: list[tuple[float, bytes]] = []
        self._begun_ms: float | None = None
        self._last: dict[bytes, Exchange] = {}

    @property
    def baud(self) -> int:
        return int(self._healthy.baud)

    @baud.setter
    def baud(self, value: int) -> None:
        self._healthy.baud = value

    @property
    def left(self) -> int:
        """Sends of the trace that have not come yet."""
        return len(self._script.exchanges) - self._next

    def begin(self, now_ms: float) -> None:
        """The trace begins now."""
        self._begun_ms = now_ms
        self._due = [(now_ms + piece.at_ms, bytes(piece.data)) for piece in self._script.before]
        for exchange in self._script.exchanges:
            self._due += [
                (now_ms + piece.at_ms, bytes(piece.data))
                for piece in exchange.replies
                if is_spontaneous(exchange, piece)
            ]

    def receive(self, data: bytes, now_ms: float) -> None:
        if self._begun_ms is None:
            self._healthy.receive(data, now_ms)
            return
        self._heard += data
        while self._heard and self._step(now_ms):
            pass

    def _step(self, now_ms: float) -> bool:
        """Whether something was taken off `_heard`."""
        found = self._find()
        if found is not None:
            exchange = self._script.exchanges[found]
            if len(self._heard) < exchange.size:
                return False
            self.count.said += 1
            self.count.not_said += found - self._next
            self._next = found + 1
            del self._heard[: exchange.size]
            self._answer(exchange, now_ms)
            return True
        again = self._last.get(bytes(self._heard))
        if again is not None:
            self.count.again += 1
            self._answer(again, now_ms)
        elif any(known.startswith(self._heard) for known in self._last):
            return False
        else:
            self.count.unexpected_bytes += len(self._heard)
        self._heard.clear()
        return False

    def _find(self) -> int | None:
        """Place of the send that begins as what was heard; one that is known by nothing but its
        length only when no other fits."""
        ahead = range(self._next, min(self._next + AHEAD_MAX, len(self._script.exchanges)))
        for known in (True, False):
            for place in ahead:
                exchange = self._script.exchanges[place]
                if bool(exchange.kept) == known and exchange.begins_with(
                    self._heard[: exchange.size]
                ):
                    return place
        return None

    def _answer(self, exchange: Exchange, now_ms: float) -> None:
        if not exchange.masked:
            self._last[exchange.kept] = exchange
        self._due += [
            (now_ms + piece.at_ms - exchange.at_ms, bytes(piece.data))
            for piece in exchange.replies
            if not is_spontaneous(exchange, piece)
        ]

    def poll(self, now_ms: float) -> bytes:
        if self._begun_ms is None:
            return bytes(self._healthy.poll(now_ms))
        self._due.sort(key=lambda one: one[0])
        due = b"".join(data for at, data in self._due if at <= now_ms)
        self._due = [one for one in self._due if one[0] > now_ms]
        return due

    def next_ms(self, now_ms: float) -> float | None:
        if self._begun_ms is None:
            at: float | None = self._healthy.next_ms(now_ms)
            return at
        return min((at for at, _ in self._due), default=None)


def is_spontaneous(exchange: Exchange, piece: Piece) -> bool:
    """Whether the device said this by itself."""
    return piece.at_ms - exchange.at_ms > SPONTANEOUS_MS
