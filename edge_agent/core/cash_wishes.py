"""What the terminal wants of the cash acceptor, said again after each link up.

Notes come before the session: closing gives back what is in escrow. A wish about a note stays until
the board says how the note ended. Acknowledgements do not: what was not acknowledged comes again.
"""

from collections import deque
from collections.abc import Callable

from protocol.wire import messages, states

NOTE_WISHES_MAX = 32
ACKS_MAX = 32

Send = Callable[..., bool]


class CashWishes:
    """`send(kind, *fields)` is False when the link has no room."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._session: tuple[int, int] | None = None
        self._session_sent = False
        self._notes: dict[int, int] = {}  # note -> kind of message
        self._notes_sent: set[int] = set()
        self._acks: deque[int] = deque()

    def accept(self, session: int, notes: int) -> None:
        """Take notes of this mask; 0 takes none any more."""
        self._session = session, notes
        self._session_sent = False

    def stack(self, note: int) -> None:
        """Take the note in escrow."""
        self._wish(note, messages.CASH_STACK)

    def give_back(self, note: int) -> None:
        """Give the note in escrow back."""
        self._wish(note, messages.CASH_RETURN)

    def acknowledge(self, note: int) -> None:
        """The board may forget this note. One ack too many comes again with its note."""
        self._drop(note)
        if len(self._acks) < ACKS_MAX:
            self._acks.append(note)

    def ended(self, note: int, state: int) -> None:
        """The board said this of a note."""
        if state in states.NOTE_ENDS:
            self._drop(note)

    def _wish(self, note: int, kind: int) -> None:
        self._drop(note)
        self._notes[note] = kind
        if len(self._notes) > NOTE_WISHES_MAX:
            self._drop(next(iter(self._notes)))

    def _drop(self, note: int) -> None:
        self._notes.pop(note, None)
        self._notes_sent.discard(note)

    def link_up(self) -> None:
        """The board has forgotten what was said."""
        self._notes_sent.clear()
        self._acks.clear()
        self._session_sent = self._session is None or not self._session[1]

    def say(self) -> bool:
        """Say what was not said yet; False when the link has no room."""
        for note, kind in self._notes.items():
            if note not in self._notes_sent:
                if not self._send(kind, note):
                    return False
                self._notes_sent.add(note)
        if self._session is not None and not self._session_sent:
            self._session_sent = self._send(messages.CASH_ACCEPT, *self._session)
            if not self._session_sent:
                return False
        while self._acks:
            if not self._send(messages.CASH_ACK, self._acks[0]):
                return False
            self._acks.popleft()
        return True
