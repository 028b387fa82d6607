"""The walk-in number by the engine: who gets one, on whose word, and what is told when."""

import pytest

from edge_agent.core import flow_events as fx
from edge_agent.core.flow_saved import SavedFlow
from edge_agent.core.flow_table import DefinitionError
from protocol.records.kinds import GROUND_AGE, GROUND_OFFICER, TicketIssued
from protocol.wire import states
from tests.agent.flow_tools import (
    HOLDER,
    OFFICER,
    WALL_MS,
    kinds,
    load,
    new_flow,
    number,
    number_text,
    run,
)

NUMBER = number()
DAY = "2026-09-21"


def bodies(trace: list[fx.Effect]) -> list[TicketIssued]:
    found = [b for e in trace if isinstance(e, fx.Append) for b in e.bodies]
    return [b for b in found if isinstance(b, TicketIssued)]


def checked(name: str, outcome: str, facts: dict[str, str | int] | None = None):
    """A change for `run`: this check ends otherwise."""

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.RunCheck) and effect.check == name:
            return fx.CheckDone(name, outcome, facts or {})
        return None

    return change


def test_a_visit_without_faults_goes_in_the_order_of_the_definition() -> None:
    flow = new_flow(NUMBER)
    trace = run(flow, flow.start(0))
    assert kinds(trace) == [
        *("StartRead", "card_valid", "status_list", "age", "matter.ask", "ticket_today"),
        *("Append", "Print", "Append", "number.told", "Append", "card.take", "Append", "served"),
    ]
    append = next(e for e in trace if isinstance(e, fx.Append))
    assert append.note == fx.TicketNote(DAY, "social", "B-017")
    assert append.bodies == (
        TicketIssued("number", 1, "social", "B-017", DAY, GROUND_AGE, HOLDER.person, None),
    )
    slip = next(e for e in trace if isinstance(e, fx.Print))
    assert SavedFlow.from_bytes(append.save).effect == slip.effect_id
    assert (slip.fields["ticket"], slip.fields["date"]) == ("B-017", DAY)


def test_who_is_younger_needs_an_officers_card_and_both_end_in_the_record() -> None:
    cards = iter([fx.CardRead(HOLDER), fx.CardRead(HOLDER), fx.CardRead(OFFICER)])

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.StartRead):
            return next(cards)  # the citizen's card lies there a second time: nobody's word
        if isinstance(effect, fx.Say) and effect.text == "number.officer_card":
            return fx.SpeechDone(effect.say_no)
        return checked("age", "younger")(effect)

    flow = new_flow(NUMBER)
    trace = run(flow, flow.start(0), change)
    ticket = bodies(trace)[0]
    assert (ticket.ground, ticket.person, ticket.officer) == (
        *(GROUND_OFFICER, HOLDER.person, OFFICER.person),
    )
    judged = [e for e in trace if isinstance(e, fx.RunCheck) and e.check == "officer"]
    assert [e.holder for e in judged] == [OFFICER]
    assert flow.end_name == "served"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (fx.CardNotRead("unknown_card"), "number.not_officer"),
        (fx.CardNotRead("unreadable"), "number.officer_again"),
        (fx.CardNotRead("device_fault"), "terminal.sorry"),
        (fx.DeviceChanged(states.CARD_READER, False), "terminal.sorry"),
        (fx.KeyPressed("stop"), "visit.stopped"),
    ],
)
def test_without_an_officers_word_there_is_no_number(event: fx.Event, text: str) -> None:
    flow = new_flow(NUMBER)
    flow.start(0)
    flow.handle(fx.CardRead(HOLDER), 0)
    flow.handle(fx.CheckDone("card_valid", "valid"), 0)
    facts: dict[str, str | int] = {"status": "clear", "status_code": 0, "list_version": 1}
    flow.handle(fx.CheckDone("status_list", "clear", facts), 0)
    flow.handle(fx.CheckDone("age", "younger"), 0)
    assert text in kinds(flow.handle(event, 1))


def test_who_has_a_number_hears_it_again_and_nothing_is_recorded_or_printed() -> None:
    facts: dict[str, str | int] = {"ticket": "B-003", "day": DAY, "issued": 1}
    flow = new_flow(NUMBER)
    trace = run(flow, flow.start(0), checked("ticket_today", "has", facts))
    assert kinds(trace)[-4:] == ["ticket_today", "number.again", "card.take", "served"]
    assert flow.ticket == "B-003"


