"""Calls for help at the terminal: performs what the help desk wants, on the event loop.

The board rings and takes the desk's answer by itself; what is added here are records, words, the
screen, and the officer's page. The board keeps each event until its record is durable.
"""

import hashlib
from collections.abc import Callable

from edge_agent.core import help_events as hx
from edge_agent.core.board_events import Happened, LinkUp
from edge_agent.core.board_session import BoardSession
from edge_agent.core.help_desk import HelpDesk
from edge_agent.core.help_events import CallKey
from edge_agent.core.screen import HELP_NONE
from edge_agent.outbox import Appended, KeepNumber, Outbox
from edge_agent.recorder import Recorder
from edge_agent.visits import Clock
from protocol.records import Body, HelpAnswered, HelpCall
from protocol.wire import states
from protocol.wire.states import AGE_UNKNOWN
from protocol.wire.ticks import TICKS_MASK
from tongban.logs import event, get

SPEAKER = "help"
SAVED = ("help_board", "help_number", "help_pressed_ms", "help_answered_ms")
"""Numbers of the outbox that keep the last call."""

log = get("edge_agent.help_calls")


class HelpCalls:
    """`say(text)` speaks a text of help; `on_state(state)` is told HELP_NONE, HELP_CALLED or
    HELP_ANSWERED of core.screen at each change; `changed()`: the board has something to hear."""

    def __init__(
        self,
        outbox: Outbox,
        recorder: Recorder,
        session: BoardSession,
        clock: Clock,
        *,
        say: Callable[[str], None],
        on_state: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.state = HELP_NONE
        self._recorder = recorder
        self._session = session
        self._clock = clock
        self._say = say
        self._on_state = on_state
        self._changed = changed
        self._board = hx.OWN
        self._has_bell = False
        self._commands: dict[int, Callable[[bool], None]] = {}
        saved = hx.SavedCall(*(outbox.number(name) for name in SAVED))
        self._desk = HelpDesk(saved if saved.number else None, clock.mono_ms(), clock.wall_ms())

    # ---- what the terminal calls

    def begin(self) -> None:
        """Go on with a call of an earlier life."""
        self._perform(self._desk.open_call(self._clock.mono_ms()))

    def board_is_up(self, said: LinkUp) -> None:
        """Which board it is, and what is wired to it."""
        self._board = _digest(said.info.get("id", ""))
        self._has_bell = "bell" in said.info.get("help", "").split(",")

    def on_event(self, said: Happened) -> None:
        """HELP_PRESSED or HELP_ANSWERED of the board."""
        key, now_ms = CallKey(self._board, said.event_no), self._clock.mono_ms()
        if said.kind == states.HELP_PRESSED:
            event(log, "info", "help.pressed", event_no=said.event_no, age_ms=said.age_ms)
            self._perform(self._desk.pressed(key, said.age_ms, now_ms, rings=self._has_bell))
            return
        of = int.from_bytes(said.tail[:4], "little")
        wait_ms = int.from_bytes(said.tail[4:8], "little") if len(said.tail) >= 8 else AGE_UNKNOWN
        event(log, "info", "help.answered_at_desk", event_no=said.event_no, call=of)
        self._perform(self._desk.answered_at_desk(key, of, wait_ms, said.age_ms, now_ms))

    def asked(self) -> None:
        """Help was asked for on the screen."""
        number = hx.OWN_NUMBERS | int.from_bytes(self._clock.entropy(4), "little")
        rings = self._has_bell and self._session.up
        event(log, "info", "help.asked", call=number, rings=rings)
        self._perform(self._desk.asked(number, self._clock.mono_ms(), rings=rings))

    def answered_on_page(self, of: int, command: int, done: Callable[[bool], None]) -> None:
        """An officer is on the way to call `of`, says the centre; `done(ok)` comes once."""
        event(log, "info", "help.answered_on_page", call=of, command=command)
        self._commands[command] = done
        self._perform(self._desk.answered_on_page(of, command, self._clock.mono_ms()))

    def on_time(self) -> None:
        """Look at the timers."""
        self._perform(self._desk.tick(self._clock.mono_ms()))

    def wait_ms(self) -> int | None:
        """Milliseconds until `on_time` is due, None when nothing is timed."""
        return self._desk.wait_ms(self._clock.mono_ms())

    # ---- performing

    def _perform(self, effects: hx.Effects) -> None:
        for effect in effects:
            self._perform_one(effect)
        if self._desk.state != self.state:
            self.state = self._desk.state
            event(log, "info", "help.state", state=self.state)
            self._on_state(self.state)
        if effects:
            self._changed()

    def _perform_one(self, effect: hx.Effect) -> None:
        match effect:
            case hx.RecordCall():
                self._record_call(effect)
            case hx.RecordAnswer():
                self._record_answer(effect)
            case hx.Acknowledge():
                self._session.acknowledge(effect.event_no)
            case hx.CommandDone():
                self._commands.pop(effect.number)(effect.ok)
            case hx.Say():
                self._say(effect.text)
            case hx.Ring():
                now = self._clock.mono_ms() & TICKS_MASK
                self._session.ring_help(effect.number, effect.age_ms, now)
            case hx.Stop():
                self._session.answer_help(effect.number)
            case hx.Forget():
                self._session.forget_help()

    def _record_call(self, effect: hx.RecordCall) -> None:
        key = effect.key

        def done(result: Appended | None) -> None:
            ok, repeated = result is not None, result is not None and result.repeated
            now_ms = self._clock.mono_ms()
            self._perform(self._desk.call_recorded(key, now_ms, ok=ok, repeated=repeated))

        self._append(b"help", key, HelpCall(key.number, effect.age_ms), done)

    def _record_answer(self, effect: hx.RecordAnswer) -> None:
        key = effect.key

        def done(result: Appended | None) -> None:
            now_ms = self._clock.mono_ms()
            self._perform(self._desk.answer_recorded(key, now_ms, ok=result is not None))

        body = HelpAnswered(key.number, effect.wait_ms, effect.by)
        self._append(b"help answered", key, body, done)

    def _append(
        self, what: bytes, key: CallKey, body: Body, done: Callable[[Appended | None], None]
    ) -> None:
        """One record, and in its commit the last call as it stands now."""
        name = b"%d\0%d" % (key.board, key.number)
        intent = hashlib.sha256(what + b"\0" + name).digest()[:16]
        correlation = hashlib.sha256(name).digest()[:8]
        saved = self._desk.to_save(self._clock.mono_ms(), self._clock.wall_ms())
        values = (saved.board, saved.number, saved.pressed_ms, saved.answered_ms) if saved else ()
        keep = [KeepNumber(name, value) for name, value in zip(SAVED, values, strict=False)]
        self._recorder.append(intent, (body,), correlation, done, keep)


def _digest(board: str) -> int:
    """63 bits that stand for a board's id, and not for OWN."""
    return (int.from_bytes(hashlib.sha256(board.encode()).digest()[:8], "big") >> 1) or 1
