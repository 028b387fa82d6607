"""Who may speak when: one utterance at a time, a visit's and the help button's never mixed.

A visit's new utterance replaces its older one; what another speaker says is heard to its end. Who
waits comes before who has just spoken: a visit that goes on and on does not silence help.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WAITING_MAX = 4

Begin = Callable[[int, str], None]


@dataclass(frozen=True)
class _Speech:
    number: int
    speaker: str
    words: str
    ended: Callable[[bool], None]


class Speaker:
    """`begin(number, words)` makes the voice module speak; `hush()` stops it."""

    def __init__(self, begin: Begin, hush: Callable[[], None]) -> None:
        self._begin = begin
        self._hush = hush
        self._count = 0
        self._now: _Speech | None = None
        self._waiting: deque[_Speech] = deque()

    @property
    def speaking(self) -> bool:
        """Whether something sounds now."""
        return self._now is not None

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody wants to speak after what sounds now."""
        return bool(self._waiting)

    def say(self, speaker: str, words: str, ended: Callable[[bool], None]) -> bool:
        """Speak these words; `ended(heard)` comes once. False: too much is waiting already."""
        self._count += 1
        speech = _Speech(self._count, speaker, words, ended)
        self._waiting = deque(s for s in self._waiting if s.speaker != speaker)
        is_next = not self._waiting if self._now is None else self._now.speaker == speaker
        if is_next:
            self._start(speech)
            return True
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append(speech)
        return True

    def forget(self, speaker: str) -> None:
        """This speaker has nothing to say any more; what sounds now is stopped."""
        self._waiting = deque(s for s in self._waiting if s.speaker != speaker)
        if self._now is not None and self._now.speaker == speaker:
            self._now = None
            self._hush()
            self._next()

    def ended(self, number: int, heard: bool) -> None:
        """The voice module is through with an utterance."""
        speech = self._now
        if speech is None or speech.number != number:
            return
        self._now = None
        speech.ended(heard)
        if self._now is None:
            self._next()

    def _next(self) -> None:
        if self._waiting:
            self._start(self._waiting.popleft())

    def _start(self, speech: _Speech) -> None:
        self._now = speech
        self._begin(speech.number, speech.words)
