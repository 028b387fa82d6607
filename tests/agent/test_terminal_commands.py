"""What the centre asks of a whole agent, over a real broker: an answer to a call, a ticket."""

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocol import topics
from protocol.commands import AnswerHelp, Body, CallTicket, Command, sign_command
from protocol.records import ANSWERED_ON_PAGE, HelpAnswered, HelpCall
from protocol.state import open_state
from tests.agent.agent_process import CENTRE, DEVICE, TERMINAL, AgentProcess, closed_port
from tests.agent.flow_tools import card_block
from tests.agent.live_uplink import HOST, WAIT_S, broker_on, wait_until
from tests.agent.pty_board import PtyBoard
from tests.agent.test_terminal_help import COMING, GO, RINGS, board, heard, taken

__all__ = ["board"]
CALLED = "请 B 零一七 号到 3 号窗口。"


class Officer:
    """The centre's end of the commands: says one, sees through which they were taken."""

    def __init__(self, port: int) -> None:
        self.through: list[int] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._state
        subscribed: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._client.subscribe(topics.up_state(TERMINAL), 1)
        assert subscribed.get(timeout=WAIT_S)

    def _state(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        state = open_state(bytes(message.payload), DEVICE.verify_key, TERMINAL).state
        self.through.append(state.commands_through)

    def say(self, number: int, body: Body, lasts_ms: int = 60_000) -> None:
        now_ms = time.time_ns() // 1_000_000
        command = Command(TERMINAL, number, now_ms, now_ms + lasts_ms, body)
        raw = sign_command(CENTRE, command)
        self._client.publish(topics.down_command(TERMINAL), raw, 1)

    def repeat(self, number: int, body: Body) -> None:
        """Say it until it is taken, as the centre does."""
        give_up = time.monotonic() + WAIT_S
        while self.through[-1:] != [number]:
            assert time.monotonic() < give_up, f"command {number} was never taken"
            self.say(number, body)
            time.sleep(0.5)

    def wait_taken(self, number: int) -> None:
        wait_until(lambda: self.through[-1:] == [number], f"commands taken through {number}")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def officer(tmp_path: Path) -> Iterator[Officer]:
    port = closed_port()
    with broker_on(port, tmp_path / "broker.log"):
        made = Officer(port)
        made.port = port  # type: ignore[attr-defined]
        yield made
        made.close()


@pytest.fixture
def agent(tmp_path: Path, board: PtyBoard, officer: Officer) -> Iterator[AgentProcess]:
    made = AgentProcess(tmp_path, board.path, broker=officer.port)  # type: ignore[attr-defined]
    made.start()
    board.wait(lambda b: b.read is not None)
    wait_until(lambda: bool(officer.through), "the first state")
    yield made
    made.stop()


def test_an_officer_answers_on_the_page_and_the_citizen_hears_it_once(
    agent: AgentProcess, board: PtyBoard, officer: Officer
) -> None:
    board.do(lambda b: b.press_help(7))
    board.wait(lambda b: b.said and not b.events)
    officer.say(5, AnswerHelp(7))
    board.wait(lambda b: COMING in heard(board))
    officer.wait_taken(5)
    for number in (5, 4):  # again, and late
        officer.say(number, AnswerHelp(7))
    officer.say(6, AnswerHelp(7), lasts_ms=-1)
    officer.wait_taken(6)
    assert heard(board) == [RINGS + GO, COMING]
    assert board.board.shown_answered == [7]
    assert agent.stop() == 0
    bodies = [body for body in agent.records() if isinstance(body, HelpCall | HelpAnswered)]
    assert bodies[0] == HelpCall(7, 5)
    assert len(bodies) == 2
    assert isinstance(bodies[1], HelpAnswered)
    assert (bodies[1].event, bodies[1].by) == (7, ANSWERED_ON_PAGE)
    assert 5 < bodies[1].wait_ms < 30_000


def test_an_answer_is_not_lost_by_an_agent_that_dies_and_not_given_twice(
    agent: AgentProcess, board: PtyBoard, officer: Officer
) -> None:
    board.do(lambda b: b.press_help(7))
    taken(board)
    agent.kill()
    officer.say(5, AnswerHelp(7))  # nobody is there: the centre says it again
    agent.start()
    officer.repeat(5, AnswerHelp(7))
    board.wait(lambda b: COMING in heard(board))
    agent.kill()
    agent.start()
    officer.say(5, AnswerHelp(7))
    officer.repeat(6, CallTicket("B-017", "3"))
    board.wait(lambda b: CALLED in heard(board))
    assert heard(board).count(COMING) == 1


def test_a_ticket_is_called_between_visits_and_not_into_one(
    agent: AgentProcess, board: PtyBoard, officer: Officer
) -> None:
    board.board.silent = True  # what is said does not end by itself
    board.do(lambda b: b.place_card(card_block()))
    board.wait(lambda b: b.said)
    officer.say(1, CallTicket("B-017", "3"))
    officer.wait_taken(1)
    assert CALLED not in heard(board)
    board.do(lambda b: setattr(b, "silent", False))
    board.do(lambda b: b.reboot())  # what sounded is said again, and ends
    board.wait(lambda b: CALLED in heard(board), 30)
    assert heard(board).count(CALLED) == 1
    assert heard(board)[-1] == CALLED
    assert agent.stop() == 0
