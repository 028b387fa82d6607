"""Visits one after the other: feeds the flow engine, lets its effects happen, draws the screen.

Between visits a flow waits in its first step, so the reader is always asked for a card.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.cash_calls import CashCalls
from edge_agent.core import board_events as bx
from edge_agent.core import flow_events as fx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.card_address import newest_address
from edge_agent.core.cash_events import Ended, Progress
from edge_agent.core.flow import Flow
from edge_agent.core.flow_saved import SavedFlow, SavedFlowError
from edge_agent.core.flow_state import (
    CHOOSING,
    ENDED,
    OFFERING,
    PAYING,
    READING,
    SAYING,
    SCANNING,
    VOUCHING,
)
from edge_agent.core.screen import FOUND_TEXT, READER_TEXT, SORRY_TEXT, SPEAKING_KEYS, Choice
from edge_agent.core.screen_maker import ScreenMaker
from edge_agent.core.speaker import Speaker
from edge_agent.core.visitor import Prefs
from edge_agent.front import Front
from edge_agent.recorder import Recorder
from edge_agent.visit_acts import SPEAKER, Service, VisitActs, log_step
from edge_agent.visit_checks import VisitChecks
from edge_agent.visit_events import card_event, card_fault, pay_event, scan_event
from protocol.wire import states
from tongban.logs import event, get

FLOW_ID_BYTES = 16
NOTICE_SPEAKER = "notice"  # what is said between visits; a visit silences it
SAME_CARD_MS = 10_000
PENDING_CARD_MS = 10_000
READER_RETRY_MS = 60_000
BOARD_GONE_MS = 2_000

_OWN_SPEECH = (SAYING, CHOOSING, OFFERING, PAYING)  # phases that speak again by themselves
_ASKING = (SCANNING, VOUCHING)  # these do when asked to
_CARD_PHASES = (READING, VOUCHING)

log = get("edge_agent.visits")


@dataclass(frozen=True)
class Clock:
    """`mono_ms` never goes back; `wall_ms` is Unix ms; `entropy(n)` gives n random bytes."""

    mono_ms: Callable[[], int]
    wall_ms: Callable[[], int]
    entropy: Callable[[int], bytes]


class Visits:
    """`changed()` is called when board or timers may have something to do."""

    def __init__(
        self,
        service: Service,
        clock: Clock,
        *,
        session: BoardSession,
        speaker: Speaker,
        recorder: Recorder,
        visit_checks: VisitChecks,
        front: Front,
        cash: CashCalls,
        changed: Callable[[], None],
    ) -> None:
        self.ended: dict[str, int] = {}
        settings = service.settings
        self._service = service
        self._clock = clock
        self._session = session
        self._speaker = speaker
        self._recorder = recorder
        self._front = front
        self._maker = ScreenMaker(
            service.definition,
            service.texts,
            Prefs(settings.language, settings.volume, settings.speech_speed),
        )
        self._acts = VisitActs(
            service,
            session=session,
            speaker=speaker,
            recorder=recorder,
            visit_checks=visit_checks,
            cash=cash,
            feed=self._feed_one,
            language=lambda: self._maker.prefs.language,
        )
        self._changed = changed
        self._flow: Flow | None = None
        self._inbox: deque[fx.Event] = deque()
        self._draining = False
        self._deadline_ms: int | None = None
        self._faults: frozenset[int] = frozenset()
        self._alarm = ""
        self._begin_at_ms: int | None = None
        self._reader_fault = False
        self._board_gone_ms: int | None = clock.mono_ms()
        self._last_card = b""
        self._last_card_ms = 0
        self._pending: tuple[fx.CardRead, int] | None = None
        self._saved: deque[tuple[bytes, bytes]] = deque()
        self._closing = False

    @property
    def prefs(self) -> Prefs:
        """How the visitor wants to be spoken to."""
        return self._maker.prefs

    # ---- what the terminal calls

    def begin(self, saved: list[tuple[bytes, bytes]]) -> None:
        """Go on with visits of an earlier life (flow id, state), then wait for a card."""
        self._saved.extend(saved)
        self._start()

    def close(self) -> bool:
        """Take no new visit. True when none is under way."""
        self._closing = True
        idle = self.is_idle()
        if idle:
            self._session.stop_read()
        return idle

    def on_time(self) -> None:
        """Look at the timers."""
        now = self._clock.mono_ms()
        if self._deadline_ms is not None and now >= self._deadline_ms:
            self._deadline_ms = None
            self._feed(fx.TimeIsUp())
        if self._begin_at_ms is not None and now >= self._begin_at_ms:
            self._start()
        self._maker.on_time(now)
        self._recorder.heal(now)
        self.draw()

    def wait_ms(self) -> int | None:
        """Milliseconds until `on_time` is due, None when nothing is timed."""
        now = self._clock.mono_ms()
        gone = self._board_gone_ms
        times = [self._deadline_ms, self._begin_at_ms, self._maker.due_ms(), self._recorder.heal_ms]
        times.append(gone + BOARD_GONE_MS if gone is not None else None)
        waits = [at - now for at in times if at is not None]
        return max(0, min(waits)) if waits else None

    def on_card(self, card: bx.Card) -> None:
        """A card was read."""
        now = self._clock.mono_ms()
        digest = hashlib.sha256(card.block).digest()
        same = digest == self._last_card and now - self._last_card_ms < SAME_CARD_MS
        self._last_card, self._last_card_ms = digest, now
        self._maker.card(True)
        if same:  # it still lies there: a board that reset has forgotten that it read it
            event(log, "info", "card.still_there")
            self._read_again()
            return
        read = card_event(card.block)
        wanted = self._flow is not None and self._flow.phase in _CARD_PHASES
        if wanted or isinstance(read, fx.CardNotRead):
            self._feed(read)
            return
        self._pending = (read, now)
        if self._flow is None and self._begin_at_ms is not None:
            self._start()
        elif self._flow is not None and self._flow.phase == SAYING and self._flow.is_nobody:
            self._speaker.forget(SPEAKER)  # "please try again" was heard and done already
            self._feed(fx.SpeechDone(self._flow.say_no))

    def on_card_address(self, said: bx.CardAddress) -> None:
        """What the card that was read says of its newest address."""
        self._feed(fx.AddressRead(newest_address(said)))

    def on_card_found(self) -> None:
        """A card lies on the reader: a word at once, reading it takes a while."""
        if self._flow is not None and self._flow.phase == READING:
            self._maker.found(self._clock.mono_ms())
            self._speak(FOUND_TEXT, {})
            self.draw()
            self._changed()

    def on_card_fault(self, reason: int) -> None:
        """No card was read."""
        fault = card_fault(reason)
        self._maker.not_read()
        if self._flow is not None and self._flow.phase == READING:
            self._reader_fault = fault.reason == "device_fault"
        self._feed(fault)

    def on_card_removed(self) -> None:
        """The card has left the reader: the same one may come again."""
        self._last_card = b""
        self._maker.card(False)
        self.draw()

    def on_scan(self, said: bx.Scanned | bx.ScanFault) -> None:
        """A code was scanned, or none."""
        self._feed(scan_event(said))

    def on_board(self, up: bool) -> None:
        """The board came or went."""
        if not up:
            if self._board_gone_ms is None:
                self._board_gone_ms = self._clock.mono_ms()
            self._maker.card(False)  # nobody can tell any more
        else:
            self._board_gone_ms = None
        self._changed()

    def on_key(self, key: str) -> None:
        """A key of the screen was pressed."""
        if self._maker.key(key, self._clock.mono_ms()):
            flow = self._flow
            own = flow is not None and (
                flow.phase in _OWN_SPEECH or (flow.phase in _ASKING and key in SPEAKING_KEYS)
            )
            if key in SPEAKING_KEYS and not own:
                self._speak_screen()
            self._feed(fx.KeyPressed(key))
        self.draw()
        self._changed()

    def help_is(self, state: str) -> None:
        """Whether help was called or answered: HELP_NONE, HELP_CALLED, HELP_ANSWERED."""
        self._maker.help = state
        self.draw()

    def alarm(self, text: str) -> None:
        """Show this message id before anything else; "" ends it."""
        self._alarm = text
        self.draw()
        self._changed()

    def draw(self) -> None:
        """Show the screen as it is now."""
        now = self._clock.mono_ms()
        speaking = self._speaker.speaking
        self._front.show(
            self._maker.draw(self._flow, now, fault=self._fault(now), speaking=speaking)
        )

    def _fault(self, now: int) -> str:
        """What to tell people while the terminal cannot serve them, or ""."""
        if self._alarm:
            return self._alarm
        gone = self._board_gone_ms
        if gone is not None and now - gone >= BOARD_GONE_MS:
            return SORRY_TEXT
        if self._recorder.failed:
            return SORRY_TEXT
        waits = self._begin_at_ms is not None and self._begin_at_ms > now
        broken = waits or states.CARD_READER in self._faults
        return READER_TEXT if broken and self.is_idle() else ""

    def _speak_screen(self) -> None:
        """Say what the screen says."""
        screen = self._front.screen()
        self._speak(screen.text, screen.fields, screen.choices)

    def _speak(self, text: str, fields: fx.Fields, choices: tuple[Choice, ...] = ()) -> None:
        """Say what no step of the visit waits for."""
        if states.VOICE not in self._faults:
            self._acts.speak(text, fields, choices, lambda _heard: None)

    def on_effect(self, result: bx.EffectResult) -> None:
        """The board's word on an effect."""
        self._feed(fx.EffectDone(result.effect_id, result.outcome, result.detail))

    def on_pay(self, said: Progress | Ended) -> None:
        """How a payment goes, or how it ended."""
        self._feed(pay_event(said))

    def on_device(self, device: int, works: bool) -> None:
        """A device began or ceased to work."""
        self._faults = self._faults - {device} | (frozenset() if works else frozenset({device}))
        if device == states.CARD_READER and works and self._begin_at_ms is not None:
            self._start()
        self._feed(fx.DeviceChanged(device, works))

    # ---- the flow

    def _new_flow(self, flow_id: bytes) -> Flow:
        return Flow(
            self._service.definition,
            flow_id,
            terminal=self._service.terminal,
            entropy=self._clock.entropy,
            wall_ms=self._clock.wall_ms,
            faults=self._faults,
        )

    def _start(self) -> None:
        self._begin_at_ms = None
        self._flow = None
        self._acts.checks.who = None
        if self._saved:
            self._resume(*self._saved.popleft())
            return
        if self._closing:
            return
        self._flow = self._new_flow(self._clock.entropy(FLOW_ID_BYTES))
        self._perform(self._flow.start(self._clock.mono_ms()))
        if self._pending is not None:
            card, at_ms = self._pending
            self._pending = None
            if self._clock.mono_ms() - at_ms < PENDING_CARD_MS:
                self._feed(card)

    def _resume(self, flow_id: bytes, state: bytes) -> None:
        self._flow = self._new_flow(flow_id)
        try:
            effects = self._flow.resume(SavedFlow.from_bytes(state), self._clock.mono_ms())
        except SavedFlowError as error:
            event(log, "warning", "visit.lost", problem=str(error))
            intent = hashlib.sha256(flow_id + b"lost").digest()[:16]
            effects = [fx.Append(intent, drop=True), fx.End("interrupted")]
        else:
            log_step(self._flow, "info", "visit.resumed")
        self._perform(effects)

    def _feed_one(self, flow: Flow, incoming: fx.Event) -> None:
        """An answer to a visit; when that is over, nobody waits for it."""
        if flow is self._flow:
            self._feed(incoming)

    def _feed(self, incoming: fx.Event) -> None:
        """Hand an event to the flow; events that its effects cause are taken in turn."""
        self._inbox.append(incoming)
        if self._draining:
            return
        self._draining = True
        try:
            while self._inbox:
                taken = self._inbox.popleft()
                if self._flow is not None:
                    nobody = self._flow.is_nobody
                    effects = self._flow.handle(taken, self._clock.mono_ms())
                    if nobody and not self._flow.is_nobody:
                        self._began(self._flow)
                    self._perform(effects)
        finally:
            self._draining = False
        self.draw()
        self._changed()

    def _began(self, flow: Flow) -> None:
        self._speaker.forget(NOTICE_SPEAKER)
        self._maker.began()
        log_step(flow, "info", "visit.began")

    def _perform(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            flow = self._flow
            assert flow is not None
            match effect:
                case fx.Arm():
                    self._deadline_ms = effect.at_ms
                case fx.Disarm():
                    self._deadline_ms = None
                case fx.End():
                    self._end(effect, flow)
                case _:
                    self._acts.perform(effect, flow)

    def is_idle(self) -> bool:
        """Nobody is being served."""
        flow = self._flow
        return flow is None or flow.phase == ENDED or (flow.phase == READING and flow.is_nobody)

    def _read_again(self) -> None:
        if self._flow is not None and self._flow.phase in _CARD_PHASES:
            self._acts.start_read()

    def _end(self, effect: fx.End, flow: Flow) -> None:
        self._speaker.forget(SPEAKER)
        log_step(flow, "info", "visit.ended", end=effect.name)
        self.ended[effect.name] = self.ended.get(effect.name, 0) + 1
        now = self._clock.mono_ms()
        self._last_card_ms = now
        self._maker.ended(now)
        self._flow = None
        self._begin_at_ms = now
        if self._reader_fault:  # say it once in a while, not all the time
            self._reader_fault = False
            self._begin_at_ms += READER_RETRY_MS
