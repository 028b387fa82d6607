"""What the screen shows, for how long, and that it forgets the visitor."""

import pytest

from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.screen import (
    CHOICE,
    FAULT,
    FIRST_CHOICES,
    MESSAGE,
    READING,
    TICKET,
    WELCOME,
    WORKING,
    masked,
)
from edge_agent.core.screen_maker import (
    CARD_LIES_MS_MAX,
    FOUND_MS_MAX,
    HOLD_MS_MAX,
    PREFS_IDLE_MS,
    READ_LAST_MS,
    ScreenMaker,
)
from edge_agent.core.visitor import SPEED_MIN, VOLUME_MAX, Prefs, pressed
from protocol.records import Person
from tests.agent.flow_tools import HOLDER, PASS_FACTS, new_flow, number, shipped_texts

NUMBER = number()
TEXTS = shipped_texts()
USUAL = Prefs("zh-CN", 10, 4)


def maker() -> ScreenMaker:
    return ScreenMaker(NUMBER, TEXTS, USUAL)


def begun() -> Flow:
    flow = new_flow(NUMBER)
    flow.start(0)
    return flow


def asked() -> Flow:
    flow = begun()
    flow.handle(fx.CardRead(HOLDER), 0)
    for check in ("card_valid", "status_list", "age"):
        flow.handle(fx.CheckDone(check, *PASS_FACTS[check]), 0)
    return flow


def printing() -> Flow:
    flow = asked()
    flow.handle(fx.KeyPressed("1"), 0)
    flow.handle(fx.CheckDone("ticket_today", *PASS_FACTS["ticket_today"]), 0)
    flow.handle(fx.Appended(flow.pending.intent, 7), 0)
    return flow


def test_the_first_page_always_offers_no_card_and_an_officer() -> None:
    screen = maker().draw(begun(), 0)
    assert (screen.page, screen.text, screen.title) == (WELCOME, "number.welcome", "number.title")
    assert screen.choices == FIRST_CHOICES


def test_a_page_for_each_thing_a_visit_does() -> None:
    screen = maker().draw(asked(), 0)
    assert (screen.page, screen.text, screen.person) == (CHOICE, "matter.ask", "样** …27")
    flow = asked()
    flow.handle(fx.KeyPressed("1"), 0)
    assert maker().draw(flow, 0).page == WORKING
    flow.handle(fx.CheckDone("ticket_today", *PASS_FACTS["ticket_today"]), 0)
    recording = maker().draw(flow, 0)
    assert (recording.page, recording.number) == (WORKING, "")
    screen = maker().draw(printing(), 0)
    assert (screen.page, screen.number, screen.text) == (TICKET, "B-017", "visit.printing")
    assert screen.person == ""


def test_a_fault_takes_the_page_but_never_a_number_that_was_told() -> None:
    assert maker().draw(asked(), 0, fault="terminal.sorry").page == FAULT
    assert maker().draw(printing(), 0, fault="terminal.sorry").page == TICKET


def test_the_warning_says_what_is_left() -> None:
    flow = asked()
    flow.handle(fx.SpeechDone(flow.say_no), 0)
    assert maker().draw(flow, 0).warning_ms is None
    flow.handle(fx.TimeIsUp(), 40_000)
    assert maker().draw(flow, 41_000).warning_ms == 19_000


def ended(made: ScreenMaker) -> None:
    """A visit that told a number is over at 0."""
    made.draw(printing(), 0)
    made.ended(0)


def test_the_last_page_stays_a_while_then_the_card_then_nothing_of_the_visitor() -> None:
    made = maker()
    made.prefs = Prefs("en", 16, 2, large=True)
    made.card(True)
    ended(made)
    held = made.draw(begun(), 10)
    assert (held.page, held.number, held.language) == (TICKET, "B-017", "en")
    assert made.due_ms() == READ_LAST_MS
    assert made.on_time(READ_LAST_MS)
    lying = made.draw(begun(), READ_LAST_MS)
    assert (lying.page, lying.text, lying.number) == (MESSAGE, "card.take", "")
    assert (lying.language, lying.large, lying.volume) == ("zh-CN", False, 10)
    made.card(False)
    assert made.draw(begun(), READ_LAST_MS + 1).page == WELCOME


