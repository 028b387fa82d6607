"""The whole machine over all shipped services: every state under every event.

Every state reaches an end by time alone; nothing is told before its record; no step is done twice;
who put a card on the reader is told to take it.
"""

from dataclasses import dataclass
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import cash_events as cx
from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_check import _in_order
from edge_agent.core.flow_definition import Definition
from edge_agent.core.flow_patience import EXTENSIONS_MAX
from edge_agent.core.flow_saved import SavedFlow
from edge_agent.core.flow_state import ENDED, JUDGING, READING, SAYING, WAITING_PHASES
from edge_agent.core.screen import KEY_CHOICES, KEY_OTHER, KEY_REPEAT, KEY_STOP, PAGES, TICKET
from edge_agent.core.screen_maker import ScreenMaker
from edge_agent.core.visitor import Prefs
from protocol.records.kinds import GatePassage, TicketIssued
from protocol.wire import states
from tests.agent.flow_tools import HOLDER, OFFICER, fee, gate, new_flow, number, shipped_texts
from tests.agent.scan_service import scanning_service

T = TypeVar("T")
TEXTS = shipped_texts()
SERVICES = {"gate": gate(), "number": number(), "scan": scanning_service(), "fee": fee()}
WALK_STATES_MAX = 10_000
ALIKE = ("matter", "due", "rest", "paid", "kept", "refund", "doubt")
TAKE_WORDS = "取回"
ENDS = {
    "gate": {"passed", "refused", "failed", "unread", "desk", "stopped"},
    "number": {"served", "desk", "stopped", "failed", "unread"},
    "scan": {"done", "desk", "stopped", "failed", "unread"},
    "fee": {"served", "owed", "desk", "stopped", "failed", "unread"},
}
KEYS = (*KEY_CHOICES, KEY_STOP, KEY_REPEAT, KEY_OTHER)
FACTS = {
    "card_valid": {},
    "status_list": {"status": "clear", "status_code": 0, "list_version": 1},
    "direction": {"direction": "exit"},
    "option": {},
    "age": {"ground": "age"},
    "ticket_today": {"ticket": "B-017", "day": "2026-09-21"},
    "voucher": {},
}
MOVES = [
    *((0, True, False, cx.HINT_NONE), (0, True, True, cx.HINT_NONE)),
    *((500, True, False, cx.HINT_REJECTED), (2_000, False, False, cx.HINT_NONE)),
]
PAYS = [
    *((cx.PAID, 2_000, 2_000, ""), (cx.PAID, 5_000, 2_000, "VB-001")),
    *((cx.STOPPED, 0, 0, ""), (cx.STOPPED, 500, 0, "VB-001"), (cx.TIME_LIMIT, 0, 0, "")),
    *((cx.DEVICE_FAULT, 500, 0, "VB-001"), (cx.IN_DOUBT, 0, 0, ""), (cx.UNKNOWN, 500, 0, "")),
]
"""How a payment goes and ends: paid and kept fen, voucher."""


def tells(effect: fx.Effect) -> bool:
    """Whether a citizen takes this for a yes."""
    if isinstance(effect, fx.Say):
        return TEXTS[effect.text].told or "ticket" in TEXTS[effect.text].fields
    return isinstance(effect, fx.Print | fx.Pulse)


def check_answers(flow: Flow) -> list[fx.Event]:
    answers: list[fx.Event] = []
    for outcome in flow.step.kind.outcomes:
        facts = dict(FACTS[flow.step.check])
        if (outcome, bool(flow.facts.get("voucher"))) in (("owed", False), ("none", True)):
            continue
        if outcome == "has":
            facts["issued"] = 1
        if outcome != "time_limit":
            answers.append(fx.CheckDone(flow.step.check, outcome, facts))
    return answers


