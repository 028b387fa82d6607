"""When the terminal behind the page is gone, the page says so within two seconds, forgets what it
showed, and goes on by itself."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from edge_agent.kiosk import Kiosk
from tests.pages import kiosk_process
from tests.pages.conftest import CheckPage
from tests.pages.kiosk_tools import LANDSCAPE, LARGE, PORTRAIT, shown, words
from tests.pages.played_source import SCENES, PlayedSource, shipped_texts
from tests.pages.watched import Watched

CALM_S_MAX = 2.0
OF_A_PERSON = "样**"
SERVER_GONE = ("ERR_", "503")
SLACK_S = 1.0
"""Two cores run everybody's tests: how long the browser itself may be kept from running."""


def turns_calm(page: Page) -> float:
    """Seconds until the calm page is there."""
    started = time.monotonic()
    page.wait_for_selector("#out:not([hidden])")
    return time.monotonic() - started


def heals(page: Page) -> None:
    page.wait_for_selector("#out[hidden]", state="attached")
    page.wait_for_selector(".screen .headline")


@pytest.fixture
def open_page(next_page: Page, kept: Watched) -> Page:
    kept.may_fail += SERVER_GONE
    return next_page


def test_a_killed_agent_leaves_a_calm_page_that_heals(
    open_page: Page, free_port: int, check_page: CheckPage
) -> None:
    agent = kiosk_process.start(free_port, "entered")
    try:
        open_page.goto(f"http://127.0.0.1:{free_port}")
        open_page.wait_for_selector(".person")
        kiosk_process.end(agent)
        assert turns_calm(open_page) <= CALM_S_MAX + SLACK_S
        assert words(open_page, "#out").startswith("本机暂停服务 请取回证件，到服务台。")
        assert "This terminal is paused" in words(open_page, "#out")
        assert OF_A_PERSON not in open_page.content()
        for name, size in (("portrait", PORTRAIT), ("landscape", LANDSCAPE)):
            open_page.set_viewport_size(size)  # type: ignore[arg-type]
            check_page(open_page, f"kiosk-out-{name}", LARGE)
        agent = kiosk_process.start(free_port, "welcome")
        heals(open_page)
        assert open_page.locator(".page-welcome").count() == 1
    finally:
        kiosk_process.end(agent)


def test_a_hanging_process_leaves_a_calm_page_that_heals(open_page: Page, free_port: int) -> None:
    agent = kiosk_process.start(free_port)
    try:
        open_page.goto(f"http://127.0.0.1:{free_port}")
        open_page.wait_for_selector(".screen")
        os.kill(agent.pid, signal.SIGSTOP)
        assert turns_calm(open_page) <= CALM_S_MAX + SLACK_S
        os.kill(agent.pid, signal.SIGCONT)
        heals(open_page)
    finally:
        kiosk_process.end(agent)


@pytest.fixture
def heart() -> dict[str, bool]:
    return {"beats": True}


@pytest.fixture
def source() -> PlayedSource:
    return PlayedSource(SCENES["entered"])


@pytest.fixture
def kiosk(source: PlayedSource, heart: dict[str, bool]) -> Iterator[Kiosk]:
    served = Kiosk(source, shipped_texts(), beats=lambda: heart["beats"])
    served.start()
    yield served
    served.stop()


def test_an_agent_whose_loop_hangs_is_no_longer_believed_and_gets_no_keys(
    open_page: Page, kiosk: Kiosk, source: PlayedSource, heart: dict[str, bool]
) -> None:
    open_page.goto(kiosk.url)
    shown(open_page, source)
    heart["beats"] = False
    assert turns_calm(open_page) <= CALM_S_MAX + SLACK_S
    assert OF_A_PERSON not in open_page.content()
    open_page.keyboard.press("6")
    heart["beats"] = True
    heals(open_page)
    assert source.pressed == []


def test_an_agent_that_stops_ends_its_streams_soon(
    open_page: Page, kiosk: Kiosk, source: PlayedSource
) -> None:
    open_page.goto(kiosk.url)
    shown(open_page, source)
    started = time.monotonic()
    kiosk.stop()
    assert time.monotonic() - started < CALM_S_MAX
    assert turns_calm(open_page) <= CALM_S_MAX + SLACK_S


def test_a_quiet_page_does_not_think_that_it_is_alone(
    next_page: Page, kiosk: Kiosk, source: PlayedSource
) -> None:
    next_page.goto(kiosk.url)
    shown(next_page, source)
    next_page.wait_for_timeout(2_000)
    assert next_page.locator("#out").is_hidden()
    assert next_page.locator(".person").is_visible()
