"""Pages in a real browser: what a person would see, press and be told.

`page` fails its test on any request that leaves this machine, on any error in the browser's
console (a breach of the content policy is one) and on any uncaught exception. `check_page` holds a
page against axe and our own layout rules (tests/pages/layout.py). Pictures of what was checked are
kept in $TONGBAN_ARTEFACTS, or in build/pages/.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.layout import DEFAULT_RULES, Rules, axe_problems, layout_problems
from tests.pages.watched import Watched

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_MS = 10_000
HERE = Path(__file__).resolve().parent

CheckPage = Callable[..., None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium with an empty profile. Not for the whole session: while playwright is open
    its event loop counts as running, and nobody else's test could run one of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A context whose pages are watched; `watched.may_fail` names errors that a test provokes."""
    watch = Watched(browser.new_context(viewport={"width": 1080, "height": 1920}))
    watch.context.set_default_timeout(TIMEOUT_MS)
    yield watch
    watch.context.close()
    assert watch.problems() == []


@pytest.fixture
def page(watched: Watched) -> Page:
    """A new page, 1080 x 1920; see `watched`."""
    return watched.context.new_page()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept."""
    given = os.environ.get("TONGBAN_ARTEFACTS")
    folder = Path(given) if given else HERE.parents[1] / "build" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def check_page(pictures: Path) -> CheckPage:
    """`check_page(page, name, rules)`: keep a picture, fail on any problem. `axe=False` leaves axe
    out, for a page that differs only in its words from one that it has seen."""

    def check(page: Page, name: str, rules: Rules = DEFAULT_RULES, axe: bool = True) -> None:
        page.evaluate("document.fonts.ready")
        page.screenshot(path=pictures / f"{name}.png", full_page=rules.scrolls)
        problems = layout_problems(page, rules) + (axe_problems(page) if axe else [])
        assert problems == [], name

    return check
