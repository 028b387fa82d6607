"""Every page of the citizen's screen, in each language, size and mode: it can be read, reached and
heard by somebody old, and what is said stands on it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from playwright.sync_api import Page

from edge_agent.core import screen as s
from edge_agent.core.money import MONEY_FIELDS
from edge_agent.core.screen import Screen
from edge_agent.core.texts import LANGUAGES, Texts
from edge_agent.kiosk import Kiosk
from edge_agent.kiosk.draw import Drawer
from edge_agent.kiosk.view import BAR
from tests.pages.conftest import CheckPage
from tests.pages.kiosk_tools import (
    FRAME,
    KEEP_STREAM,
    LANDSCAPE,
    LARGE,
    MODES,
    NORMAL,
    PORTRAIT,
    SIZES,
    misfits,
    on_each,
    put,
    words,
)
from tests.pages.played_source import (
    CROWDED,
    LONG_FIELD,
    LONG_PERSON,
    RARE_NAME,
    SCENES,
    WELCOME,
    PlayedSource,
    shipped_texts,
)

ALL = {**SCENES, "crowded": CROWDED, "long person": LONG_PERSON, "long field": LONG_FIELD}
THEMES = ("light", "dark")
SHORT = {("1080x1920", "zh-CN", "normal", "light"), ("1024x768", "en", "large", "dark")}
LOOKS = [
    pytest.param(*look, marks=() if look in SHORT else pytest.mark.long)
    for look in product(SIZES, LANGUAGES, MODES, THEMES)
]


@pytest.fixture(scope="module")
def texts() -> Texts:
    return shipped_texts()


@pytest.fixture(scope="module")
def drawer(texts: Texts) -> Drawer:
    return Drawer(texts)


@pytest.fixture(scope="module")
def source() -> PlayedSource:
    return PlayedSource()


@pytest.fixture(scope="module")
def kiosk(source: PlayedSource, texts: Texts) -> Iterator[Kiosk]:
    served = Kiosk(source, texts)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def page(kept_page: Page, kiosk: Kiosk, source: PlayedSource) -> Page:
    """The page before anybody came, upright and light."""
    kept_page.emulate_media(reduced_motion="reduce", color_scheme="light")
    kept_page.set_viewport_size(PORTRAIT)  # type: ignore[arg-type]
    if not kept_page.url.startswith(kiosk.url):
        kept_page.add_init_script(KEEP_STREAM)
        kept_page.goto(kiosk.url)
    put(kept_page, source, WELCOME)
    return kept_page


def in_all_languages(mode: str) -> dict[str, Screen]:
    """All scenes in all languages."""
    return {
        f"{name} {language}": replace(screen, language=language, large=mode == "large")
        for (name, screen), language in product(ALL.items(), LANGUAGES)
    }


@pytest.mark.parametrize(
    ("size", "mode", "theme"),
    [
        *product(SIZES, MODES, ["light"]),
        ("1080x1920", "large", "dark"),
        pytest.param("1080x1920", "normal", "dark", marks=pytest.mark.long),
    ],
)
def test_every_page_fits_and_can_be_reached(
    page: Page, drawer: Drawer, size: str, mode: str, theme: str
) -> None:
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    assert misfits(page, drawer, in_all_languages(mode), MODES[mode]) == {}


def test_what_does_not_fit_is_named(page: Page, drawer: Drawer) -> None:
    too_long = replace(LONG_FIELD, fields={"person": RARE_NAME * 20})
    scenes = {**ALL, "too long": too_long, "again": CROWDED}
    assert set(misfits(page, drawer, scenes, NORMAL)) == {"too long"}


@pytest.mark.parametrize(("size", "language", "mode", "theme"), LOOKS)
def test_every_page_can_be_read_by_everybody(
    page: Page,
    source: PlayedSource,
    check_page: CheckPage,
    size: str,
    language: str,
    mode: str,
    theme: str,
) -> None:
    """All rules, axe's too, on pages that came over the stream."""
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for scene, screen in ALL.items():
        put(page, source, replace(screen, language=language, large=mode == "large"))
        name = f"kiosk-{scene.replace(' ', '-')}-{language}-{mode}-{size}-{theme}"
        check_page(page, name, MODES[mode])


@pytest.mark.parametrize("size", ["1080x1920", pytest.param("1024x768", marks=pytest.mark.long)])
def test_every_text_that_may_be_shown_fits_in_large(
    page: Page, drawer: Drawer, texts: Texts, size: str
) -> None:
    """Texts come with services: whoever adds a long one hears of it here."""
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    person = ALL["entered"].person
    scenes = {}
    for name, language in product(texts.ids(), LANGUAGES):
        fields = {f: 1_950 if f in MONEY_FIELDS else "2026-11-27" for f in texts[name].fields}
        scenes[f"{name} {language}"] = Screen(
            page=s.MESSAGE, text=name, fields=fields, language=language, large=True, person=person
        )
    shown = {name: screen for name, screen in scenes.items() if not name.startswith("slip.")}
    assert misfits(page, drawer, shown, replace(LARGE, band=0.5)) == {}


