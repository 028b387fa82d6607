"""Paying a voucher in the browser: found, shown, pressed once, and every other page hears of it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.console_served import Served, served
from tests.server.cash_tools import balances
from tests.server.filled_centre import take_cash
from tests.server.making import UNIT


@pytest.fixture
def own(tmp_path: Path):
    with served(tmp_path) as made:
        take_cash(made.city)
        yield made


@pytest.fixture
def page(next_page: Page) -> Page:
    return next_page


def test_a_voucher_is_paid_by_keyboard_and_leaves_every_list(own: Served, page: Page) -> None:
    own.open(page, "wang.fang", "/cash/vouchers")
    beside = page.context.new_page()
    beside.goto(f"{own.url}/cash")
    open_vouchers = beside.locator("#sums .figure").nth(3)
    expect(open_vouchers).to_have_text("40.00")
    expect(page.locator("#number")).to_be_focused()
    page.keyboard.type("vc-002")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cash/vouchers/2")
    expect(page.locator(".thing-amount")).to_have_text("35.00 元")
    page.locator("#settle").dblclick()
    expect(page.get_by_role("status").first).to_contain_text("wang.fang 已于")
    expect(page.locator("#settle")).to_have_count(0)
    assert balances(own.here.store)[f"till:{UNIT}"] == -35
    expect(open_vouchers).to_have_text("5.00")


def test_what_is_typed_into_a_count_stays_when_the_list_changes(own: Served, page: Page) -> None:
    own.open(page, "chen.jie", "/cash/cassettes")
    amount = page.locator("input.amount")
    amount.fill("109")
    own.city.say("d-gate-2", session=9, backlog=1)
    page.wait_for_timeout(1_200)
    expect(amount).to_have_value("109")
    page.locator("input[name=note]").fill("少一元")
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_contain_text("-1.00")
    expect(page.locator("#list")).to_contain_text("没有待清点的钞箱")
