"""Calls for help from end to end: a whole agent on a real port, with a real outbox."""

import json
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.help_calls import SAVED
from protocol.records import ANSWERED_AT_DESK, Body, HelpAnswered, HelpCall
from protocol.wire.states import AGE_UNKNOWN
from tests.agent.agent_process import AgentProcess, records_in
from tests.agent.pty_board import PtyBoard
from tests.agent.terminal_thread import TerminalThread, hurry, locked

RINGS = "大厅的呼叫铃正在响，您的求助已经记下，还没有人应答。"
RINGS_UNRECORDED = "大厅的呼叫铃正在响，但本机没能记下求助，还没有人应答。"
SILENT = "您的求助已经记下，但呼叫铃没有响，还没有人应答。"
GO = "需要马上帮助，请到服务台。"
DEAD_S = 0.3
"""So long is the power off: the age of a call goes on meanwhile."""
COMING = "工作人员正在过来，请在这里等候。"


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    made = PtyBoard()
    yield made
    made.stop()


@pytest.fixture
def agent(tmp_path: Path, board: PtyBoard) -> Iterator[AgentProcess]:
    made = AgentProcess(tmp_path, board.path)
    yield made
    made.stop()


def start(agent: AgentProcess, board: PtyBoard) -> dict[str, str]:
    ready = agent.start()
    board.wait(lambda b: b.read is not None)
    return ready


def page(ready: dict[str, str]) -> str:
    """The citizen's screen as it is now."""
    with urllib.request.urlopen(ready["kiosk"]) as answer:
        return str(answer.read().decode())


def heard(board: PtyBoard) -> list[str]:
    return [text.decode("gbk") for text in board.board.said]


def taken(board: PtyBoard) -> None:
    """The agent has acknowledged every event."""
    board.wait(lambda b: b.events == {})


def records(agent: AgentProcess) -> list[Body]:
    assert agent.stop() == 0
    return calls(agent.records())


def calls(bodies: list[Body]) -> list[Body]:
    return [body for body in bodies if isinstance(body, HelpCall | HelpAnswered)]


def test_a_call_rings_is_recorded_is_answered_at_the_desk_and_only_then_promises(
    agent: AgentProcess, board: PtyBoard
) -> None:
    start(agent, board)
    board.do(lambda b: b.press_help(7))
    board.wait(lambda b: b.events == {} and b.said)
    board.do(lambda b: b.press_help(7))  # the acknowledgement got lost
    taken(board)
    assert heard(board) == [RINGS + GO]
    assert [number for number, _ in board.board.rung] == [7]
    board.do(lambda b: b.answer_at_desk(8, 7, 4_321))
    board.wait(lambda b: COMING in heard(board))
    taken(board)
    assert heard(board) == [RINGS + GO, COMING]
    assert board.board.shown_answered == [7]
    assert records(agent) == [HelpCall(7, 5), HelpAnswered(7, 4_321, ANSWERED_AT_DESK)]


def test_the_help_key_of_the_screen_rings_the_hall_and_the_screen_says_how_it_stands(
    agent: AgentProcess, board: PtyBoard
) -> None:
    ready = start(agent, board)
    assert "help-" not in page(ready)
    key = json.dumps({"key": "help", "serial": 0}).encode()
    headers = {"Content-Type": "application/json", "Origin": ready["kiosk"].rstrip("/")}
    urllib.request.urlopen(urllib.request.Request(ready["kiosk"] + "/key", key, headers)).close()
    board.wait(lambda b: b.rung and b.said)
    assert heard(board) == [RINGS + GO]
    assert "note help-called" in page(ready)
    number = board.board.rung[0][0]
    board.do(lambda b: b.answer_at_desk(1, number, 1_000))
    board.wait(lambda b: COMING in heard(board))
    assert "note help-answered" in page(ready)
    written = records(agent)
    assert written == [HelpCall(number, 0), HelpAnswered(number, 1_000, ANSWERED_AT_DESK)]


