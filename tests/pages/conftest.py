"""Pages in a real browser: what a person would see, press and be told.

`page` fails its test on any request that leaves this machine, on any error in the browser's
console (a breach of the content policy is one) and on any uncaught exception. `check_page` holds a
page against axe and our own layout rules (tests/pages/layout.py). A picture is kept of what fails,
in build/pages/; with $TONGBAN_ARTEFACTS set, there, of everything that was checked.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.pages.layout import DEFAULT_RULES, Rules, axe_problems, layout_problems
from tests.pages.watched import NOWHERE_ELSE, Watched

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
    NOWHERE_ELSE,
)
TIMEOUT_MS = 30_000
"""For what comes at once on an idle machine: page tests take what others leave of it."""
HERE = Path(__file__).resolve().parent

CheckPage = Callable[..., None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium with an empty profile. Not for the whole session: while playwright is open
    its event loop counts as running, and nobody else's test could run one of its own."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=TIMEOUT_MS)
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


def _watch(browser: Browser) -> Watched:
    watch = Watched(browser.new_context(viewport={"width": 1080, "height": 1920}))
    watch.context.set_default_timeout(TIMEOUT_MS)
    return watch


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A context whose pages are watched; `watched.may_fail` names errors that a test provokes."""
    watch = _watch(browser)
    yield watch
    watch.context.close()
    assert watch.problems() == []


@pytest.fixture
def page(watched: Watched) -> Page:
    """A new page, 1080 x 1920; see `watched`."""
    return watched.context.new_page()


@pytest.fixture(scope="module")
def kept(browser: Browser) -> Iterator[Watched]:
    """A watched context for all tests of a module; see `kept_page`."""
    watch = _watch(browser)
    watch.context.new_page()
    yield watch
    watch.context.close()


@pytest.fixture
def kept_page(kept: Watched) -> Iterator[Page]:
    """The module's one page, as the test before left it: opening a page costs more than most tests
    do on it. What goes wrong counts for the test in which it does."""
    kept.forget()
    yield kept.context.pages[0]
    assert kept.problems() == []


@pytest.fixture
def next_page(kept: Watched, kept_page: Page) -> Iterator[Page]:
    """The same page for somebody new: without cookies, and blank again when the test is over. It
    turns blank by itself: told from outside, Chromium would begin a new process for it."""
    kept.context.clear_cookies()
    kept_page.emulate_media(color_scheme="light")
    yield kept_page
    for further in kept.context.pages[1:]:
        further.close()
    kept_page.evaluate("location.replace('about:blank')")
    kept_page.wait_for_url("about:blank")


@pytest.fixture(scope="session")
def check_page() -> CheckPage:
    """`check_page(page, name, rules)`: fail on any problem. `axe=False` leaves axe out, for a page
    that differs only in its words from one that it has seen."""
    wanted = os.environ.get("TONGBAN_ARTEFACTS")
    folder = Path(wanted) if wanted else HERE.parents[1] / "build" / "pages"

    def check(page: Page, name: str, rules: Rules = DEFAULT_RULES, axe: bool = True) -> None:
        page.wait_for_load_state()  # words are there before the styles of a new document
        page.evaluate("document.fonts.ready")
        problems = layout_problems(page, rules) + (axe_problems(page) if axe else [])
        if wanted or problems:
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", full_page=rules.scrolls)
        assert problems == [], name

    return check
