"""The console in a browser: live without reload, honest when it is not, readable everywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from protocol.state import Alarm
from sync_server.accounts import create_setup_token
from tests.pages.console_served import SIZES, Served, served
from tests.pages.layout import Rules
from tests.pages.watched import Watched
from tests.server.console_site import GOOD
from tests.server.filled_centre import many, take_cash
from tests.server.making import UNIT

STALE_MS = 10_000
PAGES = {
    "home": "/",
    "terminal": "/terminal/d-gate-1",
    "hall": f"/hall/{UNIT}",
    "halls": "/hall",
    "conflicts": "/conflicts",
    "help": "/help",
    "cash": "/cash",
    "cash-vouchers": "/cash/vouchers",
    "cash-voucher": "/cash/vouchers/2",
    "cash-cases": "/cash/cases",
    "cash-case": "/cash/cases/1",
    "cash-cassettes": "/cash/cassettes",
    "quarantine": "/quarantine",
    "refused": "/refused",
    "audit": "/audit",
    "accounts": "/accounts",
    "password": "/password",
    "not-found": "/nothing",
}
LOOKS = (
    ("wide", "zh-CN", "light"),
    pytest.param("desk", "en", "dark", marks=pytest.mark.long),
)
FULL = {"home", "terminal", "hall"}
"""Pages that are full on any day; a list may be short."""
RULES = Rules()
SHORT = Rules(band=0.85)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with served(tmp_path_factory.mktemp("console")) as made:
        take_cash(made.city)
        yield made


@pytest.fixture
def own(tmp_path: Path):
    """A console that a test changes."""
    with served(tmp_path) as made:
        yield made


def look(page: Page, here: Served, size: str, language: str, theme: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    here.speak(page.context, language)


@pytest.fixture
def empty(tmp_path: Path):
    """A console without terminals."""
    with served(tmp_path, is_filled=False) as made:
        yield made


@pytest.fixture
def page(next_page: Page) -> Page:
    return next_page


@pytest.fixture
def asked(page: Page) -> Iterator[list[Request]]:
    """All requests of the page."""
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    page.on("request", note)
    yield requests
    page.remove_listener("request", note)


# ---- looks


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("size", "language", "theme"), LOOKS)
def test_every_page_can_be_read_and_pressed(
    here: Served, kept: Watched, page: Page, check_page, name, size, language, theme
) -> None:
    kept.may_fail.append("404")
    here.let_in(page.context, "li.wei")
    look(page, here, size, language, theme)
    page.goto(here.url + PAGES[name])
    if name not in {"password", "not-found"}:
        page.wait_for_selector("html[data-ready]")
    rules = RULES if name in FULL else SHORT
    check_page(page, f"console-{name}-{size}-{language}-{theme}", rules)


@pytest.mark.parametrize(("size", "language", "theme"), LOOKS)
def test_the_login_can_be_read_and_pressed(
    here: Served, kept: Watched, page: Page, check_page, size, language, theme
) -> None:
    kept.may_fail.append("401")
    look(page, here, size, language, theme)
    page.goto(here.url)
    page.fill("#name", "zhao.yun")
    page.fill("#password", "wrong guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check_page(page, f"console-login-{size}-{language}-{theme}")


def test_the_first_administrator_is_made_in_the_browser(
    empty: Served, page: Page, check_page
) -> None:
    connection = empty.here.store.connection
    connection.execute("DELETE FROM account")
    token = create_setup_token(connection, empty.here.now_ms)
    look(page, empty, "desk", "zh-CN", "light")
    page.goto(f"{empty.url}/setup?token={token}")
    check_page(page, "console-setup")
    page.fill("#name", "li.wei")
    page.fill("#password", GOOD)
    page.fill("#repeated", GOOD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/login")
    empty.log_in(page, "li.wei")
    expect(page.locator("#attention")).to_contain_text("还没有终端")
    check_page(page, "console-empty", SHORT)


def test_theme_and_language_switch_from_the_menu_and_stay(here: Served, page: Page) -> None:
    here.open(page, "zhao.yun", "/help")
    page.locator("summary").click()
    page.get_by_role("button", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Help calls")
    assert page.url.endswith("/help")


# ---- live


def test_the_home_page_follows_the_centre_without_a_reload(own: Served, page: Page) -> None:
    own.open(page, "zhao.yun")
    page.evaluate("window.sameDocument = true")
    conflicts = page.locator("#truth .figure").nth(3)
    expect(conflicts).to_have_text("1")
    expect(page.locator("#attention")).not_to_contain_text("n-gate-1")
    own.city.say("n-gate-1", session=9, alarms=(Alarm("link_differs", own.city.now_ms),))
    expect(page.locator("#attention")).to_contain_text("n-gate-1")
    expect(page.locator("#terminals tbody tr", has_text="n-gate-1")).to_contain_text("报警")
    told = page.locator("#truth .figure").first
    before = int(told.inner_text())
    own.city.terminals["n-gate-2"].visit(3)
    own.city.send("n-gate-2")
    expect(told).to_have_text(str(before + 3))
    assert page.evaluate("window.sameDocument")


def test_one_page_opens_one_stream(own: Served, page: Page, asked: list[Request]) -> None:
    for path in ("/", f"/hall/{UNIT}", "/terminal/n-gate-1", "/conflicts"):
        asked.clear()
        own.open(page, "li.wei", path)
        page.wait_for_timeout(400)
        assert len([request for request in asked if "/live/" in request.url]) == 1, path


def test_a_table_that_is_up_to_date_asks_for_nothing(
    own: Served, page: Page, asked: list[Request]
) -> None:
    own.open(page, "zhao.yun")
    page.wait_for_timeout(1_000)
    assert [request.url for request in asked if "hx-request" in request.headers] == []
    own.city.say("n-gate-1", session=9, backlog=1)
    expect(page.locator("#terminals tbody tr", has_text="n-gate-1")).to_contain_text("1")
    page.wait_for_timeout(1_500)
    assert len([request for request in asked if "hx-request" in request.headers]) == 1


def test_a_silent_stream_is_marked_and_the_mark_heals(own: Served, watched: Watched) -> None:
    watched.may_fail += ["Failed to load", "ERR_", "[object ", "htmx:"]
    page = watched.context.new_page()
    page.clock.install()
    own.open(page, "zhao.yun")
    mark = page.locator("#as-of")
    expect(mark).to_contain_text("实时")
    expect(mark).not_to_have_class("as-of stale")
    own.stop()
    page.clock.fast_forward(STALE_MS + 1_500)
    expect(mark).to_have_class("as-of stale")
    expect(mark).to_contain_text("已停止更新")
    own.again()
    page.clock.fast_forward(20_000)
    expect(mark).not_to_have_class("as-of stale", timeout=15_000)
    own.city.say("n-gate-1", session=9, alarms=(Alarm("link_differs", own.city.now_ms),))
    expect(page.locator("#attention")).to_contain_text("n-gate-1")


def test_a_session_that_ended_leads_to_the_login_and_back(
    own: Served, kept: Watched, page: Page
) -> None:
    kept.may_fail.append("401")
    with page.expect_request("**/live/**"):
        own.open(page, "zhao.yun", "/help")
    page.wait_for_timeout(500)
    own.here.store.connection.execute("DELETE FROM session")
    page.wait_for_url("**/login?next=%2Fhelp")
    page.fill("#name", "zhao.yun")
    page.fill("#password", GOOD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/help")


# ---- search and filter


def test_search_filter_and_order_stand_in_the_address(here: Served, page: Page) -> None:
    here.open(page, "zhao.yun")
    rows = page.locator("#terminals tbody tr")
    everything = rows.count()
    page.locator("#search").press_sequentially("gate-1")
    expect(rows).to_have_count(4)
    page.wait_for_url("**/?*q=gate-1*")
    page.select_option("#unit", UNIT)
    expect(rows).to_have_count(1)
    assert "unit=" in page.url
    expect(page.locator("#search")).to_have_value("gate-1")
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.locator("#search")).to_have_value("gate-1")
    expect(page.locator("#unit")).to_have_value(UNIT)
    page.goto(here.url + "/?sort=name")
    expect(rows).to_have_count(everything)
    names = [row.split()[0] for row in page.locator("#terminals td.name").all_inner_texts()]
    assert names == sorted(names)


def test_a_filtered_table_stays_filtered_when_the_centre_changes(own: Served, page: Page) -> None:
    own.open(page, "zhao.yun", "/?q=n-gate-1")
    rows = page.locator("#terminals tbody tr")
    expect(rows).to_have_count(1)
    own.city.say("n-gate-1", session=9, alarms=(Alarm("link_differs", own.city.now_ms),))
    expect(rows.first).to_contain_text("报警")
    expect(rows).to_have_count(1)


def test_typing_is_not_disturbed_by_what_comes_in(own: Served, page: Page) -> None:
    own.open(page, "zhao.yun")
    page.locator("#search").focus()
    for place, letter in enumerate("n-gate"):
        page.keyboard.type(letter)
        own.city.say("d-gate-2", session=20 + place, backlog=place)
        page.wait_for_timeout(200)
    expect(page.locator("#search")).to_have_value("n-gate")
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#terminals tbody tr")).to_have_count(2)


def test_five_hundred_terminals_are_shown_in_pages(empty: Served, page: Page, check_page) -> None:
    many(empty.here.centre, 500)
    look(page, empty, "wide", "zh-CN", "light")
    empty.open(page, "zhao.yun")
    rows = page.locator("#terminals tbody tr")
    expect(rows).to_have_count(50)
    expect(page.locator(".pages")).to_contain_text("500")
    check_page(page, "console-500", axe=False)
    page.get_by_role("link", name="下一页").click()
    page.wait_for_url("**/?page=2")
    expect(rows.first).to_contain_text("t-050")
    page.locator("#search").fill("t-499")
    expect(rows).to_have_count(1)
