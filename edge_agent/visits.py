"""Visits one after the other: performs what the flow engine wants, on the event loop.

Between visits a flow waits in its first step, so the reader is always asked for a card.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.core import board_events as bx
from edge_agent.core import checks
from edge_agent.core import flow_events as fx
from edge_agent.core.board_session import BoardSession, SessionError
from edge_agent.core.flow import ENDED, READING, SAYING, Flow
from edge_agent.core.flow_definition import Definition
from edge_agent.core.flow_saved import SavedFlow, SavedFlowError
from edge_agent.core.slip import SlipError, SlipLine, build_slip
from edge_agent.core.speaker import Speaker
from edge_agent.core.texts import Texts, encode_speech
from edge_agent.outbox import Appended
from edge_agent.recorder import Recorder
from edge_agent.settings import Settings
from edge_agent.visit_checks import VisitChecks
from protocol.errors import CardError
from protocol.people import parse_text_block
from protocol.wire import states
from tongban.logs import event, get

FLOW_ID_BYTES = 16
SPEAKER = "visit"
NOTICE_SPEAKER = "notice"  # what is said between visits; a visit silences it
SAME_CARD_MS = 10_000
PENDING_CARD_MS = 10_000
READER_RETRY_MS = 60_000

_FAULTS = {
    states.CARD_NOT_READ: "unreadable",
    states.CARD_BAD_CHECKSUM: "unreadable",
    states.CARD_UNKNOWN: "unknown_card",
    states.CARD_READER_SILENT: "device_fault",
    states.CARD_SAM_FAILED: "device_fault",
    states.CARD_TIME_LIMIT: "time_limit",
}

log = get("edge_agent.visits")


@dataclass(frozen=True)
class Service:
    """What a terminal offers: its definition, texts and set-up."""

    terminal: str
    definition: Definition
    texts: Texts
    settings: Settings


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
        changed: Callable[[], None],
    ) -> None:
        self.ended: dict[str, int] = {}
        self._service = service
        self._clock = clock
        self._session = session
        self._speaker = speaker
        self._recorder = recorder
        self._checks = visit_checks
        self._changed = changed
        self._flow: Flow | None = None
        self._inbox: deque[fx.Event] = deque()
        self._draining = False
        self._deadline_ms: int | None = None
        self._faults: frozenset[int] = frozenset()
        self._read_no = 0
        self._begin_at_ms: int | None = None
        self._reader_fault = False
        self._last_card = b""
        self._last_card_ms = 0
        self._pending: tuple[fx.CardRead, int] | None = None
        self._saved: deque[tuple[bytes, bytes]] = deque()
        self._closing = False

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

    def wait_ms(self) -> int | None:
        """Milliseconds until `on_time` is due, None when nothing is timed."""
        times = [at for at in (self._deadline_ms, self._begin_at_ms) if at is not None]
        return max(0, min(times) - self._clock.mono_ms()) if times else None

    def on_card(self, card: bx.Card) -> None:
        """A card was read."""
        now = self._clock.mono_ms()
        digest = hashlib.sha256(card.block).digest()
        same = digest == self._last_card and now - self._last_card_ms < SAME_CARD_MS
        self._last_card, self._last_card_ms = digest, now
        if same:  # it still lies there: a board that reset has forgotten that it read it
            event(log, "info", "card.still_there")
            self._read_again()
            return
        try:
            read = fx.CardRead(parse_text_block(card.block))
        except CardError as error:
            event(log, "warning", "card.not_understood", problem=str(error))
            self._feed(fx.CardNotRead("unknown_card"))
            return
        if self._flow is not None and self._flow.phase == READING:
            self._feed(read)
            return
        self._pending = (read, now)
        if self._flow is None and self._begin_at_ms is not None:
            self._start()
        elif self._flow is not None and self._flow.phase == SAYING and self._is_nobody():
            self._speaker.forget(SPEAKER)  # "please try again" was heard and done already
            self._feed(fx.SpeechDone(self._flow.say_no))

    def on_card_fault(self, reason: int) -> None:
        """No card was read."""
        outcome = _FAULTS.get(reason, "unreadable")
        event(log, "info", "card.not_read", reason=outcome)
        if self._flow is not None and self._flow.phase == READING:
            self._reader_fault = outcome == "device_fault"
        self._feed(fx.CardNotRead(outcome))

    def on_card_removed(self) -> None:
        """The card has left the reader: the same one may come again."""
        self._last_card = b""

    def on_effect(self, result: bx.EffectResult) -> None:
        """The board's word on an effect."""
        self._feed(fx.EffectDone(result.effect_id, result.outcome, result.detail))

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
        self._checks.who = None
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
            self._log("info", "visit.resumed")
        self._perform(effects)

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
                    before = self._flow.correlation
                    effects = self._flow.handle(taken, self._clock.mono_ms())
                    if self._flow.correlation != before:
                        self._speaker.forget(NOTICE_SPEAKER)
                        self._log("info", "visit.began")
                    self._perform(effects)
        finally:
            self._draining = False
        self._changed()

    def _perform(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            self._perform_one(effect)

    def _perform_one(self, effect: fx.Effect) -> None:
        match effect:
            case fx.StartRead():
                self._start_read(effect.time_limit_ms)
            case fx.StopRead():
                self._session.stop_read()
            case fx.RunCheck():
                self._run_check(effect)
            case fx.Say():
                self._say(effect)
            case fx.Print():
                self._print(effect)
            case fx.Pulse():
                self._pulse(effect)
            case fx.QueryEffect():
                self._query(effect)
            case fx.Abandon():
                self._log("warning", "visit.effect_abandoned")
                self._session.abandon(effect.effect_id)
            case fx.Append():
                self._append(effect)
            case fx.Arm():
                self._deadline_ms = effect.at_ms
            case fx.Disarm():
                self._deadline_ms = None
            case fx.End():
                self._end(effect)

    def _is_nobody(self) -> bool:
        """No card has been read in this visit."""
        return self._flow is not None and not any(self._flow.correlation)

    def is_idle(self) -> bool:
        """Nobody is being served."""
        flow = self._flow
        return flow is None or flow.phase == ENDED or (flow.phase == READING and self._is_nobody())

    def _log(self, level: str, name: str, **fields: object) -> None:
        if self._flow is not None:
            fields = {"step": self._flow.step_name, **fields}
            event(log, level, name, correlation=self._flow.correlation, **fields)

    # ---- performing

    def _start_read(self, time_limit_ms: int) -> None:
        self._read_no = self._read_no % 0xFFFF + 1
        self._session.read_card(self._read_no, time_limit_ms)

    def _read_again(self) -> None:
        if self._flow is not None and self._flow.phase == READING:
            self._start_read(self._flow.step.time_limit_ms)

    def _run_check(self, effect: fx.RunCheck) -> None:
        flow = self._flow

        def done(result: checks.Result) -> None:
            if flow is self._flow:
                outcome, facts = result
                self._log("info", "visit.checked", check=effect.check, outcome=outcome)
                self._feed(fx.CheckDone(effect.check, outcome, facts))

        self._checks.run(effect, done)

    def _say(self, effect: fx.Say) -> None:
        text = self._service.texts.text(effect.text, self._service.settings.language, effect.fields)
        flow = self._flow

        def ended(heard: bool) -> None:
            if flow is self._flow:
                self._feed(fx.SpeechDone(effect.say_no, heard))

        self._log("info", "visit.says", text=effect.text)
        self._speaker.say(SPEAKER, encode_speech(text), ended)

    def _print(self, effect: fx.Print) -> None:
        settings = self._service.settings
        lines = [
            SlipLine(
                self._service.texts.text(
                    form.text.pick(effect.fields), settings.language, effect.fields
                ),
                form.size,
                form.align,
            )
            for form in self._service.definition.slips[effect.slip]
        ]
        try:
            slip = build_slip(lines, settings.paper_columns)
            self._session.print_slip(effect.effect_id, slip)
        except (SlipError, SessionError) as error:
            self._log("error", "visit.not_printed", problem=str(error))
            self._feed(fx.EffectDone(effect.effect_id, states.NOT_DONE))

    def _pulse(self, effect: fx.Pulse) -> None:
        try:
            self._session.pulse(effect.effect_id, effect.duration_ms)
        except SessionError as error:
            self._log("error", "visit.not_opened", problem=str(error))
            self._feed(fx.EffectDone(effect.effect_id, states.NOT_DONE))

    def _query(self, effect: fx.QueryEffect) -> None:
        try:
            self._session.query(effect.effect_id)
        except SessionError as error:
            self._log("error", "visit.not_asked", problem=str(error))
            self._feed(fx.EffectDone(effect.effect_id, states.UNKNOWN))

    def _append(self, effect: fx.Append) -> None:
        flow = self._flow
        assert flow is not None
        who = self._checks.who if effect.passage else None

        def done(result: Appended | None) -> None:
            if flow is not self._flow:
                return
            if result is None:
                self._log("error", "visit.not_recorded")
                self._feed(fx.AppendFailed(effect.intent))
                return
            self._log("info", "visit.durable", seq=result.first_seq, records=len(effect.bodies))
            self._feed(fx.Appended(effect.intent, result.first_seq))

        self._recorder.append_for_visit(effect, flow.flow_id, flow.correlation, who, done)

    def _end(self, effect: fx.End) -> None:
        self._speaker.forget(SPEAKER)
        self._log("info", "visit.ended", end=effect.name)
        self.ended[effect.name] = self.ended.get(effect.name, 0) + 1
        self._last_card_ms = self._clock.mono_ms()
        self._flow = None
        if self._reader_fault:  # say it once in a while, not all the time
            self._reader_fault = False
            self._begin_at_ms = self._clock.mono_ms() + READER_RETRY_MS
        else:
            self._begin_at_ms = self._clock.mono_ms()
