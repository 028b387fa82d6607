"""Tickets that the centre calls, announced between visits: never into a visit, never over words
that somebody waits for.

| event | does |
| --- | --- |
| `call` | waits its turn; the same ticket again replaces the older call |
| `call`, WAITING_MAX wait | the oldest is dropped: its person has been passed by |
| nobody is served, nothing sounds | announces the oldest |
| a visit begins, or somebody else wants to speak | stops, and announces it again afterwards |
| its time is over | dropped |
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.core.speaker import Speaker
from tongban.logs import event, get

SPEAKER = "calls"
WAITING_MAX = 8

log = get("edge_agent.ticket_calls")


@dataclass(frozen=True)
class _Call:
    ticket: str
    counter: str
    until_ms: int


class TicketCalls:
    """`is_free()`: nobody is being served and the voice works. `words(ticket, counter)` is
    the announcement. `mono_ms()` never goes back."""

    def __init__(
        self,
        speaker: Speaker,
        mono_ms: Callable[[], int],
        *,
        is_free: Callable[[], bool],
        words: Callable[[str, str], str],
    ) -> None:
        self._speaker = speaker
        self._mono_ms = mono_ms
        self._is_free = is_free
        self._words = words
        self._waiting: deque[_Call] = deque()
        self._sounds: _Call | None = None

    def call(self, ticket: str, counter: str, lasts_ms: int) -> None:
        """Announce it as soon as it disturbs nobody, within `lasts_ms`."""
        self._waiting = deque(call for call in self._waiting if call.ticket != ticket)
        if len(self._waiting) >= WAITING_MAX:
            dropped = self._waiting.popleft()
            event(log, "warning", "ticket_call.dropped", ticket=dropped.ticket)
        self._waiting.append(_Call(ticket, counter, self._mono_ms() + lasts_ms))
        self.on_time()

    def on_time(self) -> None:
        """Look whether the voice is to be given back, or may be used."""
        if self._sounds is not None:
            if self._is_free() and not self._speaker.is_waited_for:
                return
            self._waiting.appendleft(self._sounds)
            self._sounds = None
            self._speaker.forget(SPEAKER)
        now_ms = self._mono_ms()
        self._waiting = deque(call for call in self._waiting if call.until_ms > now_ms)
        if self._waiting and self._is_free() and not self._speaker.speaking:
            self._announce(self._waiting.popleft())

    def _announce(self, call: _Call) -> None:
        self._sounds = call

        def ended(heard: bool) -> None:
            if self._sounds is call:
                self._sounds = None
                event(log, "info", "ticket_call.ended", ticket=call.ticket, heard=heard)

        self._speaker.say(SPEAKER, self._words(call.ticket, call.counter), ended)