def test_a_card_whose_leaving_nobody_saw_does_not_keep_the_page_for_ever() -> None:
    made = maker()
    made.card(True)
    ended(made)
    made.on_time(READ_LAST_MS)
    assert made.on_time(READ_LAST_MS + CARD_LIES_MS_MAX)
    assert made.draw(begun(), READ_LAST_MS + CARD_LIES_MS_MAX).page == WELCOME


def test_keys_hold_the_last_page_but_not_for_ever_and_stop_sends_it_away() -> None:
    made = maker()
    ended(made)
    now = 0
    while made.due_ms() is not None and now < 2 * HOLD_MS_MAX:
        assert made.key("larger", now)
        now += READ_LAST_MS - 1
        made.on_time(now)
    assert HOLD_MS_MAX <= now <= HOLD_MS_MAX + READ_LAST_MS
    ended(made)
    assert not made.key("stop", 1)
    assert made.draw(begun(), 1).page == WELCOME


def test_the_next_person_does_not_get_the_last_ones_page_or_language() -> None:
    made = maker()
    ended(made)
    made.key("language", 1)
    made.began()
    screen = made.draw(asked(), 2)
    assert (screen.page, screen.language) == (CHOICE, "zh-CN")


def test_what_was_set_before_the_card_holds_for_the_visit_and_else_is_forgotten() -> None:
    made = maker()
    made.key("language", 0)
    made.began()
    assert not made.on_time(PREFS_IDLE_MS)
    assert made.prefs.language == "yue"
    made = maker()
    made.key("language", 0)
    assert made.due_ms() == PREFS_IDLE_MS
    assert made.on_time(PREFS_IDLE_MS)
    assert made.prefs == USUAL


def test_a_card_that_is_found_is_seen_at_once_and_the_last_ones_page_goes() -> None:
    made = maker()
    ended(made)
    made.found(10)
    screen = made.draw(begun(), 10)
    assert (screen.page, screen.text, screen.number) == (READING, "card.found", "")
    assert made.due_ms() == 10 + FOUND_MS_MAX
    assert made.on_time(10 + FOUND_MS_MAX)
    assert made.draw(begun(), 10 + FOUND_MS_MAX).page == WELCOME
    made.found(20)
    made.not_read()
    assert made.draw(begun(), 20).page == WELCOME


def test_an_officers_prompt_and_a_second_reading_are_a_reading_page() -> None:
    flow = begun()
    flow.handle(fx.CardRead(HOLDER), 0)
    for check in ("card_valid", "status_list"):
        flow.handle(fx.CheckDone(check, *PASS_FACTS[check]), 0)
    flow.handle(fx.CheckDone("age", "younger"), 0)
    screen = maker().draw(flow, 0)
    assert (screen.page, screen.text) == (READING, "number.officer_card")


def test_keys_pressed_during_a_visit_hold_until_its_end_however_long_it_takes() -> None:
    made = maker()
    made.began()
    made.key("language", 0)
    assert made.due_ms() is None
    assert not made.on_time(10 * PREFS_IDLE_MS)
    assert made.prefs.language == "yue"


def test_louder_and_slower_go_round() -> None:
    prefs, volumes, speeds = USUAL, [], []
    for _ in range(4):
        prefs = pressed(prefs, "louder", USUAL)
        volumes.append(prefs.volume)
    for _ in range(4):
        prefs = pressed(prefs, "slower", USUAL)
        speeds.append(prefs.speed)
    assert volumes == [12, 14, VOLUME_MAX, 10]
    assert speeds == [3, 2, SPEED_MIN, 4]


def test_languages_go_round_and_other_keys_change_nothing() -> None:
    prefs, seen = USUAL, []
    for _ in range(3):
        prefs = pressed(prefs, "language", USUAL)
        seen.append(prefs.language)
    assert seen == ["yue", "en", "zh-CN"]
    assert pressed(USUAL, "help", USUAL) == USUAL


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        ("样例甲", "441900190001010027", "样** …27"),
        ("样乙", "44190019000101003X", "样** …3X"),
        ("SAMPLE, PERSON", "AAA000000000000", "S** …00"),
        ("阿不都·样例", "810000190001010034", "阿** …34"),
    ],
)
def test_a_masked_person_shows_too_little_to_name_anybody(
    name: str, number: str, shown: str
) -> None:
    assert masked(Person("C", number, name)) == shown