def test_a_press_again_is_one_call_and_is_heard_again(agent: AgentProcess, board: PtyBoard) -> None:
    start(agent, board)
    for number in (7, 8):
        board.do(lambda b, number=number: b.press_help(number))
        board.wait(lambda b, number=number: b.events == {} and len(b.said) == number - 6)
    assert heard(board) == [RINGS + GO] * 2
    assert records(agent) == [HelpCall(7, 5)]


def test_a_board_without_a_bell_is_not_said_to_ring(tmp_path: Path, board: PtyBoard) -> None:
    board.board.wired = "lamp"
    board.reboot()
    agent = AgentProcess(tmp_path, board.path, config='help_phone = "0769-2283 0000"\n')
    try:
        start(agent, board)
        board.do(lambda b: b.press_help(7))
        board.wait(lambda b: b.said)
        phone = "零七六九二二八三零零零零"
        assert heard(board) == [SILENT + f"需要马上帮助，请到服务台，或拨打{phone}。"]
    finally:
        agent.stop()


def test_a_call_that_the_disk_refuses_rings_all_the_same_and_says_so(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with TerminalThread(tmp_path, board.path, service="gate"):
        board.wait(lambda b: b.read is not None)
        with locked(tmp_path):
            board.do(lambda b: b.press_help(7))
            board.wait(lambda b: b.said, 20)
            assert heard(board) == [RINGS_UNRECORDED + GO]
            assert 7 in board.board.events
            board.do(lambda b: b.answer_at_desk(8, 7, 900))
            board.wait(lambda b: COMING in heard(board), 20)
        for number in (7, 8):
            board.do(lambda b, number=number: b._tell_event(number))  # the board says it again
        taken(board)
        assert heard(board) == [RINGS_UNRECORDED + GO, COMING]
    written = calls(records_in(tmp_path / "data"))
    assert written == [HelpCall(7, 5), HelpAnswered(7, 900, ANSWERED_AT_DESK)]


def test_an_agent_that_restarts_goes_on_with_the_call(agent: AgentProcess, board: PtyBoard) -> None:
    start(agent, board)
    board.do(lambda b: b.press_help(7))
    taken(board)
    agent.kill()
    board.do(lambda b: b.reboot())  # the board has lost its power too: it rings again for us
    time.sleep(DEAD_S)
    start(agent, board)
    board.wait(lambda b: len(b.rung) == 2)
    number, age_ms = board.board.rung[1]
    assert number == 7
    assert DEAD_S * 1000 < age_ms < 30_000
    board.do(lambda b: b.answer_at_desk(9, 7, AGE_UNKNOWN))
    board.wait(lambda b: COMING in heard(board))
    taken(board)
    call, answer = records(agent)
    assert call == HelpCall(7, 5)
    assert isinstance(answer, HelpAnswered)
    assert age_ms - 5 <= answer.wait_ms < 60_000


def test_what_happened_while_the_agent_was_dead_is_recorded_and_not_spoken_of(
    agent: AgentProcess, board: PtyBoard
) -> None:
    board.do(lambda b: b.events.update({1: (1, 600_000), 2: (3, 500_000)}))
    board.do(lambda b: b.event_tails.update({2: bytes((1, 0, 0, 0, 16, 39, 0, 0))}))
    start(agent, board)
    taken(board)
    assert records(agent) == [HelpCall(1, 600_000), HelpAnswered(1, 10_000, ANSWERED_AT_DESK)]
    assert not [words for words in heard(board) if "铃" in words or "工作人员" in words]


def test_the_last_call_is_kept_in_the_commit_of_its_record(
    agent: AgentProcess, board: PtyBoard
) -> None:
    start(agent, board)
    board.do(lambda b: b.press_help(7))
    taken(board)
    agent.kill()
    database = sqlite3.connect(agent.data / "outbox.db")
    kept = dict(database.execute("SELECT name, value FROM number"))
    database.close()
    assert kept["help_number"] == 7
    assert kept["help_answered_ms"] == 0
    assert {name for name in kept if name.startswith("help_")} == set(SAVED)
