"""The citizen's screen as tests open it: sizes, rules, the page on a scene."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page

from edge_agent.core.screen import Screen
from tests.pages.layout import Rules
from tests.pages.played_source import PlayedSource

PORTRAIT = {"width": 1080, "height": 1920}
LANDSCAPE = {"width": 1024, "height": 768}
FRAME = {"width": 420, "height": 740}
SIZES = {"1080x1920": PORTRAIT, "1024x768": LANDSCAPE}
SIZE_NAMES = ("1080x1920", pytest.param("1024x768", marks=pytest.mark.long))
NORMAL = Rules(font_px=28, target_px=88, band=0.3, scrolls=False)
LARGE = replace(NORMAL, font_px=40)
MODES = {"normal": NORMAL, "large": LARGE}
SETTLED_MS = 450
"""After it a choice on a page that just came counts."""


def put(page: Page, source: PlayedSource, screen: Screen) -> None:
    """Show a scene and wait until the page has it."""
    source.show(screen)
    shown(page, source)


def shown(page: Page, source: PlayedSource) -> None:
    """Wait until the page shows what the source has."""
    page.wait_for_selector(f'.screen[data-serial="{source.screen().serial}"]')


def words(page: Page, where: str) -> str:
    """The text at a place, with single spaces."""
    return " ".join((page.locator(where).text_content() or "").split())


def settled(page: Page) -> None:
    """Wait as a person does before choosing."""
    page.wait_for_timeout(SETTLED_MS)
