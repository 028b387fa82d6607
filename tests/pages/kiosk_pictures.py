"""Draws the pictures of docs/design-system.md: `python -m tests.pages.kiosk_pictures`."""

import io
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from edge_agent.core.screen import Screen
from edge_agent.kiosk import Kiosk
from tests.pages.conftest import CHROMIUM, FLAGS
from tests.pages.kiosk_tools import LANDSCAPE, PORTRAIT, put
from tests.pages.played_source import CROWDED, SCENES, PlayedSource, shipped_texts

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
COLOURS = 96
GAP = 24
PAUSED = "paused"
LARGE_ENGLISH = {"language": "en", "large": True}
SHEETS: dict[str, tuple[dict[str, int], str, int, list[Screen | str]]] = {
    "kiosk-pages": (
        PORTRAIT,
        "light",
        380,
        [SCENES["welcome"], SCENES["choice"], SCENES["ticket"], PAUSED],
    ),
    "kiosk-large": (
        LANDSCAPE,
        "light",
        760,
        [replace(SCENES["welcome"], **LARGE_ENGLISH), replace(CROWDED, **LARGE_ENGLISH)],
    ),
    "kiosk-dark": (
        PORTRAIT,
        "dark",
        380,
        [SCENES["help called"], SCENES["warning"], SCENES["entered"], SCENES["officer"]],
    ),
    "kiosk-pay": (
        PORTRAIT,
        "light",
        380,
        [
            SCENES["policy"],
            SCENES["pay"],
            SCENES["pay busy"],
            replace(SCENES["pay"], **LARGE_ENGLISH),
        ],
    ),
}
"""Name -> window, theme, width of one picture, scenes side by side."""


def sheet(browser: Browser, name: str) -> Image.Image:
    """The scenes of one sheet side by side."""
    size, theme, width, scenes = SHEETS[name]
    height = width * size["height"] // size["width"]
    whole = Image.new("RGB", (len(scenes) * (width + GAP) - GAP, height), "white")
    for column, scene in enumerate(scenes):
        picture = _picture(browser, size, theme, scene).resize((width, height), Image.LANCZOS)
        whole.paste(picture, (column * (width + GAP), 0))
    return whole


def _picture(
    browser: Browser, size: dict[str, int], theme: str, scene: Screen | str
) -> Image.Image:
    source = PlayedSource()
    kiosk = Kiosk(source, shipped_texts())
    kiosk.start()
    page = browser.new_page(viewport=size, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    try:
        page.goto(kiosk.url)
        if isinstance(scene, Screen):
            put(page, source, scene)
        else:
            kiosk.stop()
            page.wait_for_selector("#out:not([hidden])")
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    finally:
        page.close()
        kiosk.stop()


def main() -> None:
    """Write all sheets."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name in SHEETS:
            flat = sheet(browser, name).quantize(COLOURS, dither=Image.Dither.NONE)
            flat.save(FOLDER / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
