"""The officer's page in a browser: one key a press, one person a call, help that is not missed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from protocol.records import ANSWERED_ON_PAGE
from tests.pages.console_served import Served, served
from tests.pages.layout import Rules
from tests.pages.watched import Watched
from tests.server.making import UNIT

HALL = f"/hall/{UNIT}"
SLIP_MS = 750
"""A second press sooner than this is taken for a slip of the hand."""


@pytest.fixture
def here(tmp_path: Path):
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def page(next_page: Page) -> Page:
    return next_page


def at_counter(here: Served, page: Page, counter: str, name: str = "wang.fang") -> Page:
    page.set_viewport_size({"width": 1024, "height": 768})
    here.open(page, name, HALL, counter)
    expect(page.locator("#counter")).to_have_value(counter)
    return page


def now(page: Page):
    return page.locator(".now-number")


def press_again(page: Page, key: str) -> None:
    """The same key as a moment ago, and meant."""
    page.wait_for_timeout(SLIP_MS)
    page.keyboard.press(key)


def test_a_shift_at_the_desk_by_keyboard(here: Served, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    here.open(page, "wang.fang", HALL)
    page.fill("#counter", "3")
    with page.expect_navigation():
        page.click("#set-counter")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#counter")).to_have_value("3")
    page.evaluate("window.sameDocument = true")
    page.keyboard.press("n")
    expect(now(page)).to_have_text("C-001")
    press_again(page, "n")
    expect(now(page)).to_have_text("C-002")
    page.keyboard.press("a")
    expect(page.locator(".now")).to_contain_text("叫过 2 次")
    page.keyboard.press("x")
    expect(now(page)).to_have_text("—")
    expect(page.locator("#waiting tr.was-absent")).to_contain_text("C-002")
    press_again(page, "n")
    expect(now(page)).to_have_text("C-003")
    page.keyboard.press("d")
    expect(now(page)).to_have_text("—")
    expect(page.locator(".day dd").nth(1)).to_have_text("2")
    page.locator("#waiting tr.was-absent button").focus()
    page.keyboard.press("Enter")
    expect(now(page)).to_have_text("C-002")
    assert page.evaluate("window.sameDocument"), "the page was never loaded again"


def test_a_button_works_from_the_instant_in_which_it_comes(here: Served, page: Page) -> None:
    at_counter(here, page, "3")
    page.evaluate(
        """() => {
          window.sameDocument = true;
          new MutationObserver((_, observer) => {
            if (document.querySelector(".now-number").innerText !== "C-001") return;
            observer.disconnect();
            document.getElementById("done").click();
          }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    page.keyboard.press("n")
    expect(page.locator(".day dd").nth(1)).to_have_text("1")
    expect(now(page)).to_have_text("—")
    assert page.evaluate("window.sameDocument"), "a form of ours left the page"


def test_a_second_press_of_the_same_moment_calls_nobody(here: Served, page: Page) -> None:
    at_counter(here, page, "3")
    page.locator("#next").dblclick()
    expect(now(page)).to_have_text("C-001")
    page.wait_for_timeout(600)
    expect(now(page)).to_have_text("C-001")


def test_typing_the_counter_presses_no_button(here: Served, page: Page) -> None:
    at_counter(here, page, "3")
    page.locator("#counter").focus()
    page.keyboard.press("n")
    page.wait_for_timeout(500)
    expect(now(page)).to_have_text("—")


def test_what_comes_in_does_not_disturb_what_is_typed(here: Served, page: Page) -> None:
    at_counter(here, page, "3")
    page.locator("#counter").fill("12")
    page.select_option("#decision-1", index=1)
    chosen = page.locator("#decision-1").input_value()
    for place in range(3):
        here.city.take_number("n-ticket-1", f"C-01{place}", 60 + place)
        expect(page.locator("#waiting")).to_contain_text(f"C-01{place}")
    expect(page.locator("#counter")).to_have_value("12")
    expect(page.locator("#decision-1")).to_have_value(chosen)


def test_two_officers_race_and_see_each_other(here: Served, page: Page, browser: Browser) -> None:
    other = Watched(browser.new_context())
    second = at_counter(here, other.context.new_page(), "4", "li.wei")
    at_counter(here, page, "3")
    for each in (page, second):
        each.evaluate("document.getElementById('next').click()")
    expect(now(page)).not_to_have_text("—")
    expect(now(second)).not_to_have_text("—")
    assert {now(page).inner_text(), now(second).inner_text()} == {"C-001", "C-002"}
    expect(page.locator(".others")).to_contain_text("在 4 号窗口")
    expect(second.locator(".others")).to_contain_text("在 3 号窗口")
    expect(page.locator("#waiting .count")).to_have_text("5")
    other.context.close()
    assert other.problems() == []


def test_a_new_ticket_appears_by_itself(here: Served, page: Page) -> None:
    at_counter(here, page, "3")
    expect(page.locator("#waiting")).not_to_contain_text("C-009")
    here.city.take_number("n-ticket-1", "C-009", 60)
    expect(page.locator("#waiting")).to_contain_text("C-009")


def test_help_comes_on_top_and_is_answered_with_one_key(
    here: Served, page: Page, check_page
) -> None:
    at_counter(here, page, "3")
    calls = page.locator("#calls .open")
    expect(calls).to_have_count(1)
    here.city.press_help("n-ticket-1", 2, 4)
    expect(calls).to_have_count(2)
    check_page(page, "console-desk-help")
    assert page.locator("#calls").bounding_box()["y"] < 200
    page.keyboard.press("h")
    expect(page.locator("#calls .answering")).to_contain_text("正在让终端告诉本人")
    expect(page.locator("#calls .open")).to_have_count(1)
    here.city.answer_help("n-ticket-2", 1, 36, 0, ANSWERED_ON_PAGE)
    expect(page.locator("#calls .answered").first).to_contain_text("工作人员马上就来")


def test_seconds_since_the_press_count_on(here: Served, page: Page) -> None:
    at_counter(here, page, "3")
    age = page.locator("#calls .open time")
    expect(age).to_have_text(re.compile(r"^(3[5-9]|4\d) 秒"))
    here.here.now_ms += 60_000
    expect(age).to_have_text(re.compile(r"^(9[5-9]|10\d) 秒"), timeout=8_000)


def test_what_an_officer_needs_fits_a_small_screen(here: Served, page: Page, check_page) -> None:
    at_counter(here, page, "3")
    page.keyboard.press("n")
    expect(now(page)).to_have_text("C-001")
    ends = page.evaluate(
        "['next', 'again', 'absent', 'done'].map("
        "id => document.getElementById(id).getBoundingClientRect().bottom)"
    )
    assert max(ends) <= 768
    expect(now(page)).to_have_css("font-size", "96px")  # asks again when the page is just swapped
    check_page(page, "console-desk-called", Rules(band=0.6))
