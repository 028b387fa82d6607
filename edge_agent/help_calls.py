"""The help button: a record first, then an honest word. Nobody is promised.

The board keeps the press until its record is durable and acknowledged; it comes again until then.
"""

import hashlib
from collections.abc import Callable

from edge_agent.core.board_events import Happened
from edge_agent.outbox import Appended
from edge_agent.recorder import Recorder
from protocol.records import HelpCall
from tongban.logs import event, get

SPEAKER = "help"
CORRELATION_BYTES = 8
EVENT_NUMBERS_KEPT_MAX = 256

log = get("edge_agent.help_calls")


class HelpCalls:
    """`say(text_id)` speaks; `acknowledge(event_no)` lets the board forget the press."""

    def __init__(
        self,
        recorder: Recorder,
        entropy: Callable[[int], bytes],
        say: Callable[[str], None],
        acknowledge: Callable[[int], None],
    ) -> None:
        self.calls = 0
        self._recorder = recorder
        self._entropy = entropy
        self._say = say
        self._acknowledge = acknowledge
        self._busy: set[int] = set()
        self._failed: set[int] = set()

    def pressed(self, press: Happened, board: str) -> None:
        """The button was pressed. `board` names the board, whose event numbers are its own."""
        number = press.event_no
        if number in self._busy:
            return
        self._busy.add(number)
        correlation = self._entropy(CORRELATION_BYTES)
        event(log, "info", "help.pressed", event_no=number, correlation=correlation)

        def done(result: Appended | None) -> None:
            self._busy.discard(number)
            if result is None:
                self._not_durable(number)
                return
            self._failed.discard(number)
            self._acknowledge(number)
            if not result.repeated:
                self.calls += 1
                self._say("help.recorded")

        intent = hashlib.sha256(f"help\0{board}\0{number}".encode()).digest()[:16]
        self._recorder.append(intent, (HelpCall(number, press.age_ms),), correlation, done)

    def _not_durable(self, number: int) -> None:
        if len(self._failed) >= EVENT_NUMBERS_KEPT_MAX:
            self._failed.clear()
        if number not in self._failed:  # the board repeats the press; people hear it once
            self._failed.add(number)
            self._say("help.failed")