@pytest.mark.parametrize(
    ("outcome", "text"), [("full", "number.full"), ("unknown", "terminal.sorry")]
)
def test_no_number_left_or_a_day_that_is_closed_sends_to_the_desk(outcome: str, text: str) -> None:
    flow = new_flow(NUMBER)
    trace = run(flow, flow.start(0), checked("ticket_today", outcome))
    assert text in kinds(trace)
    assert bodies(trace) == []


def test_a_number_that_was_not_recorded_is_never_told() -> None:
    def change(effect: fx.Effect) -> fx.Event | None:
        return fx.AppendFailed(effect.intent) if isinstance(effect, fx.Append) else None

    flow = new_flow(NUMBER)
    trace = run(flow, flow.start(0), change)
    assert "terminal.sorry" in kinds(trace)
    assert flow.ticket == ""
    assert not any(isinstance(e, fx.Print) for e in trace)


def test_a_young_visit_that_was_cut_off_prints_and_tells_its_number_after_a_restart() -> None:
    flow = new_flow(NUMBER)
    append = next(e for e in run(flow, flow.start(0)) if isinstance(e, fx.Append))
    saved = SavedFlow.from_bytes(append.save)
    later = new_flow(NUMBER, wall_ms=lambda: WALL_MS + 1_000)

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.QueryEffect):
            return fx.EffectDone(effect.effect_id, states.NEVER_SEEN)
        return None

    trace = run(later, later.resume(saved, 0), change)
    assert later.ticket == "B-017"
    assert kinds(trace)[-6:-2] == ["Append", "number.told", "Append", "card.take"]
    assert bodies(trace) == []


def test_who_comes_after_a_restart_does_not_hear_what_another_person_was_told() -> None:
    """The person heard it and may be gone with the card; the next one stands there."""
    flow = new_flow(NUMBER)
    trace = run(flow, flow.start(0))
    said = [isinstance(e, fx.Say) and e.text == "number.told" for e in trace].index(True)
    saved = next(e for e in trace[said:] if isinstance(e, fx.Append))
    later = new_flow(NUMBER, wall_ms=lambda: WALL_MS + 1_000)
    again = run(later, later.resume(SavedFlow.from_bytes(saved.save), 0))
    assert [kind for kind in kinds(again) if "." in kind] == ["card.take"]


GATE_STEP = """
[steps.gate]
do = "open_gate"
pulse_ms = 500
time_limit_s = 5
next = "again_told"
"""
BAD = [
    ('clear = "age"', 'clear = "told"', "number.told says done: needs 'recorded'"),
    ('clear = "age"', 'clear = "slip"', "steps.slip: do: needs 'number'"),
    ('has = "again_told"', 'has = "gate"', "steps.gate: do: needs 'number'"),
    ('text = "matter.ask"', 'text = "slip.number.ticket"', "tells 'ticket': needs 'issued'"),
    ('fact = "matter"', 'fact = "matters"', "steps.today: do: needs 'matter'"),
    ('fact = "matter"', 'fact = "person"', "'person' is a fact of another step"),
    ('fact = "matter"', 'fact = "Matter"', "needs small letters"),
    ('value = "civil"', 'value = "social"', "choices[3]: value: 'social' is there already"),
    ('text = "matter.civil" }', 'text = "matter.none" }', "no text 'matter.none'"),
    ('  { value = "civil", text = "matter.civil" },\n', "", "matter never is so"),
    ("years = 60", "years = 0", "years: 0 is not within 1 to 150"),
    ("time_limit_s = 120", "time_limit_s = 20", "a person needs 30 seconds or more"),
    ('"reader_fault" }', '"reader_fault", time_limit = "valid" }', "valid: do: needs 'person'"),
    ('welcome = "number.welcome"', 'welcome = "number.told"', "welcome: number.told says done"),
    ('old_enough = "matter"', 'old_enough = "today"', "needs 'matter'"),
]


@pytest.mark.parametrize(("old", "new", "words"), BAD)
def test_a_definition_that_could_fail_a_citizen_is_refused(old: str, new: str, words: str) -> None:
    assert old in number_text()
    text = number_text().replace(old, new, 1) + (GATE_STEP if '"gate"' in new else "")
    with pytest.raises(DefinitionError) as caught:
        load(text, "number.toml")
    assert words in str(caught.value)


def test_a_fourth_choice_is_refused() -> None:
    more = '  { value = "d", text = "matter.civil" },\n]\ntime_limit_s = 60'
    text = number_text().replace("]\ntime_limit_s = 60", more)
    with pytest.raises(DefinitionError, match="4 things to choose from; 1 to 3"):
        load(text)
