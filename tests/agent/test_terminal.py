"""A whole agent process on a real port with a real outbox; only the board is a test's own."""

import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.status import read_status
from protocol.records import GatePassage, PrintOutcome, ServiceFact, TerminalStarted
from protocol.wire import messages, states
from tests.agent.agent_process import AgentProcess
from tests.agent.flow_tools import card_block
from tests.agent.pty_board import PtyBoard
from tests.agent.terminal_thread import TerminalThread, hurry, locked

TAKE = "请取回您的身份证。"
NUMBER = "441900190001010027"


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    made = PtyBoard()
    yield made
    made.stop()


@pytest.fixture
def agents(tmp_path: Path, board: PtyBoard) -> Iterator[list[AgentProcess]]:
    """Agents of a test, ended with it."""
    made: list[AgentProcess] = []
    yield made
    for agent in made:
        agent.stop()


def started(agents: list, tmp_path: Path, board: PtyBoard, *flags: str, config: str = ""):
    agent = AgentProcess(tmp_path, board.path, *flags, config=config)
    agents.append(agent)
    ready = agent.start()
    board.wait(lambda b: b.read is not None)
    return agent, ready


def heard(board: PtyBoard) -> list[str]:
    return [text.decode("gbk") for text in board.board.said]


def visit(board: PtyBoard, number: str = NUMBER) -> None:
    before = heard(board).count(TAKE)
    board.wait(lambda b: b.read is not None)
    board.do(lambda b: b.place_card(card_block(number)))
    board.wait(lambda b: heard(board).count(TAKE) > before)
    board.do(lambda b: b.send(messages.CARD_REMOVED, 1))


def passages(agent: AgentProcess) -> list[GatePassage]:
    return [body for body in agent.records() if isinstance(body, GatePassage)]


def test_a_visit_is_durable_before_the_gate_opens_and_everything_is_told(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    stored: list[int] = []

    def look(kind: int) -> None:
        if kind == messages.PULSE:
            database = sqlite3.connect(tmp_path / "data" / "outbox.db")
            stored.append(database.execute("SELECT count(*) FROM record WHERE visit").fetchone()[0])
            database.close()

    board.board.on_message = look
    agent, ready = started(agents, tmp_path, board, "--direction", "entry")
    visit(board)
    assert stored == [1]
    assert heard(board) == ["您已登记，请进。", TAKE]
    assert [what for what, _ in board.board.done] == ["pulse", "print"]
    assert "入场凭条".encode("gb18030") in board.board.slips[0]
    assert read_status(agent.data)["backlog"] >= 3
    with urllib.request.urlopen(ready["health"] + "/readyz") as answer:
        assert json.load(answer)["status"] == "ok"
    assert agent.stop() == 0
    bodies = agent.records()
    assert isinstance(bodies[0], TerminalStarted)
    assert bodies[0].reason == "first"
    assert [type(body) for body in bodies[1:]] == [GatePassage, PrintOutcome]
    assert bodies[1].person.number == NUMBER
    assert bodies[2].of == 2
    log = agent.log.read_text("utf-8")
    assert NUMBER not in log
    assert "样例甲" not in log
    lines = [json.loads(line) for line in log.splitlines()]
    correlations = {line["correlation"] for line in lines if line["event"].startswith("visit.")}
    assert len(correlations - {"00" * 8}) == 1


def test_nothing_on_the_disk_names_the_person(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)
    visit(board)
    agent.kill()
    for path in agent.data.iterdir():
        content = path.read_bytes()
        for encoding in ("utf-8", "gb18030", "utf-16-le"):
            assert NUMBER.encode(encoding) not in content
            assert "样例甲".encode(encoding) not in content


def test_a_gate_for_both_ways_lets_the_same_person_in_then_out(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)
    visit(board)
    visit(board, "810000190001010034")
    visit(board)
    assert agent.stop() == 0
    assert [p.direction for p in passages(agent)] == [1, 1, 2]
    assert "您已登记离开，请慢走。" in heard(board)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (messages.PULSE, 1),
        (messages.SAY, 1),
        (messages.PRINT_RUN, 1),
        (messages.SAY, 2),
    ],
)
def test_an_agent_killed_in_mid_visit_goes_on_with_it_and_does_nothing_twice(
    agents: list, tmp_path: Path, board: PtyBoard, kind: int, count: int
) -> None:
    agent, _ = started(agents, tmp_path, board, "--direction", "entry")
    reached = threading.Event()
    seen = []

    def kill(now: int) -> None:
        seen.append(now)
        if now == kind and seen.count(kind) == count and not reached.is_set():
            assert agent.process is not None
            agent.process.kill()
            reached.set()

    board.board.on_message = kill
    board.do(lambda b: b.place_card(card_block()))
    assert reached.wait(10)
    agent.kill()
    agent.start()
    board.wait(lambda b: b.read is not None, 20)
    assert [what for what, _ in board.board.done] == ["pulse", "print"]
    assert TAKE in heard(board)
    assert "您已登记，请进。" in heard(board)
    assert agent.stop() == 0
    assert len(passages(agent)) == 1
    outcomes = [body for body in agent.records() if isinstance(body, PrintOutcome)]
    assert [outcome.outcome for outcome in outcomes] == [1]
    assert read_status(agent.data)["visits_under_way"] == 0