def every_event(flow: Flow) -> list[fx.Event]:
    """One of each event that can reach a visit in this state, matching and not matching."""
    intent, effect = flow.pending.intent, flow.durable_effect
    events: list[fx.Event] = [
        fx.CardRead(HOLDER),
        fx.CardRead(OFFICER),
        fx.TimeIsUp(),
        fx.Appended(intent, 7),
        fx.Appended(b"x" * 16, 8),
        fx.AppendFailed(intent),
        fx.SpeechDone(flow.say_no),
        fx.SpeechDone(flow.say_no, heard=False),
        fx.SpeechDone(999),
        fx.EffectDone(12345, states.DONE),
    ]
    events += [fx.KeyPressed(key) for key in KEYS]
    events += [fx.CardNotRead(r) for r in ("unreadable", "unknown_card", "device_fault")]
    events += [fx.CodeScanned("TB1"), fx.CodeNotScanned("unreadable")]
    events += [fx.CodeNotScanned(r) for r in ("device_fault", "time_limit")]
    events += [fx.EffectDone(effect, o) for o in (1, 2, 3, 4)]
    devices = {
        *(states.CARD_READER, states.PRINTER, states.VOICE),
        states.CASH_ACCEPTOR if flow.definition.service == "fee" else states.BARCODE_READER,
    }
    events += [fx.DeviceChanged(device, works) for device in devices for works in (True, False)]
    if flow.cash is not None:
        events += cash_events(flow.cash.payment)
    if flow.phase == JUDGING:
        events += [fx.CheckDone("officer", outcome) for outcome in ("agreed", "not_officer")]
    elif flow.step.do == "check":
        events += check_answers(flow)
    return events


def cash_events(payment: bytes) -> list[fx.Event]:
    """What the cash desk may say of a payment, and of another."""
    moved = [
        cx.Progress(payment, paid, open=is_open, busy=busy, hint=hint)
        for paid, is_open, busy, hint in MOVES
    ]
    ended = [
        cx.Ended(
            payment,
            outcome,
            cx.Amounts(2_000, paid, kept, paid - kept if voucher else 0),
            voucher,
            9 if paid and outcome != cx.UNKNOWN else 0,
            b"i" * 16,
        )
        for outcome, paid, kept, voucher in PAYS
    ]
    stranger = cx.Ended(b"stranger", cx.PAID, cx.Amounts(2_000, 2_000, 2_000))
    return [*map(fx.CashMoved, moved), *map(fx.CashEnded, [*ended, stranger])]


def copied(flow: Flow) -> Flow:
    """The same visit once more; what never changes is shared."""
    twin = shallow(flow)
    twin.facts = dict(flow.facts)
    twin.patience = shallow(flow.patience)
    twin.entropy = shallow(flow.entropy)
    return twin


def shallow(thing: T) -> T:
    """`copy.copy` of a plain object, five times as fast: here a million are made."""
    if thing is None:
        return thing
    twin = object.__new__(type(thing))
    twin.__dict__.update(thing.__dict__)
    return twin


@dataclass
class Case:
    """A state of a visit, and what was told on the way to it."""

    flow: Flow
    recorded: bool = False  # a record of this visit is durable, or the index says so
    card: bool = False  # a citizen's card was read
    last_text: str = ""

    def key(self) -> tuple[object, ...]:
        """What can matter from here on. One matter is like the other, and so are amounts."""
        flow = self.flow
        facts = frozenset(pair for pair in flow.facts.items() if pair[0] not in ALIKE)
        waits = flow.phase in WAITING_PHASES and flow.patience is not None
        patience = (flow.patience.state, flow.patience.extensions) if waits else ()
        own = (flow.phase, flow.step_name, flow.faults, facts, flow.tries, flow.durable_step)
        more = (patience, flow.phase == SAYING and (flow.mute, flow.repeats), flow.is_nobody)
        cash = flow.cash and (flow.cash.open, flow.cash.busy)
        return (*own, *more, cash, self.recorded, self.card, TAKE_WORDS in zh(self.last_text))

    def contents(self) -> dict[str, object]:
        """All that an event may change."""
        flow = self.flow
        patience = flow.patience and vars(flow.patience)
        own = {"recorded": self.recorded, "card": self.card, "last": self.last_text}
        return vars(flow) | {"patience": patience, "entropy": None} | own

    def after(self, event: fx.Event) -> tuple["Case", list[fx.Effect]]:
        flow = copied(self.flow)
        effects = flow.handle(event, 0)
        recorded = self.recorded or flow_recorded(self.flow, event)
        says = [e.text for e in effects if isinstance(e, fx.Say)]
        read = self.card or (self.flow.phase == READING and isinstance(event, fx.CardRead))
        return Case(flow, recorded, read, says[-1] if says else self.last_text), effects


def zh(text: str) -> str:
    return TEXTS[text].texts["zh-CN"] if text else ""


def flow_recorded(before: Flow, event: fx.Event) -> bool:
    if isinstance(event, fx.CashEnded):
        return before.cash is not None and event.end.payment == before.cash.payment
    if isinstance(event, fx.Appended):
        return event.intent == before.record_intent and any(event.intent)
    return isinstance(event, fx.CheckDone) and event.outcome == "has"


def maker(definition: Definition) -> ScreenMaker:
    return ScreenMaker(definition, TEXTS, Prefs("zh-CN", 10, 4))