def test_in_a_frame_the_whole_screen_is_smaller_and_complete(page: Page, drawer: Drawer) -> None:
    page.set_viewport_size(FRAME)  # type: ignore[arg-type]
    part = FRAME["width"] / PORTRAIT["width"]
    rules = replace(NORMAL, font_px=28 * part, target_px=88 * part)
    assert misfits(page, drawer, in_all_languages("normal"), rules) == {}


HEARD_AND_SEEN = """() => ({
  words: document.querySelector(".words").textContent.replace(/\\s/g, ""),
  said: document.getElementById("said").textContent.replace(/\\s/g, ""),
  language: document.documentElement.lang,
  speaking: document.querySelector(".speaking").checkVisibility({ visibilityProperty: true }),
})"""


def test_what_is_spoken_stands_on_the_page(page: Page, drawer: Drawer, texts: Texts) -> None:
    scenes = in_all_languages("normal")
    for name, found in on_each(page, drawer, scenes, HEARD_AND_SEEN).items():
        screen = scenes[name]
        spoken = "".join(texts.text(screen.text, screen.language, screen.fields).split())
        assert found["words"] == found["said"] == spoken, name
        assert found["language"].startswith(screen.language), name
        assert found["speaking"] == screen.speaking, name


def places(which: str) -> str:
    """A probe: the boxes of these elements."""
    return f"""() => [...document.querySelectorAll('{which}')].map((element) => {{
      const {{ left, top, width, height }} = element.getBoundingClientRect();
      return [left, top, width, height];
    }})"""


@pytest.mark.parametrize("size", SIZES)
def test_the_bar_is_always_in_the_same_place(page: Page, drawer: Drawer, size: str) -> None:
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    bars = on_each(page, drawer, ALL, places(".tool"))
    assert all(bar == bars["welcome"] for bar in bars.values())
    assert len(bars["welcome"]) == len(BAR)


def test_the_bar_says_each_key_by_picture_word_and_digit(
    page: Page, source: PlayedSource, texts: Texts
) -> None:
    for language in LANGUAGES:
        put(page, source, replace(SCENES["welcome"], language=language))
        for key, digit in BAR:
            tool = page.locator(f".tool-{key}")
            assert tool.locator("svg").is_visible()
            assert words(page, f".tool-{key} .digit") == digit
            assert words(page, f".tool-{key} .word") == texts.text(
                f"screen.key.{key}", language, {}
            )


@pytest.mark.parametrize("size", SIZES)
def test_choices_are_near_the_hand(page: Page, drawer: Drawer, size: str) -> None:
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    choices = on_each(page, drawer, ALL, places(".choice"))
    assert choices["choice"]
    for name, boxes in choices.items():
        assert all(top >= SIZES[size]["height"] / 2 for _, top, _, _ in boxes), name


def test_at_most_three_choices_are_drawn(page: Page, source: PlayedSource) -> None:
    put(page, source, replace(CROWDED, choices=CROWDED.choices * 2))
    assert page.locator(".choice").count() == s.CHOICES_MAX


def test_a_help_call_and_its_answer_are_told_apart_by_words(
    page: Page, source: PlayedSource
) -> None:
    assert page.locator(".note").count() == 0
    put(page, source, SCENES["help called"])
    assert "还没有人应答" in words(page, ".help-called")
    put(page, source, SCENES["help answered"])
    assert "已应答" in words(page, ".help-answered")
    assert page.locator(".help-called").count() == 0


def test_the_warning_counts_down_by_itself(page: Page, source: PlayedSource) -> None:
    put(page, source, SCENES["warning"])
    assert re.fullmatch("还有(20|19)秒，按任意键继续。", words(page, ".warning"))
    page.wait_for_selector('.seconds:text-matches("^1[0-9]$")')
    put(page, source, replace(SCENES["warning"], warning_ms=300))
    page.wait_for_selector('.seconds:text-is("0")')


def test_the_number_is_the_largest_thing_on_the_page(page: Page, source: PlayedSource) -> None:
    for size in (PORTRAIT, LANDSCAPE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        put(page, source, SCENES["ticket"])
        assert words(page, ".ticket-number") == "B-017"
        sizes = page.evaluate(
            "[...document.querySelectorAll('.screen *')]"
            ".map(e => [parseFloat(getComputedStyle(e).fontSize), e.className])"
        )
        assert max(sizes, key=lambda pair: pair[0])[1] == "ticket-number"


def test_what_is_still_to_be_paid_is_the_largest_thing_and_all_amounts_are_there(
    page: Page, source: PlayedSource
) -> None:
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


def test_a_rare_name_is_drawn_not_replaced(page: Page, source: PlayedSource) -> None:
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


def test_hostile_text_is_shown_as_text(page: Page, source: PlayedSource) -> None:
    hostile = "<img src=x onerror=alert(1)>\r\nevent: boot\ndata: x\n\n</div>{{ 7*7 }}"
    fields = {"person": hostile}
    put(page, source, replace(LONG_FIELD, fields=fields, person=hostile))
    assert "<img src=x onerror=alert(1)>" in words(page, ".words")
    assert "{{ 7*7 }}" in words(page, ".person")
    assert page.locator("img").count() == 0


def test_the_system_theme_is_followed(page: Page) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
