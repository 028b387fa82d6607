"""Every page of the citizen's screen, in each language, size and mode: it can be read, reached and
heard by somebody old, and what is said stands on it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from edge_agent.core import screen as s
from edge_agent.core.money import MONEY_FIELDS
from edge_agent.core.screen import Screen
from edge_agent.core.texts import LANGUAGES, Texts
from edge_agent.kiosk import Kiosk
from edge_agent.kiosk.view import BAR
from tests.pages.conftest import CheckPage
from tests.pages.kiosk_tools import (
    FRAME,
    LANDSCAPE,
    LARGE,
    MODES,
    PORTRAIT,
    SIZE_NAMES,
    SIZES,
    put,
    shown,
    words,
)
from tests.pages.layout import layout_problems
from tests.pages.played_source import (
    CROWDED,
    LONG_FIELD,
    LONG_PERSON,
    RARE_NAME,
    SCENES,
    PlayedSource,
    shipped_texts,
)

ALL = {**SCENES, "crowded": CROWDED, "long person": LONG_PERSON, "long field": LONG_FIELD}


SEEN_BY_AXE = (("zh-CN", "normal"), ("en", "large"))


@pytest.fixture(scope="module")
def texts() -> Texts:
    return shipped_texts()


@pytest.fixture
def source() -> PlayedSource:
    return PlayedSource()


@pytest.fixture
def kiosk(source: PlayedSource, texts: Texts) -> Iterator[Kiosk]:
    served = Kiosk(source, texts)
    served.start()
    yield served
    served.stop()


def open_at(page: Page, kiosk: Kiosk, source: PlayedSource, size: dict[str, int]) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(kiosk.url)
    shown(page, source)


@pytest.mark.parametrize("size", SIZE_NAMES)
@pytest.mark.parametrize("scene", ALL)
def test_every_page_can_be_read_and_reached(
    page: Page, kiosk: Kiosk, source: PlayedSource, check_page: CheckPage, scene: str, size: str
) -> None:
    open_at(page, kiosk, source, SIZES[size])
    for language, (mode, rules) in product(LANGUAGES, MODES.items()):
        put(page, source, replace(ALL[scene], language=language, large=mode == "large"))
        name = f"kiosk-{scene.replace(' ', '-')}-{language}-{mode}-{size}"
        check_page(page, name, rules, axe=(language, mode) in SEEN_BY_AXE)


@pytest.mark.parametrize("mode", ["large", pytest.param("normal", marks=pytest.mark.long)])
def test_every_page_can_be_read_in_the_dark(
    page: Page, kiosk: Kiosk, source: PlayedSource, check_page: CheckPage, mode: str
) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    page.emulate_media(color_scheme="dark")
    for scene, screen in ALL.items():
        put(page, source, replace(screen, large=mode == "large"))
        check_page(page, f"kiosk-{scene.replace(' ', '-')}-dark-{mode}", MODES[mode], axe=False)


@pytest.mark.parametrize("size", SIZE_NAMES)
def test_every_text_that_may_be_shown_fits_in_large(
    page: Page, kiosk: Kiosk, source: PlayedSource, texts: Texts, size: str
) -> None:
    """Texts come with services: whoever adds a long one hears of it here."""
    open_at(page, kiosk, source, SIZES[size])
    wrong = {}
    for name in texts.ids():
        if name.startswith("slip."):
            continue
        fields = {f: 1_950 if f in MONEY_FIELDS else "2026-11-27" for f in texts[name].fields}
        for language in LANGUAGES:
            scene = Screen(page=s.MESSAGE, text=name, fields=fields, language=language, large=True)
            put(page, source, replace(scene, person=ALL["entered"].person))
            if problems := layout_problems(page, replace(LARGE, band=0.5)):
                wrong[f"{name} {language}"] = problems
    assert wrong == {}


def test_in_a_frame_the_whole_screen_is_smaller_and_complete(
    page: Page, kiosk: Kiosk, source: PlayedSource, check_page: CheckPage
) -> None:
    open_at(page, kiosk, source, FRAME)
    for (scene, screen), language in product(ALL.items(), LANGUAGES):
        put(page, source, replace(screen, language=language))
        part = FRAME["width"] / PORTRAIT["width"]
        rules = replace(MODES["normal"], font_px=28 * part, target_px=88 * part)
        check_page(page, f"kiosk-{scene.replace(' ', '-')}-{language}-frame", rules, axe=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_spoken_stands_on_the_page(
    page: Page, kiosk: Kiosk, source: PlayedSource, texts: Texts, language: str
) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    for scene in ALL.values():
        screen = replace(scene, language=language)
        spoken = texts.text(screen.text, language, screen.fields)
        put(page, source, screen)
        assert words(page, ".words").replace(" ", "") == spoken.replace(" ", "")
        assert words(page, "#said").replace(" ", "") == spoken.replace(" ", "")
        assert page.evaluate("document.documentElement.lang").startswith(language)
        assert page.locator(".speaking").is_visible() == screen.speaking


def test_the_bar_is_always_in_the_same_place(
    page: Page, kiosk: Kiosk, source: PlayedSource
) -> None:
    for size in SIZES.values():
        open_at(page, kiosk, source, size)
        places = {
            str([page.locator(f".tool-{key}").bounding_box() for key, _ in BAR])
            for screen in ALL.values()
            if put(page, source, screen) is None
        }
        assert len(places) == 1


def test_the_bar_says_each_key_by_picture_word_and_digit(
    page: Page, kiosk: Kiosk, source: PlayedSource, texts: Texts
) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    for language in LANGUAGES:
        put(page, source, replace(SCENES["welcome"], language=language))
        for key, digit in BAR:
            tool = page.locator(f".tool-{key}")
            assert tool.locator("svg").is_visible()
            assert words(page, f".tool-{key} .digit") == digit
            assert words(page, f".tool-{key} .word") == texts.text(
                f"screen.key.{key}", language, {}
            )


def test_choices_are_near_the_hand(page: Page, kiosk: Kiosk, source: PlayedSource) -> None:
    for size in SIZES.values():
        open_at(page, kiosk, source, size)
        for screen in ALL.values():
            put(page, source, screen)
            for box in (choice.bounding_box() for choice in page.locator(".choice").all()):
                assert box is not None
                assert box["y"] >= size["height"] / 2


def test_at_most_three_choices_are_drawn(page: Page, kiosk: Kiosk, source: PlayedSource) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    put(page, source, replace(CROWDED, choices=CROWDED.choices * 2))
    assert page.locator(".choice").count() == s.CHOICES_MAX


def test_a_help_call_and_its_answer_are_told_apart_by_words(
    page: Page, kiosk: Kiosk, source: PlayedSource
) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    assert page.locator(".note").count() == 0
    put(page, source, SCENES["help called"])
    assert "还没有人应答" in words(page, ".help-called")
    put(page, source, SCENES["help answered"])
    assert "已应答" in words(page, ".help-answered")
    assert page.locator(".help-called").count() == 0


def test_the_warning_counts_down_by_itself(page: Page, kiosk: Kiosk, source: PlayedSource) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    put(page, source, SCENES["warning"])
    assert re.fullmatch("还有(20|19)秒，按任意键继续。", words(page, ".warning"))
    page.wait_for_selector('.seconds:text-is("18")')
    put(page, source, replace(SCENES["warning"], warning_ms=300))
    page.wait_for_selector('.seconds:text-is("0")')


def test_the_number_is_the_largest_thing_on_the_page(
    page: Page, kiosk: Kiosk, source: PlayedSource
) -> None:
    for size in (PORTRAIT, LANDSCAPE):
        open_at(page, kiosk, source, size)
        put(page, source, SCENES["ticket"])
        assert words(page, ".ticket-number") == "B-017"
        sizes = page.evaluate(
            "[...document.querySelectorAll('.screen *')]"
            ".map(e => [parseFloat(getComputedStyle(e).fontSize), e.className])"
        )
        assert max(sizes, key=lambda pair: pair[0])[1] == "ticket-number"


def test_what_is_still_to_be_paid_is_the_largest_thing_and_all_amounts_are_there(
    page: Page, kiosk: Kiosk, source: PlayedSource
) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    put(page, source, SCENES["pay"])
    assert words(page, ".money-rest") == "还差 10元"
    assert words(page, ".money-parts") == "应缴 20元 已收 10元"
    assert words(page, ".money-notes") == "收 5 10 20 50 元纸币"
    assert "不找零" in words(page, ".money-policy")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.screen *')]"
        ".map(e => [parseFloat(getComputedStyle(e).fontSize), e.textContent])"
    )
    assert max(sizes, key=lambda pair: pair[0])[1] == "10"
    put(page, source, SCENES["pay busy"])
    assert page.locator(".choice").count() == 0
    assert "钱在机器里" in words(page, ".words")


def test_a_rare_name_is_drawn_not_replaced(page: Page, kiosk: Kiosk, source: PlayedSource) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    put(page, source, LONG_PERSON)
    assert RARE_NAME in words(page, ".person")
    put(page, source, replace(LONG_PERSON, person="䶮"))
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": ".person"})["nodeId"]
    fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert {font["familyName"] for font in fonts} == {"Noto Sans CJK SC"}


def test_hostile_text_is_shown_as_text(page: Page, kiosk: Kiosk, source: PlayedSource) -> None:
    open_at(page, kiosk, source, PORTRAIT)
    hostile = "<img src=x onerror=alert(1)>\r\nevent: boot\ndata: x\n\n</div>{{ 7*7 }}"
    fields = {"person": hostile}
    put(page, source, replace(LONG_FIELD, fields=fields, person=hostile))
    assert "<img src=x onerror=alert(1)>" in words(page, ".words")
    assert "{{ 7*7 }}" in words(page, ".person")
    assert page.locator("img").count() == 0


def test_the_system_theme_is_followed(browser: Browser, kiosk: Kiosk) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(kiosk.url)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert len(grounds) == 2
