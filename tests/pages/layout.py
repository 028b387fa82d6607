"""What every page is held against: axe, and layout rules that axe does not know.

Rules are numbers a page kind promises; layout.js measures what is on the screen.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

MEASURE = (Path(__file__).resolve().parent / "layout.js").read_text("utf-8")
AXE_SCRIPT: str = Axe().axe_script
AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {
        "color-contrast-enhanced": {"enabled": True},
        "color-contrast": {"enabled": False},  # what it finds the enhanced one finds too
    },
}


@dataclass(frozen=True)
class Rules:
    """`font_px`, `target_px`: least sizes. `contrast`: least ratio of text to ground. `band`: how
    much of the window's height may be empty in one piece. `scrolls`: the page may be taller than
    the window, never wider. `lines`: least line height over font size."""

    font_px: float = 14
    target_px: float = 44
    contrast: float = 7.0
    band: float = 0.45
    scrolls: bool = True
    lines: float = 1.15


DEFAULT_RULES = Rules()


def layout_problems(page: Page, rules: Rules) -> list[str]:
    """Our own rules only."""
    found: list[str] = page.evaluate(MEASURE, asdict(rules))
    return found


def axe_problems(page: Page) -> list[str]:
    """Violations that axe sees, one line a rule."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "options => axe.run(options).then(results => results.violations)"
    return [
        f"axe {v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}"
        f" {v['nodes'][0]['failureSummary'][:200]}"
        for v in page.evaluate(run, AXE_OPTIONS)
    ]
