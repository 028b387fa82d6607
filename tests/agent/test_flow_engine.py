"""One visit by the engine: every way ends, and nothing is told before the record is durable."""

import itertools

import pytest

from edge_agent.core import flow_events as fx
from edge_agent.core.flow import APPEND_TRIES_MAX, Flow
from edge_agent.core.flow_board import NOTE_LIMIT_MS
from edge_agent.core.flow_saved import SavedFlow
from edge_agent.core.flow_state import ENDED
from protocol.records.kinds import GatePassage, PrintOutcome
from protocol.wire import states
from tests.agent.flow_tools import (
    HOLDER,
    answer,
    gate,
    gate_text,
    kinds,
    load,
    new_flow,
    run,
    shipped_texts,
)

GATE = gate()
TEXTS = shipped_texts()
TELLING = fx.Print | fx.Pulse


def tells(effect: fx.Effect) -> bool:
    """Whether a citizen takes this for a yes."""
    return isinstance(effect, TELLING) or (isinstance(effect, fx.Say) and TEXTS[effect.text].told)


def test_a_visit_without_faults_goes_in_the_order_of_the_definition() -> None:
    flow = new_flow(GATE)
    trace = run(flow, flow.start(0))
    assert kinds(trace) == [
        *("StartRead", "card_valid", "status_list", "direction", "Append", "Pulse"),
        *("gate.entered", "option", "Append", "Print", "Append", "card.take", "Append", "passed"),
    ]
    appends = [e for e in trace if isinstance(e, fx.Append)]
    assert appends[0].bodies == (GatePassage("gate", 2, 1, HOLDER.person, 0, 3),)
    assert appends[0].note == fx.PassageNote("entry")
    pulse = next(e for e in trace if isinstance(e, fx.Pulse))
    assert SavedFlow.from_bytes(appends[0].save).effect == pulse.effect_id
    slip = next(e for e in trace if isinstance(e, fx.Print))
    assert SavedFlow.from_bytes(appends[1].save).effect == slip.effect_id
    assert slip.fields["number"] == 41
    assert appends[2].bodies == (PrintOutcome(slip.effect_id, 1, 41),)
    assert appends[3].drop
    assert flow.phase == ENDED


def test_the_correlation_is_made_when_the_card_is_read() -> None:
    flow = new_flow(GATE)
    flow.start(0)
    assert flow.correlation == bytes(8)
    flow.handle(fx.CardRead(HOLDER), 1)
    assert flow.correlation != bytes(8)


def test_what_is_saved_names_no_person() -> None:
    flow = new_flow(GATE)
    for effect in run(flow, flow.start(0)):
        if isinstance(effect, fx.Append):
            assert HOLDER.person.number.encode() not in effect.save
            assert HOLDER.person.name.encode() not in effect.save


@pytest.mark.parametrize(
    ("check", "outcome", "text"),
    [
        ("card_valid", "expired", "card.expired"),
        ("card_valid", "invalid", "card.invalid"),
        ("status_list", "listed", "card.listed"),
    ],
)
def test_who_may_not_pass_is_sent_to_a_person(check: str, outcome: str, text: str) -> None:
    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.RunCheck) and effect.check == check:
            return fx.CheckDone(check, outcome, {"status": "listed", "status_code": 1})
        return None

    flow = new_flow(GATE)
    trace = run(flow, flow.start(0), change)
    assert kinds(trace)[-2:] == [text, "refused"]
    assert not any(isinstance(e, fx.Append) for e in trace)


def test_an_old_list_lets_people_pass_and_the_record_says_so() -> None:
    facts = {"status": "too_old", "status_code": 0, "list_version": 2}

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.RunCheck) and effect.check == "status_list":
            return fx.CheckDone("status_list", "too_old", facts)
        return None

    flow = new_flow(GATE)
    trace = run(flow, flow.start(0), change)
    record = next(e for e in trace if isinstance(e, fx.Append)).bodies[0]
    assert isinstance(record, GatePassage)
    assert record.list_version == 2
    assert flow.end_name == "passed"


def test_a_failed_append_is_tried_again_with_the_same_intent_then_told_honestly() -> None:
    def change(effect: fx.Effect) -> fx.Event | None:
        return fx.AppendFailed(effect.intent) if isinstance(effect, fx.Append) else None

    flow = new_flow(GATE)
    trace = run(flow, flow.start(0), change)
    tries = [e.intent for e in trace if isinstance(e, fx.Append) and e.bodies]
    assert len(tries) == APPEND_TRIES_MAX
    assert len(set(tries)) == 1
    assert not [e for e in trace if tells(e)]
    assert "terminal.sorry" in kinds(trace)
    assert flow.end_name == "failed"