def test_a_board_that_reboots_in_mid_print_leads_to_unknown_and_no_second_slip(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)

    def hang(kind: int) -> None:
        board.board.slow = kind == messages.PRINT_RUN

    board.board.on_message = hang
    board.do(lambda b: b.place_card(card_block()))
    board.wait(lambda b: b.slips)
    board.board.on_message = lambda _kind: None
    board.reboot()
    board.wait(lambda b: TAKE in heard(board), 20)
    assert len(board.board.slips) == 1
    assert "凭条可能没有打印完整，不影响您本次通行。" in heard(board)
    assert agent.stop() == 0
    outcomes = [body for body in agent.records() if isinstance(body, PrintOutcome)]
    assert [outcome.outcome for outcome in outcomes] == [3]


def test_a_printer_without_paper_costs_the_slip_and_nothing_else(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)
    device = (states.PRINTER, states.USER_ERROR, states.PAPER_OUT)
    board.do(lambda b: b.send(messages.DEVICE, *device))
    visit(board)
    assert heard(board) == ["您已登记，请进。", "凭条没有打印，不影响您本次通行。", TAKE]
    assert board.board.slips == []
    assert agent.stop() == 0
    assert len(passages(agent)) == 1


def test_a_card_that_was_not_read_is_asked_for_again_and_taken_while_speaking(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)

    def lift(b) -> None:
        b.silent = True  # the utterance does not end by itself
        b.send(messages.CARD_FAULT, b.read[0], states.CARD_NOT_READ)

    board.do(lift)
    board.wait(lambda b: len(b.said) == 1)
    board.do(lambda b: setattr(b, "silent", False))
    visit(board)
    assert heard(board)[0] == "没有读到身份证，请重新放上，不要移动。"
    assert heard(board)[1:] == ["您已登记，请进。", TAKE]
    assert board.board.hushed >= 1
    assert agent.stop() == 0


RESTARTED = "本机刚才重新启动。如已放上身份证，请取回，再重新放上。"


def test_who_lost_a_read_to_a_restart_is_told_to_try_again(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)
    visit(board)
    assert RESTARTED not in heard(board)
    board.reboot()
    board.wait(lambda b: RESTARTED in heard(board))
    agent.kill()
    agent.start()
    board.wait(lambda b: heard(board).count(RESTARTED) == 2)
    assert agent.stop() == 0
    agent.start()
    board.wait(lambda b: b.read is not None)
    visit(board, "810000190001010034")
    assert heard(board).count(RESTARTED) == 2
    assert agent.stop() == 0


