"""The citizen's screen as tests open it: sizes, rules, the page on a scene.

`put` takes the whole way of the terminal, from the source by the stream to the glass. `on_each`
takes the page through many scenes within one script: what the page makes of each, unpainted.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from playwright.sync_api import Page

from edge_agent.core.screen import Screen
from edge_agent.kiosk.draw import Drawer
from tests.pages.layout import MEASURE, Rules
from tests.pages.played_source import PlayedSource

PORTRAIT = {"width": 1080, "height": 1920}
LANDSCAPE = {"width": 1024, "height": 768}
FRAME = {"width": 420, "height": 740}
SIZES = {"1080x1920": PORTRAIT, "1024x768": LANDSCAPE}
NORMAL = Rules(font_px=28, target_px=88, band=0.3, scrolls=False)
LARGE = replace(NORMAL, font_px=40)
MODES = {"normal": NORMAL, "large": LARGE}
SETTLED_MS = 450
"""After it a choice on a page that just came counts."""
KEEP_STREAM = """
window.EventSource = class extends EventSource {
  constructor(address) { super(address); window.keptStream = this; }
};
"""
"""Runs before the page's own script, so that `on_each` can speak as its stream."""
ON_EACH = """([fragments, given]) => {
  const probe = %s;
  return fragments.map((data) => {
    window.keptStream.dispatchEvent(new MessageEvent("screen", { data }));
    return probe(given);
  });
}"""


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


def on_each(
    page: Page, drawer: Drawer, scenes: Mapping[str, Screen], probe: str, given: object = None
) -> dict[str, Any]:
    """What `probe`, a function of JavaScript, gives on each scene. The page shows them as if its
    stream had brought them; it was opened with KEEP_STREAM."""
    fragments = [drawer.fragment(screen) for screen in scenes.values()]
    found = page.evaluate(ON_EACH % probe, [fragments, given])
    return dict(zip(scenes, found, strict=True))


def misfits(
    page: Page, drawer: Drawer, scenes: Mapping[str, Screen], rules: Rules
) -> dict[str, list[str]]:
    """The scenes that break a rule of layout, and how."""
    found = on_each(page, drawer, scenes, MEASURE, asdict(rules))
    return {name: problems for name, problems in found.items() if problems}