@pytest.mark.parametrize("outcome", [states.NOT_DONE, states.UNKNOWN])
def test_a_gate_that_did_not_open_is_no_success(outcome: int) -> None:
    def change(effect: fx.Effect) -> fx.Event | None:
        return fx.EffectDone(effect.effect_id, outcome) if isinstance(effect, fx.Pulse) else None

    flow = new_flow(GATE)
    trace = run(flow, flow.start(0), change)
    assert kinds(trace)[-3:] == ["gate.not_opened", "Append", "failed"]
    assert sum(isinstance(e, fx.Pulse) for e in trace) == 1
    assert not any(isinstance(e, fx.Say) and tells(e) for e in trace)


@pytest.mark.parametrize(
    ("outcome", "number", "text"),
    [
        (states.NOT_DONE, 2, "gate.no_slip"),
        (states.UNKNOWN, 3, "gate.slip_unknown"),
    ],
)
def test_a_print_that_went_wrong_is_a_record_and_never_printed_again(
    outcome: int, number: int, text: str
) -> None:
    def change(effect: fx.Effect) -> fx.Event | None:
        return fx.EffectDone(effect.effect_id, outcome) if isinstance(effect, fx.Print) else None

    flow = new_flow(GATE)
    trace = run(flow, flow.start(0), change)
    prints = [e for e in trace if isinstance(e, fx.Print)]
    assert len(prints) == 1
    bodies = [b for e in trace if isinstance(e, fx.Append) for b in e.bodies]
    assert PrintOutcome(prints[0].effect_id, number, 41) in bodies
    assert text in kinds(trace)
    assert flow.end_name == "passed"


def test_a_printer_known_to_be_broken_is_not_asked_and_the_visit_stands() -> None:
    flow = new_flow(GATE, faults=frozenset({states.PRINTER}))
    trace = run(flow, flow.start(0))
    assert not any(isinstance(e, fx.Print) for e in trace)
    bodies = [b for e in trace if isinstance(e, fx.Append) for b in e.bodies]
    assert [b.outcome for b in bodies if isinstance(b, PrintOutcome)] == [2]
    assert "gate.entered" in kinds(trace)
    assert "gate.no_slip" in kinds(trace)
    assert flow.end_name == "passed"


def test_a_dead_voice_module_keeps_nobody_back() -> None:
    flow = new_flow(GATE, faults=frozenset({states.VOICE}))
    trace = run(flow, flow.start(0))
    assert not any(isinstance(e, fx.Say) for e in trace)
    assert any(isinstance(e, fx.Pulse) for e in trace)
    assert flow.end_name == "passed"


def test_a_silent_board_never_becomes_a_yes() -> None:
    """The link is down from the record on: nothing of the board is answered, time goes by."""
    flow = new_flow(GATE)
    trace, waiting, armed = [], flow.start(0), 0
    seqs = itertools.count(1)
    for _ in range(100):
        if not waiting:
            if flow.phase == ENDED:
                break
            waiting = flow.handle(fx.TimeIsUp(), armed)
        effect = waiting.pop(0)
        trace.append(effect)
        if isinstance(effect, fx.Arm):
            armed = effect.at_ms
        if not isinstance(effect, fx.Say | fx.Print | fx.Pulse):
            event = answer(effect, seqs)
            waiting += flow.handle(event, armed) if event else []
    assert flow.phase == ENDED
    assert flow.end_name == "failed"
    pulse = next(e for e in trace if isinstance(e, fx.Pulse))
    assert fx.Abandon(pulse.effect_id) in trace
    assert not any(isinstance(e, fx.Say) and tells(e) for e in trace)


# ---- after a restart


def killed_at_every_step() -> list[tuple[SavedFlow, list[fx.Effect]]]:
    """What lies in the database, and what had been done, each time the agent could be killed."""
    found = []
    flow = new_flow(GATE)
    seqs = itertools.count(41)
    waiting, saved, done = flow.start(0), b"", []
    while waiting:
        effect = waiting.pop(0)
        done.append(effect)
        if isinstance(effect, fx.Append):
            saved = b"" if effect.drop else effect.save or saved
        if saved:
            found.append((SavedFlow.from_bytes(saved), list(done)))
        event = answer(effect, seqs)
        waiting += flow.handle(event, 0) if event else []
    return found


