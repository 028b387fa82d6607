"""The screen of a real agent: what the board is made to say stands on the page, keys reach the
visit, and a killed agent is found again by its page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.agent.agent_process import AgentProcess, closed_port
from tests.agent.pty_board import PtyBoard
from tests.pages.kiosk_tools import settled, words
from tests.pages.watched import Watched

NO_CARD = "没有带身份证，请到服务台，由工作人员为您办理。"


@pytest.fixture(scope="module")
def board() -> Iterator[PtyBoard]:
    made = PtyBoard()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory, board: PtyBoard) -> Iterator[AgentProcess]:
    folder = tmp_path_factory.mktemp("agent")
    made = AgentProcess(folder, board.path, config=f"kiosk_port = {closed_port()}\n")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def address(agent: AgentProcess) -> str:
    """Its page. The agent is started once: a test that kills it starts it again."""
    return agent.start()["kiosk"]


def heard(board: PtyBoard) -> str:
    return "".join(text.decode("gbk") for text in board.board.said)


def test_a_key_on_the_page_is_heard_from_the_board_and_read_on_the_page(
    page: Page, address: str, board: PtyBoard
) -> None:
    board.wait(lambda b: b.read is not None)
    page.goto(address)
    page.wait_for_selector(".page-welcome")
    assert [words(page, f'.choice[data-key="{key}"] .word') for key in "12"] == [
        "没有带身份证",
        "请工作人员帮忙",
    ]
    settled(page)
    page.keyboard.press("1")
    page.wait_for_selector('[data-text="card.none"]')
    assert words(page, ".words").replace(" ", "") == NO_CARD
    board.wait(lambda b: NO_CARD in heard(board))
    page.keyboard.press("0")
    page.wait_for_selector(".page-welcome")


def test_a_killed_agent_is_found_again_by_its_page(
    page: Page, watched: Watched, agent: AgentProcess, address: str
) -> None:
    watched.may_fail += ["ERR_", "503"]
    page.goto(address)
    page.wait_for_selector(".page-welcome")
    agent.kill()
    page.wait_for_selector("#out:not([hidden])")
    assert agent.start()["kiosk"] == address
    page.wait_for_selector(".screen .headline")
    assert page.locator("#out").is_hidden()
