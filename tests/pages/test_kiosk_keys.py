"""Keypad and finger: everything can be done with ten keys, and nothing is done by accident."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from edge_agent.core import screen as s
from edge_agent.kiosk import Kiosk
from tests.pages.kiosk_tools import put, settled, shown, words
from tests.pages.played_source import ASK, WELCOME, PlayedSource, shipped_texts

OUTSIDE_A_BUTTON = (540, 200)


@pytest.fixture(scope="module")
def source() -> PlayedSource:
    return PlayedSource()


@pytest.fixture(scope="module")
def kiosk(source: PlayedSource) -> Iterator[Kiosk]:
    served = Kiosk(source, shipped_texts())
    served.start()
    yield served
    served.stop()


@pytest.fixture
def screen(kept_page: Page, kiosk: Kiosk, source: PlayedSource) -> Page:
    """The page before anybody came, settled."""
    is_open = kept_page.url.startswith(kiosk.url)
    if not is_open:
        kept_page.goto(kiosk.url)
    kept_page.evaluate("document.activeElement.blur()")
    if source.screen().text != WELCOME.text or not is_open:
        put(kept_page, source, WELCOME)
        settled(kept_page)
    source.begin()
    shown(kept_page, source)
    return kept_page


def arrived(page: Page, source: PlayedSource, *keys: str) -> None:
    """Wait until exactly these keys counted."""
    for _ in range(100):
        if source.pressed == list(keys):
            return
        page.wait_for_timeout(20)
    assert source.pressed == list(keys)


def test_the_keypad_alone_leads_to_a_number(screen: Page, source: PlayedSource) -> None:
    screen.keyboard.press("7")
    screen.wait_for_selector(".large")
    screen.keyboard.press("8")
    screen.wait_for_selector('.screen[lang="yue-Hans"]')
    screen.keyboard.press("8")
    screen.wait_for_selector('.screen[lang="en"]')
    screen.keyboard.press("1")
    screen.wait_for_selector(".page-choice.large")
    assert words(screen, ".headline") == "What do you need today?"
    settled(screen)
    screen.keyboard.press("2")
    screen.wait_for_selector(".page-ticket")
    assert words(screen, ".ticket-number") == "B-017"
    screen.keyboard.press("0")
    screen.wait_for_selector(".page-welcome.normal")
    assert words(screen, ".headline") == "请放上身份证。"
    arrived(screen, source, "larger", "language", "language", "1", "2", "stop")


@pytest.mark.parametrize(
    ("pressed", "means"),
    [
        ("4", "repeat"),
        ("5", "slower"),
        ("6", "louder"),
        ("7", "larger"),
        ("8", "language"),
        ("9", "help"),
        ("F1", "help"),
        ("0", "stop"),
        ("*", "stop"),
        ("Escape", "stop"),
        ("Numpad6", "louder"),
        ("Enter", "other"),
        ("Tab", "other"),
        ("x", "other"),
        ("Backspace", "other"),
        ("F5", "other"),
    ],
)
def test_each_key_means_one_thing(
    screen: Page, source: PlayedSource, pressed: str, means: str
) -> None:
    screen.keyboard.press(pressed)
    arrived(screen, source, means)


def test_a_keypad_without_num_lock_has_the_same_digits(screen: Page, source: PlayedSource) -> None:
    screen.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown',"
        " {code: 'Numpad6', key: 'ArrowRight', bubbles: true}))"
    )
    arrived(screen, source, "louder")


def test_a_key_held_down_counts_once(screen: Page, source: PlayedSource) -> None:
    for _ in range(5):
        screen.keyboard.down("6")
    screen.keyboard.up("6")
    screen.keyboard.press("x")
    arrived(screen, source, "louder", "other")


def test_keys_of_a_technician_are_left_alone(screen: Page, source: PlayedSource) -> None:
    screen.keyboard.press("Control+6")
    screen.keyboard.press("Shift")
    screen.keyboard.press("x")
    arrived(screen, source, "other")


def test_enter_confirms_what_is_focused_and_only_that(screen: Page, source: PlayedSource) -> None:
    screen.keyboard.press("Tab")
    screen.keyboard.press("Tab")
    assert screen.evaluate("document.activeElement.dataset.key") == "2"
    screen.keyboard.press("Enter")
    screen.wait_for_selector('[data-text="officer.ask"]')
    arrived(screen, source, "other", "other", "2")
    assert screen.evaluate("document.activeElement === document.body"), "a choice kept its focus"


def test_arrows_walk_through_all_that_can_be_pressed(screen: Page, source: PlayedSource) -> None:
    walked = []
    for _ in range(9):
        screen.keyboard.press("ArrowDown")
        walked.append(screen.evaluate("document.activeElement.dataset.key"))
    assert walked == ["1", "2", *s.KEYS[3:10]]


def test_the_bar_keeps_its_focus_when_the_page_changes(screen: Page, source: PlayedSource) -> None:
    screen.locator(".tool-louder").focus()
    screen.keyboard.press("Enter")
    arrived(screen, source, "louder")
    shown(screen, source)
    assert screen.evaluate("document.activeElement.dataset.key") == "louder"


def test_a_finger_does_what_a_key_does(screen: Page, source: PlayedSource) -> None:
    screen.locator(".tool-larger").click()
    screen.wait_for_selector(".large")
    screen.locator(".choice").first.click()
    screen.wait_for_selector(".page-choice")
    arrived(screen, source, "larger", "1")


def test_a_touch_beside_the_buttons_asks_for_time(screen: Page, source: PlayedSource) -> None:
    screen.mouse.click(*OUTSIDE_A_BUTTON)
    arrived(screen, source, "other")


def test_the_second_tap_of_a_shaky_hand_chooses_nothing(screen: Page, source: PlayedSource) -> None:
    screen.keyboard.press("1")
    screen.wait_for_selector(".page-choice")
    screen.keyboard.press("1")
    screen.locator(".choice").first.click()
    settled(screen)
    arrived(screen, source, "1")
    assert source.stale == []
    screen.keyboard.press("1")
    arrived(screen, source, "1", "1")


def test_a_key_carries_the_serial_of_the_page_that_was_seen(
    screen: Page, source: PlayedSource
) -> None:
    """A page that no longer gets news: what is chosen on it must not count on another."""
    screen.evaluate("document.querySelector('.screen').dataset.serial = '0'")
    screen.keyboard.press("1")
    screen.wait_for_timeout(200)
    assert source.pressed == []
    assert source.stale == ["1"]
    put(screen, source, ASK)
    settled(screen)
    screen.keyboard.press("1")
    arrived(screen, source, "1")


def test_nothing_of_a_person_stays_when_they_leave(screen: Page, source: PlayedSource) -> None:
    put(screen, source, replace(ASK, person="样** …27", fields={"name": "样例甲"}))
    assert "样**" in screen.content()
    put(screen, source, WELCOME)
    assert "样" not in screen.content()
    assert screen.evaluate("history.length") <= 2
    assert screen.evaluate("localStorage.length + sessionStorage.length") == 0
    screen.reload()
    assert "样" not in screen.content()


def test_no_menu_and_no_selection_gets_in_the_way(screen: Page) -> None:
    for name in ("contextmenu", "selectstart", "dragstart"):
        event = f"new Event('{name}', {{bubbles: true, cancelable: true}})"
        assert not screen.evaluate(f"document.querySelector('h1').dispatchEvent({event})")
    assert screen.evaluate("getComputedStyle(document.querySelector('h1')).userSelect") == "none"