def check_screen(definition: Definition, case: Case) -> None:
    """Every state has a page that says something, and a number only behind its record."""
    screen = maker(definition).draw(case.flow, 0)
    assert screen.page in PAGES
    for language in ("zh-CN", "yue", "en"):
        assert TEXTS.text(screen.text, language, screen.fields)
    assert "001002" not in screen.person
    told = screen.page == TICKET or screen.number or TEXTS[screen.text].told
    assert case.recorded or not told, case.key()


def check_end(definition: Definition, case: Case) -> None:
    """Over means over; who has a card on the reader was told to take it, if there was a voice."""
    flow = case.flow
    assert all(copied(flow).handle(e, 0) == [] for e in every_event(flow))
    silent = states.VOICE in flow.faults or flow.mute
    if case.card and not silent and flow.end_name != "interrupted":
        assert TAKE_WORDS in zh(case.last_text), case.key()


def time_alone(case: Case, steps: int) -> Flow:
    """What becomes of this visit when nobody and nothing answers any more."""
    flow = copied(case.flow)
    for _ in range(4 * steps):
        if flow.phase != ENDED:
            flow.handle(fx.TimeIsUp(), 0)
    return flow


def skip_alike(flow: Flow) -> None:
    """The second to the last but one extension are like the first."""
    if flow.patience is not None and flow.patience.extensions > 0:
        flow.patience.extensions = EXTENSIONS_MAX
    if flow.repeats:
        flow.repeats = EXTENSIONS_MAX


@pytest.mark.parametrize("service", SERVICES)
def test_every_state_reaches_an_end_whatever_happens(service: str) -> None:
    definition = SERVICES[service]
    order = {name: place for place, name in enumerate(_in_order("f", definition))}
    first = Case(new_flow(definition))
    first.flow.start(0)
    seen, todo, ends = {first.key()}, [first], set()
    while todo:
        case = todo.pop()
        assert len(seen) < WALK_STATES_MAX
        check_screen(definition, case)
        if case.flow.phase == ENDED:
            ends.add(case.flow.end_name)
            check_end(definition, case)
            continue
        late = time_alone(case, len(definition.steps))
        idle = late.phase == READING and late.patience is None  # nobody is there
        assert late.phase == ENDED or idle, case.key()
        before = case.contents()
        for event in every_event(case.flow):
            after, effects = case.after(event)
            assert after.recorded or not any(tells(e) for e in effects), (case.key(), event)
            assert order[after.flow.step_name] >= order[case.flow.step_name], "a step came again"
            if not effects and after.contents() == before:
                continue  # it does not belong here
            skip_alike(after.flow)
            if after.key() not in seen:
                seen.add(after.key())
                todo.append(after)
    assert ends == ENDS[service]
    assert len(seen) > 100


@pytest.mark.parametrize("service", SERVICES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_nothing_is_told_before_the_append_in_any_order_of_events(
    service: str, data: st.DataObject
) -> None:
    any_order(service, data)


@pytest.mark.long
@pytest.mark.parametrize("service", SERVICES)
@settings(max_examples=1000, deadline=None)
@given(data=st.data())
def test_nothing_is_told_before_the_append_in_very_many_orders_of_events(
    service: str, data: st.DataObject
) -> None:
    any_order(service, data)


def any_order(service: str, data: st.DataObject) -> None:
    flow = new_flow(SERVICES[service])
    effects = flow.start(0)
    durable_ids: set[int] = set()
    asked: dict[bytes, fx.Append] = {}
    recorded = False
    for _ in range(60):
        for effect in effects:
            assert recorded or not tells(effect)
            if isinstance(effect, fx.Print | fx.Pulse):
                assert effect.effect_id in durable_ids
                durable_ids.discard(effect.effect_id)  # at most once
            if isinstance(effect, fx.Append):
                asked[effect.intent] = effect
        if flow.phase == ENDED:
            return
        event = data.draw(st.sampled_from(every_event(flow)))
        if isinstance(event, fx.Appended) and event.intent in asked:
            append = asked.pop(event.intent)
            made = any(isinstance(b, GatePassage | TicketIssued) for b in append.bodies)
            recorded = recorded or made
            if append.save:
                durable_ids.add(SavedFlow.from_bytes(append.save).effect)
        if isinstance(event, fx.CheckDone) and event.outcome == "has":
            recorded = True  # index and record are one commit
        if isinstance(event, fx.CashEnded) and flow_recorded(flow, event):
            recorded = bool(event.end.seq)
        effects = flow.handle(event, 0)
