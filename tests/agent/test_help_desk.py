"""Calls for help, by their table: one call at a time, every word true, an officer only once one
answered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import help_desk as hd
from edge_agent.core import help_events as hx
from edge_agent.core.help_desk import HelpDesk
from edge_agent.core.help_events import CallKey, SavedCall
from edge_agent.core.screen import HELP_ANSWERED, HELP_CALLED, HELP_NONE
from protocol.records import ANSWERED_AT_DESK, ANSWERED_ON_PAGE
from protocol.wire.states import AGE_UNKNOWN
from tests.agent.help_guards import early_promise_violations

BOARD, OTHER = 11, 22
WALL_MS = 1_790_000_000_000
MINUTE_MS = 60_000


class Desk:
    """A help desk with a clock and a disk that works, or not, when the test says so."""

    def __init__(self, saved: SavedCall | None = None, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self.core = HelpDesk(saved, now_ms, WALL_MS + now_ms)

    @property
    def state(self) -> str:
        return self.core.state

    def press(
        self, number: int, age_ms: int = 0, board: int = BOARD, rings: bool = True
    ) -> hx.Effects:
        return self.core.pressed(CallKey(board, number), age_ms, self.now_ms, rings=rings)

    def stored(self, number: int, ok: bool = True, board: int = BOARD, repeated: bool = False):
        key = CallKey(board, number)
        return self.core.call_recorded(key, self.now_ms, ok=ok, repeated=repeated)

    def desk(self, number: int, of: int, wait_ms: int = 3_000, age_ms: int = 0, board: int = BOARD):
        key = CallKey(board, number)
        return self.core.answered_at_desk(key, of, wait_ms, age_ms, self.now_ms)

    def page(self, of: int, command: int = 1) -> hx.Effects:
        return self.core.answered_on_page(of, command, self.now_ms)

    def answer_stored(self, number: int, ok: bool = True, board: int = BOARD) -> hx.Effects:
        return self.core.answer_recorded(CallKey(board, number), self.now_ms, ok=ok)

    def wait(self, ms: int) -> hx.Effects:
        self.now_ms += ms
        return self.core.tick(self.now_ms)

    def restarted(self, away_ms: int = 2_000) -> "Desk":
        """The next life of the agent, with what was kept."""
        saved = self.core.to_save(self.now_ms, WALL_MS + self.now_ms)
        later = Desk(None, 0)
        later.core = HelpDesk(saved, 0, WALL_MS + self.now_ms + away_ms)
        return later

    def called(self, number: int = 7) -> "Desk":
        self.press(number)
        self.stored(number)
        return self

    def answered(self, number: int = 7) -> "Desk":
        self.called(number)
        self.desk(number + 1, number)
        self.answer_stored(number)
        return self


def key(number: int, board: int = BOARD) -> CallKey:
    return CallKey(board, number)


def test_a_press_is_called_at_once_recorded_and_spoken_of_when_its_record_is_there() -> None:
    desk = Desk()
    assert desk.state == HELP_NONE
    assert desk.press(7, 40) == [hx.RecordCall(key(7), 40)]
    assert desk.state == HELP_CALLED
    assert desk.stored(7) == [hx.Acknowledge(7), hx.Ring(7, 40), hx.Say(hx.RINGS)]


def test_the_answer_of_the_desk_is_recorded_with_its_wait_then_said() -> None:
    desk = Desk().called()
    assert desk.desk(8, 7, 3_210) == [hx.RecordAnswer(key(7), 3_210, ANSWERED_AT_DESK)]
    assert desk.state == HELP_CALLED
    told = desk.answer_stored(7)
    assert told == [hx.Acknowledge(8), hx.Stop(7), hx.Say(hx.ANSWERED)]
    assert desk.state == HELP_ANSWERED
    assert desk.wait(hd.ANSWERED_MS - 1) == []
    assert desk.wait(1) == [hx.Forget()]
    assert desk.state == HELP_NONE


def test_the_answer_of_the_page_is_recorded_with_its_wait_and_stops_the_bell() -> None:
    desk = Desk().called()
    desk.wait(20_000)
    assert desk.page(7, 5) == [hx.RecordAnswer(key(7), 20_000, ANSWERED_ON_PAGE)]
    assert desk.answer_stored(7) == [hx.CommandDone(5, True), hx.Stop(7), hx.Say(hx.ANSWERED)]


@pytest.mark.parametrize(
    ("rings", "ok", "text"),
    [
        (True, True, hx.RINGS),
        (True, False, hx.RINGS_UNRECORDED),
        (False, True, hx.RECORDED),
        (False, False, hx.FAILED),
    ],
)
def test_what_is_said_is_true_of_bell_and_disk(rings: bool, ok: bool, text: str) -> None:
    desk = Desk()
    desk.press(7, rings=rings)
    said = desk.stored(7, ok=ok)
    assert hx.Say(text) in said
    assert (hx.Acknowledge(7) in said) == ok
    screen = Desk()
    screen.core.asked(hx.OWN_NUMBERS, 0, rings=rings)
    assert hx.Say(text) in screen.stored(hx.OWN_NUMBERS, ok=ok, board=hx.OWN)


def test_a_call_that_neither_rings_nor_is_stored_is_not_shown_as_one() -> None:
    desk = Desk()
    desk.press(7, rings=False)
    assert desk.stored(7, ok=False) == [hx.Say(hx.FAILED), hx.Forget()]
    assert desk.state == HELP_NONE
    assert desk.press(7, 15_000, rings=False) == [hx.RecordCall(key(7), 0)]
    assert desk.stored(7) == [hx.Acknowledge(7)]  # the page sees it now
    desk.page(7)
    assert desk.answer_stored(7)[-1] == hx.Say(hx.ANSWERED)


def test_help_asked_for_on_the_screen_is_the_same_call() -> None:
    desk = Desk()
    own = hx.OWN_NUMBERS + 3
    recorded = hx.RecordCall(CallKey(hx.OWN, own), 0)
    assert desk.core.asked(own, 0, rings=True) == [hx.Ring(own, 0), recorded]
    assert desk.stored(own, board=hx.OWN) == [hx.Ring(own, 0), hx.Say(hx.RINGS)]
    assert desk.press(9) == [hx.Acknowledge(9), hx.Say(hx.RINGS)]  # the button too: one call
    assert desk.core.asked(own + 1, 0, rings=False) == [hx.Say(hx.RECORDED)]
    desk.desk(10, own)
    assert desk.answer_stored(own, board=hx.OWN)[-1] == hx.Say(hx.ANSWERED)


def test_a_press_that_the_disk_refused_is_not_acknowledged_and_said_once() -> None:
    desk = Desk()
    desk.press(7)
    assert desk.stored(7, ok=False)[-1] == hx.Say(hx.RINGS_UNRECORDED)
    assert desk.press(7, 15_000) == [hx.RecordCall(key(7), 0)]  # the board says it again
    assert desk.press(7, 15_000) == []
    assert desk.stored(7, ok=False) == [hx.Ring(7, 0)]
    assert desk.press(8) == [hx.RecordCall(key(7), 0)]  # another press waits for the same record
    assert desk.stored(7) == [
        hx.Acknowledge(7),
        hx.Acknowledge(8),
        hx.Ring(7, 0),
        hx.Say(hx.RINGS),
    ]


def test_a_press_again_is_the_same_call_and_is_answered_with_words() -> None:
    desk = Desk().called()
    assert desk.press(8) == [hx.Acknowledge(8), hx.Say(hx.RINGS)]
    assert desk.press(8) == [hx.Acknowledge(8)]  # its acknowledgement got lost
    assert desk.press(7) == [hx.Acknowledge(7)]
    desk.page(7)
    assert desk.answer_stored(7)[-1] == hx.Say(hx.ANSWERED)


def test_an_officer_is_announced_also_when_the_disk_fails_and_once() -> None:
    desk = Desk().called()
    desk.desk(8, 7)
    assert desk.answer_stored(7, ok=False) == [hx.Stop(7), hx.Say(hx.ANSWERED)]
    assert desk.desk(8, 7) == [hx.RecordAnswer(key(7), 3_000, ANSWERED_AT_DESK)]
    assert desk.answer_stored(7) == [hx.Acknowledge(8)]
    assert desk.desk(8, 7) == [hx.Acknowledge(8)]


def test_a_command_whose_record_failed_comes_again() -> None:
    desk = Desk().called()
    desk.page(7, 5)
    assert desk.answer_stored(7, ok=False)[0] == hx.CommandDone(5, False)
    assert desk.page(7, 5) == [hx.RecordAnswer(key(7), 0, ANSWERED_ON_PAGE)]
    assert desk.answer_stored(7) == [hx.CommandDone(5, True)]
    assert desk.page(7, 6) == [hx.CommandDone(6, True)]


def test_page_and_desk_at_the_same_time_are_one_answer() -> None:
    desk = Desk().called()
    desk.page(7, 5)
    assert desk.desk(8, 7) == []
    told = desk.answer_stored(7)
    assert told == [hx.CommandDone(5, True), hx.Acknowledge(8), hx.Stop(7), hx.Say(hx.ANSWERED)]
    assert desk.desk(9, 7) == [hx.Acknowledge(9)]
    assert desk.state == HELP_ANSWERED


def test_the_desk_takes_its_answer_back() -> None:
    desk = Desk().answered()
    assert desk.desk(9, 7, AGE_UNKNOWN) == [hx.Acknowledge(9), hx.Forget()]
    assert desk.state == HELP_NONE
    assert desk.desk(9, 7, AGE_UNKNOWN) == [hx.Acknowledge(9)]


def test_a_press_after_the_answer_is_a_new_call_and_one_before_it_is_not() -> None:
    desk = Desk().called()
    desk.desk(9, 7)
    desk.answer_stored(7)
    assert desk.press(8) == [hx.Acknowledge(8)]
    assert desk.state == HELP_ANSWERED
    assert desk.press(10, 50) == [hx.RecordCall(key(10), 50)]
    assert desk.state == HELP_CALLED
    page = Desk().called()
    page.wait(5_000)
    page.page(7)
    page.answer_stored(7)
    assert page.press(8, 100) == [hx.Acknowledge(8)]
    page.wait(200)
    assert page.press(9, 100) == [hx.RecordCall(key(9), 100)]


def test_a_day_that_the_agent_was_dead_is_recorded_in_silence() -> None:
    desk = Desk()
    desk.press(1, 20 * MINUTE_MS)
    desk.desk(2, 1, 30_000, 19 * MINUTE_MS)
    desk.press(3, 10 * MINUTE_MS)
    desk.desk(4, 3, 60_000, 9 * MINUTE_MS)
    effects = [*desk.stored(1), *desk.answer_stored(1), *desk.stored(3), *desk.answer_stored(3)]
    assert [e.event_no for e in effects if isinstance(e, hx.Acknowledge)] == [1, 2, 3, 4]
    assert not [e for e in effects if isinstance(e, hx.Say)]
    assert desk.state == HELP_NONE


def test_a_call_that_still_rings_when_the_agent_comes_back_is_shown_and_not_spoken_of() -> None:
    desk = Desk()
    desk.press(1, MINUTE_MS)
    assert desk.state == HELP_CALLED
    assert desk.stored(1) == [hx.Acknowledge(1), hx.Ring(1, MINUTE_MS)]
    desk.desk(2, 1)
    assert desk.answer_stored(1)[-1] == hx.Say(hx.ANSWERED)


def test_a_press_of_hours_ago_is_a_record_and_nothing_else() -> None:
    desk = Desk()
    assert desk.press(1, hd.CALL_MS_MAX) == [hx.RecordCall(key(1), hd.CALL_MS_MAX)]
    assert desk.state == HELP_NONE
    assert desk.stored(1) == [hx.Acknowledge(1)]


def test_a_call_that_nobody_answers_ends_and_a_late_answer_still_counts() -> None:
    desk = Desk().called()
    assert desk.core.wait_ms(desk.now_ms) == hd.CALL_MS_MAX
    assert desk.wait(hd.CALL_MS_MAX) == [hx.Forget()]
    assert (desk.state, desk.core.wait_ms(desk.now_ms)) == (HELP_NONE, None)
    assert desk.page(7) == [hx.RecordAnswer(key(7), hd.CALL_MS_MAX, ANSWERED_ON_PAGE)]
    assert desk.answer_stored(7)[-1] == hx.Say(hx.ANSWERED)
    assert desk.state == HELP_ANSWERED


def test_an_answer_to_a_call_that_nobody_knows_is_recorded_and_not_said() -> None:
    desk = Desk()
    assert desk.page(99, 4) == [hx.RecordAnswer(CallKey(hx.OWN, 99), AGE_UNKNOWN, ANSWERED_ON_PAGE)]
    assert desk.answer_stored(99, board=hx.OWN) == [hx.CommandDone(4, True)]
    assert desk.desk(5, 98, 700) == [hx.RecordAnswer(key(98), 700, ANSWERED_AT_DESK)]
    assert desk.answer_stored(98) == [hx.Acknowledge(5)]
    assert desk.state == HELP_NONE


def test_an_answer_to_another_call_leaves_this_one_open() -> None:
    desk = Desk().called()
    desk.page(6)
    assert desk.answer_stored(6, board=hx.OWN) == [hx.CommandDone(1, True)]
    assert desk.state == HELP_CALLED


def test_the_desk_answers_what_is_open_when_its_number_got_lost() -> None:
    desk = Desk().called()
    desk.wait(500)
    assert desk.desk(9, 0, AGE_UNKNOWN) == [hx.RecordAnswer(key(7), 500, ANSWERED_AT_DESK)]
    early = Desk().called()
    early.wait(500)
    assert early.desk(9, 0, 80, 600) == [hx.RecordAnswer(key(0), 80, ANSWERED_AT_DESK)]
    assert early.state == HELP_CALLED


def test_a_restart_of_the_agent_keeps_the_call_and_its_time() -> None:
    desk = Desk().called()
    desk.wait(4_000)
    later = desk.restarted(away_ms=2_000)
    assert later.state == HELP_CALLED
    assert later.core.open_call(0) == [hx.Ring(7, 6_000)]
    assert later.press(7, 6_000) == [hx.Acknowledge(7)]
    assert later.press(8, rings=True) == [hx.Acknowledge(8), hx.Say(hx.RINGS)]
    later.wait(1_000)
    assert later.page(7) == [hx.RecordAnswer(key(7), 7_000, ANSWERED_ON_PAGE)]
    assert later.answer_stored(7)[-1] == hx.Say(hx.ANSWERED)
    again = later.restarted()
    assert again.state == HELP_ANSWERED
    assert again.core.open_call(0) == []
    assert again.page(7, 9) == [hx.CommandDone(9, True)]
    assert again.desk(8, 7) == [hx.Acknowledge(8)]
    assert again.restarted(hd.ANSWERED_MS).state == HELP_NONE


def test_a_restart_does_not_take_another_boards_press_for_this_call() -> None:
    later = Desk().called().restarted(hd.CALL_MS_MAX)
    assert later.state == HELP_NONE
    assert later.press(7, board=OTHER) == [hx.RecordCall(key(7, OTHER), 0)]


def test_a_clock_that_went_back_leaves_the_wait_unknown() -> None:
    later = Desk().called().restarted(away_ms=-5_000)
    assert later.core.open_call(0) == [hx.Ring(7, AGE_UNKNOWN)]
    assert later.page(7) == [hx.RecordAnswer(key(7), AGE_UNKNOWN, ANSWERED_ON_PAGE)]


def test_a_press_that_an_earlier_life_had_recorded_before_its_last_call_is_over() -> None:
    later = Desk().answered(7).restarted(hd.ANSWERED_MS)
    later.press(5, 30_000)
    assert later.stored(5, repeated=True) == [hx.Acknowledge(5), hx.Forget()]
    assert later.state == HELP_NONE


def test_a_board_that_rebooted_goes_on_with_the_same_call() -> None:
    desk = Desk().called()
    desk.wait(3_000)
    assert desk.press(7, AGE_UNKNOWN) == [hx.Acknowledge(7)]
    assert desk.press(9, AGE_UNKNOWN) == [hx.Acknowledge(9)]  # a press again, from its journal
    assert desk.desk(10, 7, AGE_UNKNOWN) == [hx.RecordAnswer(key(7), 3_000, ANSWERED_AT_DESK)]


def test_calls_kept_are_bounded() -> None:
    desk = Desk()
    for number in range(3 * hd.CALLS_KEPT_MAX):
        desk.called(2 * number)
        desk.desk(2 * number + 1, 2 * number)
        desk.answer_stored(2 * number)
    assert len(desk.core._calls) == len(desk.core._answers) == hd.CALLS_KEPT_MAX


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("press", "asked", "desk", "page", "stored", "wait", "restart")),
        st.integers(0, 5),
        st.sampled_from((0, 50, hd.FRESH_MS, 90_000, hd.CALL_MS_MAX, AGE_UNKNOWN)),
        st.booleans(),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_no_order_of_events_promises_anybody_before_an_answer(
    steps: list[tuple[str, int, int, bool]],
) -> None:
    assert early_promise_violations(None, steps) == []
