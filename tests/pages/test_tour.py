"""The demo as a newcomer has it: the hall, the tour that ticks itself off, a terminal to play with.

One hall for all tests, four times faster than life; everything is clicked in a real browser.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.pages.layout import Rules
from tests.pages.watched import Watched

OPEN_MS = 90_000
VISIT_MS = 20_000
STOP_S = 60
SIZES = ((1440, 900), (1024, 768), (1080, 1920))
RULES = Rules(font_px=14, target_px=44, contrast=7.0, band=0.5)
ELDER, SECOND = "elder", "long_term"


CheckPage = Callable[..., None]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo that stays open; its page answers, its hall may still be opening."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "tongban.cli", "demo", "--speed", "4", "--port", "0"]
    with subprocess.Popen(
        [*command, "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=STOP_S)
            assert "lost 0, " in out, out
            assert process.returncode == 0, out
        finally:
            process.kill()


def step(page: Page, name: str) -> None:
    """Wait until the tour has ticked this step off."""
    expect(page.locator(f"#step-{name}")).to_have_class(re.compile("is-done"), timeout=VISIT_MS)


def stand_before(page: Page, address: str, terminal: str) -> None:
    """Open a terminal's page and wait until nobody is in front any more."""
    page.goto(f"{address}/play/{terminal}")
    expect(page.locator("#wait")).to_be_hidden(timeout=VISIT_MS)


def put(page: Page, card: str) -> None:
    page.locator(f'[data-card="{card}"]').click()


def hear(page: Page, words: str) -> None:
    expect(page.locator("#caption")).to_contain_text(words, timeout=VISIT_MS)


def take_card(page: Page) -> None:
    """Wait until the terminal gives the card back, and take it."""
    hear(page, "取回")
    page.locator("#reader").click()
    expect(page.locator("#reader")).to_be_disabled()


def fault(page: Page, name: str) -> None:
    """Switch a fault by its label, as a hand does."""
    if page.locator("#break[open]").count() == 0:
        page.locator("#break > summary").click()
    group = page.locator(f'[data-device="{name.split(maxsplit=1)[0]}"]')
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    page.locator("label", has=page.locator(f'[data-fault="{name}"]')).click()


def test_the_page_lives_before_the_hall_and_then_people_come(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("h1")).to_contain_text("大厅")
    expect(page.locator("#opening")).to_be_hidden(timeout=OPEN_MS)
    expect(page.locator("#people .person").first).to_be_attached(timeout=VISIT_MS)
    expect(page.locator("#truth-told")).not_to_have_text("0", timeout=VISIT_MS)
    expect(page.locator("#truth-lost")).to_have_text("0")


def test_the_tour_ticks_itself_off(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(address)
    expect(page.locator("#opening")).to_be_hidden(timeout=OPEN_MS)
    page.locator("#tour-begin").click()
    page.locator("#go").click()
    expect(page.locator("#wait")).to_be_hidden(timeout=VISIT_MS)
    put(page, ELDER)
    step(page, "card")
    step(page, "hear")
    hear(page, "取回")
    page.locator("#slip").click()
    expect(page.locator("#held img")).to_have_attribute("alt", re.compile("入场"))
    page.locator("#reader").click()
    step(page, "slip")
    page.locator("#break > summary").click()
    page.locator("#network").click()
    step(page, "unplug")
    put(page, SECOND)
    step(page, "second")
    expect(page.locator("#mine-told")).to_have_text("2")
    expect(page.locator("#mine-stored")).to_have_text("1")
    take_card(page)
    page.locator("#network").click()
    step(page, "plug")
    step(page, "truth")
    numbers = [page.locator(f"#mine-{name}").inner_text() for name in ("told", "stored", "lost")]
    assert numbers == ["2", "2", "0"]


def test_the_later_steps_tick_when_the_centre_knows(watched: Watched, address: str) -> None:
    watched.may_fail.append("net::ERR_")  # the screen of the agent that is killed
    page = watched.context.new_page()
    stand_before(page, address, "gate-1")
    for name, switch in (("paper", "printer paper_out"), ("cover", "printer cover_open")):
        fault(page, switch)
        step(page, name)
        fault(page, switch)
    page.locator("#help").click()
    step(page, "help")
    page.locator('[data-kill="agent"]').click()
    step(page, "kill")


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("rare_name", "已登记"),
        ("expired", "已过有效期"),
        pytest.param("hmt", "已登记", marks=pytest.mark.long),
        pytest.param("foreign", "已登记", marks=pytest.mark.long),
        pytest.param("child", "已登记", marks=pytest.mark.long),
    ],
)
def test_each_card_has_the_right_outcome(page: Page, address: str, card: str, words: str) -> None:
    stand_before(page, address, "gate-1")
    told_before = int(page.locator("#mine-told").inner_text())
    put(page, card)
    hear(page, words)
    take_card(page)
    is_told = words == "已登记"
    if is_told:
        page.locator("#slip").click()
        expect(page.locator("#held img")).to_be_visible()
    expect(page.locator("#mine-told")).to_have_text(str(told_before + is_told))


def test_a_child_gets_a_number_on_an_officers_word_by_keypad_alone(
    page: Page, address: str
) -> None:
    stand_before(page, address, "number-1")
    expect(page.frame_locator("#kiosk").locator("[data-page=welcome]")).to_be_visible()
    put(page, "child")
    hear(page, "未满六十岁")
    put(page, "officer")
    hear(page, "什么事项")
    page.locator('[data-key="2"]').click()
    hear(page, "已取号")
    expect(page.frame_locator("#kiosk").locator(".ticket-number")).to_be_visible()
    page.locator("#slip").click()
    expect(page.locator("#held img")).to_have_attribute("alt", re.compile(r"C-\d{3}"))


def test_a_broken_gate_and_a_missing_slip_are_said(page: Page, address: str) -> None:
    stand_before(page, address, "gate-1")
    fault(page, "printer paper_out")
    put(page, ELDER)
    hear(page, "凭条没有打印")
    take_card(page)
    fault(page, "printer paper_out")
    fault(page, "gate stuck_open")
    page.locator("#mend").click()
    expect(page.locator('[data-fault="gate stuck_open"]')).not_to_be_checked()


def test_somebody_without_a_mouse_can_play(page: Page, address: str) -> None:
    stand_before(page, address, "gate-1")
    page.locator(f'[data-card="{ELDER}"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#slip")).to_be_visible(timeout=VISIT_MS)
    hear(page, "取回")
    page.locator("#slip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#held img")).to_be_visible()
    page.locator("#reader").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reader")).to_be_disabled()


@pytest.mark.parametrize(
    "size", [SIZES[0], *(pytest.param(size, marks=pytest.mark.long) for size in SIZES[1:])]
)
@pytest.mark.parametrize("where", ["", "play/gate-1", "play/number-1"])
def test_pages_are_clear_in_every_size(
    watched: Watched,
    address: str,
    where: str,
    size: tuple[int, int],
    check_page: CheckPage,
) -> None:
    watched.may_fail.append("postMessage")  # axe looks for itself in the citizen's screen
    page = watched.context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{address}/{where}")
    ready = "#opening" if where == "" else "#wait"
    expect(page.locator(ready)).to_be_hidden(timeout=OPEN_MS)
    name = where.replace("play/", "play-") or "hall"
    for words in ("both", "zh", "en") if size == SIZES[0] else ("both",):
        expect(page.locator("html")).to_have_attribute("data-words", words)
        first = words == "both"
        check_page(page, f"{name}-{size[0]}x{size[1]}-{words}", RULES, axe=first)
        page.locator("#words").click()
