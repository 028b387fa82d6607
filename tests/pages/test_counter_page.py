"""The counter's page, opened from the disk as a counter does: the same verdicts as the command."""

import datetime
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from counter.cli import page as write_page
from counter.page import build_page
from counter.verdict import judge
from protocol.slip_keys import TERMINALS_MAX, SlipKeys, TerminalKey, open_slip_keys
from tests.counter.counter_tools import (
    GENUINE,
    RECORD,
    VERDICTS,
    changed,
    keys_file,
    picture_of,
)
from tests.pages.layout import Rules
from tests.pages.watched import Watched
from tests.paper.paper_tools import scanned

HEADLINES = {
    "genuine": "真",
    "unreadable": "没有读全，请再扫一次",
    "unknown_terminal": "不是本厅凭条",
    "forged": "不是本厅凭条",
    "wrong_unit": "不是本厅凭条",
}
REASONS = {"unknown_terminal": "不认识", "forged": "签名", "wrong_unit": "不在"}
RULES = Rules(font_px=18, target_px=44, contrast=7.0)
SAME_SCAN_MS = 5_000
SEEN = "tongban-slips-seen"
SEEN_MAX = 2_000
MORNING = datetime.datetime(2026, 11, 27, 9, 14)
READY = "请扫描凭条上的二维码"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page on a disk, as `tongban slip page` writes it."""
    folder = tmp_path_factory.mktemp("counter")
    out = folder / "verify.html"
    assert write_page(keys=keys_file(folder), out=out) == 0
    return out.as_uri()


@pytest.fixture
def counter(kept_page: Page, address: str) -> Page:
    """The page opened in the morning, before any slip."""
    if kept_page.url == "about:blank":
        kept_page.clock.install(time=MORNING)
    else:
        kept_page.evaluate("localStorage.clear()")
        kept_page.clock.set_system_time(MORNING)
    kept_page.set_viewport_size({"width": 1440, "height": 900})
    kept_page.emulate_media(color_scheme="light")
    kept_page.goto(address)
    headline(kept_page, READY)
    return kept_page


def scan(page: Page, text: str, end: str = "Enter") -> None:
    """As a scanner does that is a keyboard."""
    page.keyboard.insert_text(text.strip())
    if end:
        page.keyboard.press(end)


def headline(page: Page, words: str) -> None:
    expect(page.locator("#word-zh")).to_have_text(words)


@pytest.mark.parametrize("word", HEADLINES)
def test_page_and_command_agree_on_every_text(counter: Page, tmp_path: Path, word: str) -> None:
    keys = open_slip_keys(keys_file(tmp_path).read_bytes())
    for text in VERDICTS[word]:
        assert judge(text, keys).word == word
        counter.evaluate("localStorage.clear()")
        counter.locator("#clear").click()
        headline(counter, READY)
        scan(counter, text)
        headline(counter, HEADLINES[word])
        expect(counter.locator("#why-zh")).to_contain_text(REASONS.get(word, ""))
        assert counter.locator("#facts").is_visible() == (word == "genuine")


def test_no_changed_character_and_no_cut_makes_a_genuine_slip(counter: Page) -> None:
    texts = [changed(GENUINE, at) for at in range(len(GENUINE))]
    texts += [GENUINE[:size] for size in range(len(GENUINE))]
    asked = "texts => Promise.all(texts.map(async text => (await judge(normalise(text))).word))"
    words = counter.evaluate(asked, [*texts, GENUINE])
    assert [word for word in words if word == "genuine"] == ["genuine"]
    assert words[-1] == "genuine"


def test_what_the_printer_printed_is_scanned_and_is_genuine(counter: Page, check_page) -> None:
    ((_, text),) = scanned(picture_of(GENUINE, 58))
    scan(counter, text)
    headline(counter, "真")
    expect(counter.locator("#number")).to_have_text("B-017")
    expect(counter.locator("#day")).to_have_text("2026-11-27 今天 today")
    expect(counter.locator("#unit")).to_have_text("city/nancheng/hall-1")
    expect(counter.locator("#terminal")).to_have_text("gate-1")
    check_page(counter, "counter-genuine", RULES)


def test_a_scanner_that_ends_without_enter_is_understood(counter: Page) -> None:
    scan(counter, GENUINE, end="")
    counter.clock.run_for(400)
    headline(counter, "真")
    expect(counter.locator("#code")).to_have_value("")


def test_a_scanner_types_into_the_field_wherever_the_focus_was(counter: Page) -> None:
    counter.locator("h1").click()
    counter.keyboard.type(GENUINE)
    counter.keyboard.press("Enter")
    headline(counter, "真")


def test_a_slip_that_comes_again_is_said_to_have_been_shown(counter: Page, check_page) -> None:
    scan(counter, GENUINE)
    headline(counter, "真")
    scan(counter, GENUINE)  # the scanner read twice
    counter.clock.run_for(500)
    headline(counter, "真")
    counter.clock.fast_forward(SAME_SCAN_MS)
    scan(counter, GENUINE)
    headline(counter, "已出示过")
    expect(counter.locator("#why-zh")).to_contain_text("首次出示 2026-11-27 09:14，这是第 2 次")
    expect(counter.locator("#number")).to_have_text("B-017")
    check_page(counter, "counter-shown", RULES)
    scan(counter, RECORD)
    headline(counter, "真")


def test_it_is_remembered_when_the_page_is_opened_again(counter: Page, address: str) -> None:
    scan(counter, GENUINE)
    headline(counter, "真")
    counter.goto(address)
    scan(counter, GENUINE)
    headline(counter, "已出示过")


def test_what_is_kept_names_nobody_and_has_a_limit(counter: Page) -> None:
    counter.evaluate(
        f"localStorage.setItem('{SEEN}', JSON.stringify("
        f"Array.from({{length: {SEEN_MAX}}}, (_, n) => ['old' + n, n, 1])))"
    )
    scan(counter, GENUINE)
    headline(counter, "真")
    kept = counter.evaluate(f"JSON.parse(localStorage.getItem('{SEEN}'))")
    assert len(kept) == SEEN_MAX
    assert kept[0][0] == "old1"
    assert re.fullmatch(r"[0-9a-f]{24}", kept[-1][0])
    assert "017" not in str(kept[-1][2:])


def test_where_nothing_can_be_kept_the_page_says_so_and_remembers_while_open(
    page: Page, address: str
) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('off'); } })"
    )
    page.clock.install(time=MORNING)
    page.goto(address)
    scan(page, GENUINE)
    headline(page, "真")
    expect(page.locator("#memory")).to_contain_text("不再知道哪些凭条已出示过")
    page.clock.fast_forward(SAME_SCAN_MS)
    scan(page, GENUINE)
    headline(page, "已出示过")


def test_a_slip_of_another_day_is_genuine_and_its_day_stands_out(counter: Page) -> None:
    counter.clock.set_system_time(datetime.datetime(2026, 11, 28, 9, 0))
    scan(counter, GENUINE)
    headline(counter, "真")
    expect(counter.locator("#day")).to_have_text("2026-11-27 不是今天 not today")
    expect(counter.locator("#day")).to_have_class("late")


def test_a_browser_without_ed25519_says_what_to_use_instead(
    page: Page, address: str, check_page
) -> None:
    page.add_init_script("crypto.subtle.importKey = () => Promise.reject(new Error('unknown'))")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(address)
    headline(page, "浏览器太旧，不能核验")
    expect(page.locator("#why-en")).to_contain_text("tongban slip verify")
    expect(page.locator("#code")).to_be_disabled()
    check_page(page, "counter-too-old", RULES)


def test_its_policy_lets_no_other_script_run(counter: Page, kept: Watched) -> None:
    kept.may_fail += ["Content Security Policy"]
    counter.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), "
        "{ textContent: 'window.strange = 1' }))"
    )
    assert counter.evaluate("window.strange") is None


def test_a_name_in_the_keys_cannot_end_its_element(tmp_path: Path) -> None:
    keys = SlipKeys(1, bytes(32), "</script><script>x", 1, {})
    assert "</script><script>x" not in build_page(keys)


def test_ten_thousand_terminals_fit_in_one_page(page: Page, tmp_path: Path) -> None:
    known = open_slip_keys(keys_file(tmp_path).read_bytes())
    many = {f"terminal-{n}": TerminalKey("city", bytes(32)) for n in range(TERMINALS_MAX - 2)}
    keys = SlipKeys(1, known.centre, "", 1, {**known.terminals, **many})
    out = tmp_path / "verify.html"
    out.write_text(build_page(keys), "utf-8")
    page.goto(out.as_uri())
    scan(page, GENUINE)
    headline(page, "真")


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (1440, 900),
        pytest.param(1024, 768, marks=pytest.mark.long),
        pytest.param(600, 900, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
@pytest.mark.parametrize("word", ["ready", "genuine", "unreadable", "unknown_terminal"])
def test_every_verdict_is_clear_on_every_screen(
    counter: Page, check_page, width: int, height: int, scheme: str, word: str
) -> None:
    counter.emulate_media(color_scheme=scheme)
    counter.set_viewport_size({"width": width, "height": height})
    if word != "ready":
        scan(counter, VERDICTS[word][0])
        headline(counter, HEADLINES[word])
    first = (width, scheme) == (1440, "light")
    check_page(counter, f"counter-{word}-{width}-{scheme}", RULES, axe=first or word == "genuine")