def resume(saved: SavedFlow, done: list[fx.Effect], age_ms: int = 1_000) -> tuple[Flow, list]:
    """The next life: the board remembers what it was asked in the life before."""
    flow = new_flow(GATE, wall_ms=lambda: saved.saved_ms + age_ms)
    sent = {e.effect_id for e in done if isinstance(e, fx.Print | fx.Pulse)}

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.QueryEffect):
            known = effect.effect_id in sent
            return fx.EffectDone(effect.effect_id, states.DONE if known else states.NEVER_SEEN)
        return None

    return flow, run(flow, flow.resume(saved, 0), change)


def test_a_young_visit_goes_on_from_its_saved_step_and_does_nothing_twice() -> None:
    cases = killed_at_every_step()
    assert {saved.step for saved, _ in cases} == {"open", "slip", "take_card"}
    for saved, done in cases:
        flow, trace = resume(saved, done)
        both = [e for e in [*done, *trace] if isinstance(e, fx.Print | fx.Pulse)]
        assert len({e.effect_id for e in both}) == len(both), "an effect was sent twice"
        assert sum(isinstance(e, fx.Pulse) for e in both) == 1
        assert sum(isinstance(e, fx.Print) for e in both) == 1
        assert flow.end_name == "passed"
        assert flow.correlation == saved.correlation
        outcomes = {e.intent for e in [*done, *trace] if isinstance(e, fx.Append) and e.bodies}
        assert len(outcomes) == 2  # the passage and the print outcome, each under one intent
        if saved.step == "open":
            assert kinds(trace).index("gate.entered") > 0


def test_an_old_visit_ends_without_a_yes_and_its_print_is_still_accounted_for() -> None:
    for saved, done in killed_at_every_step():
        for age_ms in (61_000, -1):
            flow, trace = resume(saved, done, age_ms)
            assert not any(tells(e) for e in trace)
            assert flow.phase == ENDED
            assert any(isinstance(e, fx.Append) and e.drop for e in trace)
            bodies = [b for e in trace if isinstance(e, fx.Append) for b in e.bodies]
            assert len(bodies) == (1 if saved.step == "slip" else 0)


def test_a_visit_of_another_version_ends_safely() -> None:
    for saved, done in killed_at_every_step()[:1]:
        other = SavedFlow.from_bytes(saved.to_bytes().replace(b"gate", b"gift"))
        _flow, trace = resume(other, done)
        assert kinds(trace) == ["Append", "interrupted"]


def test_a_note_of_the_print_never_keeps_the_visit_waiting() -> None:
    def change(effect: fx.Effect) -> fx.Event | None:
        note = isinstance(effect, fx.Append) and isinstance(effect.bodies[:1], tuple)
        failed = note and effect.bodies and isinstance(effect.bodies[0], PrintOutcome)
        return fx.AppendFailed(effect.intent) if failed else None

    flow = new_flow(GATE)
    run(flow, flow.start(0), change)
    assert flow.end_name == "passed"
    assert NOTE_LIMIT_MS <= 10_000


def test_an_effect_whose_id_was_not_stored_is_stored_before_it_is_sent() -> None:
    """A slip, then the gate: the gate's id goes with the print outcome, and that append fails."""
    text = gate_text().replace('recorded = "open"', 'recorded = "slip"')
    for outcome in ("printed", "not_printed", "unknown", "device_fault"):
        for old in ("take_card", "no_slip", "slip_unknown"):
            text = text.replace(f'{outcome} = "{old}"', f'{outcome} = "open"')
    text = text.replace('yes = "slip", no = "take_card"', 'yes = "no_slip", no = "slip_unknown"')
    flow = new_flow(load(text))

    def change(effect: fx.Effect) -> fx.Event | None:
        noted = isinstance(effect, fx.Append) and effect.bodies
        failed = noted and isinstance(effect.bodies[0], PrintOutcome)
        return fx.AppendFailed(effect.intent) if failed else None

    trace = run(flow, flow.start(0), change)
    assert flow.end_name == "passed"
    pulse = next(e for e in trace if isinstance(e, fx.Pulse))
    saves = [e for e in trace[: trace.index(pulse)] if isinstance(e, fx.Append) and e.save]
    assert SavedFlow.from_bytes(saves[-1].save).effect == pulse.effect_id
    assert not saves[-1].bodies