def test_a_card_left_on_the_reader_is_no_second_visit(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    agent, _ = started(agents, tmp_path, board)
    board.do(lambda b: b.place_card(card_block()))
    board.wait(lambda b: TAKE in heard(board))
    board.wait(lambda b: b.read is not None)
    board.do(lambda b: b.place_card(card_block()))  # a board that forgot that it held this card
    board.wait(lambda b: b.read is not None)
    assert agent.stop() == 0
    assert len(passages(agent)) == 1


def test_a_locked_disk_leads_to_an_honest_no(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with TerminalThread(tmp_path, board.path, service="gate"):
        board.wait(lambda b: b.read and read_status(tmp_path / "data")["records"] >= 1)
        with locked(tmp_path):
            board.do(lambda b: b.place_card(card_block()))
            board.wait(lambda b: len(b.said) > 0, 25)
            assert heard(board) == ["本机暂时不能办理，请取回您的身份证，请到服务台。"]
            assert board.board.done == []
        board.wait(lambda b: b.read is not None)
        board.do(lambda b: b.send(messages.CARD_REMOVED, 1))
        visit(board, "810000190001010034")


MEAL = """
[service]
id = "meal"
version = 4
title = "meal.title"
first = "read"
ends = ["done", "failed"]
[otherwise]
device_fault = "sorry"
time_limit = "sorry"
unreadable = "sorry"
unknown_card = "sorry"
no_card = "sorry"
ask_officer = "sorry"
stopped = "sorry"
[steps.read]
do = "read_card"
time_limit_s = 0
next = { card = "way" }
[steps.way]
do = "check"
check = "direction"
time_limit_s = 5
next = { entry = "note", exit = "note" }
[steps.note]
do = "record"
record = "service.fact"
person = true
fields = { meal = "lunch", portions = 1, way = "{direction}" }
time_limit_s = 10
next = { recorded = "thanks", failed = "sorry" }
[steps.thanks]
do = "say"
text = "meal.noted"
time_limit_s = 15
next = "take"
[steps.take]
do = "say"
text = "card.take"
time_limit_s = 15
next = "done"
[steps.sorry]
do = "say"
text = "terminal.sorry"
time_limit_s = 15
next = "failed"
"""
MEAL_TEXTS = """
["meal.title"]
zh-CN = "用餐登记"
yue = "用膳登记"
en = "Meals"
["meal.noted"]
told = true
zh-CN = "您已登记，编号{number}，请用餐。"
yue = "您已登记，编号{number}，请用膳。"
en = "You are registered, number {number}."
"""


def test_a_new_service_is_a_new_file_and_no_code(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    for folder, name, text in (("svc", "meal", MEAL), ("txt", "meal", MEAL_TEXTS)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.toml").write_text(text, "utf-8")
    config = f'service = "meal"\nservices = "{tmp_path}/svc"\ntexts = "{tmp_path}/txt"\n'
    agent, _ = started(agents, tmp_path, board, config=config)
    visit(board)
    assert heard(board) == ["您已登记，编号2，请用餐。", TAKE]
    assert agent.stop() == 0
    fact = next(body for body in agent.records() if isinstance(body, ServiceFact))
    assert (fact.service, fact.definition, fact.visit) == ("meal", 4, True)
    assert fact.fields == {"meal": "lunch", "portions": 1, "way": "entry"}
    assert fact.person is not None
    assert read_status(agent.data)["visits"] == 1


def test_without_its_board_the_agent_lives_and_says_that_it_is_not_ready(
    agents: list, tmp_path: Path, board: PtyBoard
) -> None:
    _, ready = started(agents, tmp_path, board)
    board.do(lambda b: setattr(b, "link_up", lambda *_: None))
    board._stopping = True  # the board's program hangs, the line stays
    give_up = time.monotonic() + 10
    code, body = 200, b""
    while code == 200 and time.monotonic() < give_up:
        time.sleep(0.2)
        code, body = fetch(ready["health"] + "/readyz")
    assert code == 503
    assert "no board" in json.loads(body)["checks"]["board"]["note"]
    assert fetch(ready["health"] + "/healthz")[0] == 200


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
