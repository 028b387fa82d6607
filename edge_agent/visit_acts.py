"""Performs what a visit wants of board, voice, checks and outbox; answers go back to that visit."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.cash_calls import CashCalls
from edge_agent.core import checks
from edge_agent.core import flow_events as fx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.effect_wishes import EffectError
from edge_agent.core.flow import Flow
from edge_agent.core.flow_definition import Definition
from edge_agent.core.screen import CHOICE_SPOKEN_TEXT, Choice
from edge_agent.core.slip import SlipError
from edge_agent.core.speaker import Speaker
from edge_agent.core.texts import Texts
from edge_agent.outbox import Appended
from edge_agent.recorder import Recorder
from edge_agent.settings import Settings
from edge_agent.slips import Slips
from edge_agent.visit_checks import VisitChecks
from protocol.wire import states
from tongban.logs import event, get

SPEAKER = "visit"

log = get("edge_agent.visits")


@dataclass(frozen=True)
class Service:
    """What a terminal offers: its definition, texts, slips, set-up. `letter` begins its tickets."""

    terminal: str
    letter: str
    definition: Definition
    texts: Texts
    settings: Settings
    slips: Slips


def log_step(flow: Flow, level: str, name: str, **fields: object) -> None:
    """A line about this visit."""
    event(log, level, name, correlation=flow.correlation, **{"step": flow.step_name, **fields})


class VisitActs:
    """`feed(flow, event)` hands an answer to the visit; `language()` is the visitor's."""

    def __init__(
        self,
        service: Service,
        *,
        session: BoardSession,
        speaker: Speaker,
        recorder: Recorder,
        visit_checks: VisitChecks,
        cash: CashCalls,
        feed: Callable[[Flow, fx.Event], None],
        language: Callable[[], str],
    ) -> None:
        self.checks = visit_checks
        self._service = service
        self._session = session
        self._speaker = speaker
        self._recorder = recorder
        self._cash = cash
        self._feed = feed
        self._language = language
        self._read_no = 0
        self._address = False
        self._scan_no = 0

    def perform(self, effect: fx.Effect, flow: Flow) -> None:
        """All effects but those of timers and of the end."""
        match effect:
            case fx.StartRead():
                self._address = effect.address
                self.start_read()
            case fx.StopRead():
                self._session.stop_read()
            case fx.StartScan():
                self._scan_no = self._scan_no % 0xFFFF + 1
                self._session.scan(self._scan_no)
            case fx.StopScan():
                self._session.stop_scan()
            case fx.RunCheck():
                self._run_check(effect, flow)
            case fx.Say():
                self._say(effect, flow)
            case fx.Hush():
                self._speaker.forget(SPEAKER)
            case fx.Print():
                self._print(effect, flow)
            case fx.Pulse():
                self._pulse(effect, flow)
            case fx.QueryEffect():
                self._query(effect, flow)
            case fx.Abandon():
                log_step(flow, "warning", "visit.effect_abandoned")
                self._session.effects.abandon(effect.effect_id)
            case fx.Pay():
                self._cash.pay(effect.order)
            case fx.StopPay():
                self._cash.stop(effect.payment, effect.why)
            case fx.LeavePay():
                self._cash.leave(effect.payment)
            case fx.Append():
                self._append(effect, flow)

    def start_read(self) -> None:
        """Ask the reader for a card until one comes or it is stopped."""
        self._read_no = self._read_no % 0xFFFF + 1
        self._session.read_card(self._read_no, 0, states.CARD_WITH_ADDRESS if self._address else 0)

    def speak(
        self,
        text: str,
        fields: fx.Fields,
        choices: tuple[Choice, ...],
        ended: Callable[[bool], None],
    ) -> None:
        """A text and then what each key means, in the visitor's language."""
        texts, language = self._service.texts, self._language()
        words = [texts.spoken(text, language, fields)]
        for choice in choices:
            what = {"choice": texts.text(choice.text, language, fields), "key": choice.key}
            words.append(texts.text(CHOICE_SPOKEN_TEXT, language, what))
        self._speaker.say(SPEAKER, " ".join(words), ended)

    def _run_check(self, effect: fx.RunCheck, flow: Flow) -> None:
        def done(result: checks.Result) -> None:
            outcome, facts = result
            log_step(flow, "info", "visit.checked", check=effect.check, outcome=outcome)
            self._feed(flow, fx.CheckDone(effect.check, outcome, facts))

        self.checks.run(effect, done)

    def _say(self, effect: fx.Say, flow: Flow) -> None:
        def ended(heard: bool) -> None:
            self._feed(flow, fx.SpeechDone(effect.say_no, heard))

        log_step(flow, "info", "visit.says", text=effect.text)
        self.speak(effect.text, effect.fields, effect.choices, ended)

    def _print(self, effect: fx.Print, flow: Flow) -> None:
        try:
            slip = self._service.slips.build(effect.slip, self._language(), effect.fields)
            self._session.effects.print_slip(effect.effect_id, slip)
        except (SlipError, EffectError) as error:
            log_step(flow, "error", "visit.not_printed", problem=str(error))
            self._feed(flow, fx.EffectDone(effect.effect_id, states.NOT_DONE))

    def _pulse(self, effect: fx.Pulse, flow: Flow) -> None:
        try:
            self._session.effects.pulse(effect.effect_id, effect.duration_ms)
        except EffectError as error:
            log_step(flow, "error", "visit.not_opened", problem=str(error))
            self._feed(flow, fx.EffectDone(effect.effect_id, states.NOT_DONE))

    def _query(self, effect: fx.QueryEffect, flow: Flow) -> None:
        try:
            self._session.effects.query(effect.effect_id)
        except EffectError as error:
            log_step(flow, "error", "visit.not_asked", problem=str(error))
            self._feed(flow, fx.EffectDone(effect.effect_id, states.UNKNOWN))

    def _append(self, effect: fx.Append, flow: Flow) -> None:
        who = self.checks.who if effect.note is not None else None

        def done(result: Appended | None) -> None:
            if result is None:
                log_step(flow, "error", "visit.not_recorded")
                self._feed(flow, fx.AppendFailed(effect.intent))
                return
            log_step(
                flow, "info", "visit.durable", seq=result.first_seq, records=len(effect.bodies)
            )
            self._feed(flow, fx.Appended(effect.intent, result.first_seq))

        self._recorder.append_for_visit(effect, flow.flow_id, flow.correlation, who, done)
