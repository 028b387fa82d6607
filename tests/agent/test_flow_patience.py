"""A person is warned before their time is up, gets more with any key, and not for ever."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_patience import (
    EXTENSIONS_MAX,
    OVER,
    SPEECH_MS_MAX,
    WARNED,
    WARNING_MS,
    Patience,
)
from edge_agent.core.flow_state import CHOOSING
from edge_agent.core.screen import KEY_LOUDER, KEY_OTHER, KEY_REPEAT, KEY_STOP, WARNING_TEXT
from protocol.wire import states
from tests.agent.flow_tools import HOLDER, PASS_FACTS, new_flow, number

NUMBER = number()
LIMIT_MS = NUMBER.steps["matter"].time_limit_ms


def asked(faults: frozenset[int] = frozenset()) -> tuple[Flow, list[fx.Effect]]:
    """A visit that has just asked which matter; the effects of that."""
    flow = new_flow(NUMBER, faults=faults)
    flow.start(0)
    effects = flow.handle(fx.CardRead(HOLDER), 0)
    for check in ("card_valid", "status_list", "age"):
        effects = flow.handle(fx.CheckDone(check, *PASS_FACTS[check]), 0)
    assert flow.phase == CHOOSING
    return flow, effects


def armed(effects: list[fx.Effect]) -> int:
    return next(e.at_ms for e in effects if isinstance(e, fx.Arm))


def said(effects: list[fx.Effect]) -> list[str]:
    return [e.text for e in effects if isinstance(e, fx.Say)]


def test_the_limit_begins_when_the_question_was_spoken_and_warns_20_s_before_its_end() -> None:
    flow, effects = asked()
    assert armed(effects) == SPEECH_MS_MAX
    assert [c.text for e in effects if isinstance(e, fx.Say) for c in e.choices] == [
        *("matter.social", "matter.medical", "matter.civil")
    ]
    effects = flow.handle(fx.SpeechDone(flow.say_no), 7_000)
    assert armed(effects) == 7_000 + LIMIT_MS - WARNING_MS
    effects = flow.handle(fx.TimeIsUp(), 47_000)
    assert said(effects) == [WARNING_TEXT]
    assert armed(effects) == 47_000 + WARNING_MS
    effects = flow.handle(fx.TimeIsUp(), 67_000)
    assert said(effects) == ["visit.too_late"]


def test_any_key_gives_the_full_limit_again_ten_times_and_then_no_more() -> None:
    flow, _ = asked()
    flow.handle(fx.SpeechDone(flow.say_no), 0)
    now = 0
    for _ in range(EXTENSIONS_MAX):
        now += LIMIT_MS
        flow.handle(fx.TimeIsUp(), now)
        effects = flow.handle(fx.KeyPressed(KEY_OTHER), now)
        assert armed(effects) == now + LIMIT_MS - WARNING_MS
    flow.handle(fx.TimeIsUp(), now)
    assert flow.handle(fx.KeyPressed(KEY_OTHER), now) == []
    assert said(flow.handle(fx.TimeIsUp(), now)) == ["visit.too_late"]


def test_a_key_that_is_stuck_on_repeat_keeps_nobody_waiting_for_ever() -> None:
    flow, _ = asked()
    for now in range(1, EXTENSIONS_MAX + 1):
        assert armed(flow.handle(fx.KeyPressed(KEY_REPEAT), now)) == now + SPEECH_MS_MAX
    flow.handle(fx.TimeIsUp(), 0)  # the speech ended
    before = flow.patience.until_ms
    assert said(flow.handle(fx.KeyPressed(KEY_LOUDER), 5)) == ["matter.ask"]
    assert flow.patience.until_ms == before


def test_without_a_voice_or_with_one_that_breaks_people_choose_all_the_same() -> None:
    flow, effects = asked(frozenset({states.VOICE}))
    assert said(effects) == []
    assert armed(effects) == LIMIT_MS - WARNING_MS
    flow, _ = asked()
    assert armed(flow.handle(fx.SpeechDone(flow.say_no, heard=False), 1)) == LIMIT_MS - 19_999
    flow, _ = asked()
    assert armed(flow.handle(fx.DeviceChanged(states.VOICE, False), 1)) == LIMIT_MS - 19_999
    effects = flow.handle(fx.KeyPressed("2"), 2)
    assert flow.facts["matter"] == "medical"
    assert any(isinstance(e, fx.RunCheck) and e.matter == "medical" for e in effects)


def test_a_choice_counts_while_the_question_is_still_spoken_and_silences_it() -> None:
    flow, _ = asked()
    effects = flow.handle(fx.KeyPressed("1"), 10)
    assert fx.Hush() in effects
    assert flow.facts["matter"] == "social"


def test_stop_ends_the_visit_and_the_card_is_to_be_taken() -> None:
    flow, _ = asked()
    assert said(flow.handle(fx.KeyPressed(KEY_STOP), 10)) == ["visit.stopped"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["time", "key", "again", "spoken"]), max_size=200), st.booleans())
def test_nobody_waits_longer_than_the_extensions_allow(moves: list[str], speaks: bool) -> None:
    """Whatever is pressed, the time armed is bounded, and OVER comes only after a warning."""
    now = 0
    patience = Patience(60_000, now, speaks=speaks)
    ends_at = 0
    for move in moves:
        before = patience.state
        if move == "time":
            now = patience.until_ms
            patience.time_up(now)
            assert patience.state != OVER or before == WARNED
        elif move == "key":
            patience.key(now)
        elif move == "again":
            patience.ask_again(now)
        else:
            patience.spoken(now)
        if patience.state == OVER:
            break
        ends_at = max(ends_at, patience.until_ms)
        assert patience.extensions <= EXTENSIONS_MAX
    assert ends_at <= (EXTENSIONS_MAX + 1) * (60_000 + SPEECH_MS_MAX)
