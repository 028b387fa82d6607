"""A whole terminal that gives walk-in numbers: real port, outbox, keys; the board is a test's."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.core.screen import CHOICE, FAULT, MESSAGE, READING, TICKET, WELCOME
from protocol.records import Body, PrintOutcome, TicketIssued
from protocol.records.kinds import GROUND_AGE, GROUND_OFFICER
from protocol.wire import messages, states
from tests.agent.agent_process import records_in
from tests.agent.flow_tools import card_block
from tests.agent.pty_board import PtyBoard
from tests.agent.terminal_thread import TerminalThread, hurry, locked

OLD = "441900190001010027"
OTHER = "810000190001010034"
TAKE = "请取回您的身份证。"


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    made = PtyBoard()
    yield made
    made.stop()


def tickets(folder: Path) -> list[TicketIssued]:
    return [body for body in records(folder) if isinstance(body, TicketIssued)]


def records(folder: Path) -> list[Body]:
    return records_in(folder / "data")


def heard(board: PtyBoard) -> str:
    return "".join(text.decode("gbk") for text in board.board.said)


def put(board: PtyBoard, number: str, name: str = "样例甲") -> None:
    board.wait(lambda b: b.read is not None)
    board.do(lambda b: b.place_card(card_block(number, name)))


def lift(board: PtyBoard) -> None:
    board.do(lambda b: b.send(messages.CARD_REMOVED, 1))


def visit(thread: TerminalThread, board: PtyBoard, number: str, key: str = "1") -> str:
    """One person, one matter; gives the number that the screen showed."""
    takes = heard(board).count(TAKE)
    put(board, number)
    thread.see(lambda s: s.page == CHOICE)
    thread.press(key)
    shown = thread.see(lambda s: s.number).number
    board.wait(lambda b: heard(board).count(TAKE) > takes)
    lift(board)
    thread.see(lambda s: s.page != CHOICE)
    return shown


def test_an_old_person_gets_a_number_and_hears_and_sees_it_behind_its_record(
    tmp_path: Path, board: PtyBoard
) -> None:
    stored: list[int] = []

    def look(kind: int) -> None:
        if kind == messages.PRINT_RUN:
            stored.append(len(tickets(tmp_path)))

    board.board.on_message = look
    with TerminalThread(tmp_path, board.path) as thread:
        assert thread.see(lambda s: s.page == WELCOME).text == "number.welcome"
        put(board, OLD)
        asked = thread.see(lambda s: s.page == CHOICE)
        assert [choice.text for choice in asked.choices] == [
            *("matter.social", "matter.medical", "matter.civil")
        ]
        assert asked.person == "样** …27"
        board.wait(lambda b: "民政，请按3" in heard(board))
        thread.press("2")
        board.wait(lambda b: TAKE in heard(board))
        told = thread.see(lambda s: s.page == TICKET)
        assert (told.number, told.person) == ("B-001", "")
        lift(board)
    assert stored == [1]
    assert "您的号码是 B 零零一" in heard(board)
    assert "社保，请按1" in heard(board)
    assert "B-001".encode("gb18030") in board.board.slips[0]
    assert "医保".encode("gb18030") in board.board.slips[0]
    ticket = tickets(tmp_path)[0]
    assert (ticket.number, ticket.matter, ticket.ground) == ("B-001", "medical", GROUND_AGE)
    assert ticket.person.number == OLD
    assert any(isinstance(body, PrintOutcome) for body in records(tmp_path))
    shown = [screen for screen in thread.screens if screen.number]
    before = thread.screens[: thread.screens.index(shown[0])]
    assert not any("ticket" in screen.fields for screen in before)


def test_one_number_a_person_and_matter_said_again_also_after_a_restart(
    tmp_path: Path, board: PtyBoard
) -> None:
    with TerminalThread(tmp_path, board.path) as thread:
        assert visit(thread, board, OLD, "1") == "B-001"
        assert visit(thread, board, OTHER, "1") == "B-002"
        assert visit(thread, board, OLD, "3") == "B-003"
        assert visit(thread, board, OLD, "1") == "B-001"
    with TerminalThread(tmp_path, board.path) as thread:
        assert visit(thread, board, OTHER, "1") == "B-002"
        assert visit(thread, board, OTHER, "2") == "B-004"
    numbers = [ticket.number for ticket in tickets(tmp_path)]
    assert numbers == ["B-001", "B-002", "B-003", "B-004"]
    assert "您今天已取号" in heard(board)
    assert len(board.board.slips) == 4


def test_who_is_too_young_gets_a_number_on_an_officers_word_and_both_are_in_the_record(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.core.checks.age", lambda *_: ("younger", {}))
    with TerminalThread(tmp_path, board.path) as thread:
        thread.know_officer("C", OTHER, time.time_ns() // 1_000_000)
        put(board, OLD)
        thread.see(lambda s: s.page == READING and s.text == "number.officer_card")
        put(board, OLD)  # still there: nobody vouches for themselves
        lift(board)
        put(board, OTHER, "样例乙")
        thread.see(lambda s: s.page == CHOICE)
        thread.press("1")
        board.wait(lambda b: TAKE in heard(board))
    ticket = tickets(tmp_path)[0]
    assert ticket.ground == GROUND_OFFICER
    assert ticket.person.number == OLD
    assert ticket.officer is not None
    assert ticket.officer.number == OTHER


def test_a_stranger_is_no_officer_and_there_is_no_number(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.core.checks.age", lambda *_: ("younger", {}))
    with TerminalThread(tmp_path, board.path) as thread:
        put(board, OLD)
        thread.see(lambda s: s.page == READING and s.text == "number.officer_card")
        lift(board)
        put(board, OTHER)
        board.wait(lambda b: "没有核对到工作人员" in heard(board))
    assert tickets(tmp_path) == []


def test_keys_change_language_size_and_voice_for_this_visitor_only(
    tmp_path: Path, board: PtyBoard
) -> None:
    with TerminalThread(tmp_path, board.path) as thread:
        thread.see(lambda s: s.page == WELCOME)
        for key in ("language", "language", "larger", "louder", "slower"):
            thread.press(key)
        screen = thread.see(lambda s: s.speed == 3)
        assert (screen.language, screen.large, screen.volume) == ("en", True, 12)
        put(board, OLD)
        asked = thread.see(lambda s: s.page == CHOICE)
        assert (asked.language, asked.large) == ("en", True)
        thread.press("stop")
        board.wait(lambda b: "Stopped. Please take your card." in heard(board))
        thread.see(lambda s: s.page == MESSAGE and s.text == "visit.stopped")
        lift(board)
        thread.press("stop")  # the last page may go
        screen = thread.see(lambda s: s.page == WELCOME)
        assert (screen.language, screen.large, screen.volume, screen.speed) == (
            "zh-CN",
            False,
            10,
            4,
        )
    assert tickets(tmp_path) == []


def test_without_a_card_people_are_sent_to_the_desk(tmp_path: Path, board: PtyBoard) -> None:
    with TerminalThread(tmp_path, board.path) as thread:
        for key, text in (("1", "card.none"), ("2", "officer.ask")):
            thread.see(lambda s: s.page == WELCOME and s.choices)
            thread.press(key)
            thread.see(lambda s, text=text: s.text == text)
            thread.see(lambda s, text=text: s.text == text and not s.speaking)
            thread.press("stop")


def test_a_word_is_heard_as_soon_as_the_card_is_found(tmp_path: Path, board: PtyBoard) -> None:
    with TerminalThread(tmp_path, board.path) as thread:
        board.wait(lambda b: b.read is not None)
        board.do(lambda b: b.send(messages.CARD_FOUND, b.read[0]))
        board.wait(lambda b: heard(board) == "请稍等。")
        thread.see(lambda s: s.page == READING and s.text == "card.found")
        board.do(lambda b: b.send(messages.CARD_FAULT, b.read[0], states.CARD_NOT_READ))
        thread.see(lambda s: s.page == MESSAGE and s.text == "card.again")


def test_repeat_says_the_last_words_again(tmp_path: Path, board: PtyBoard) -> None:
    with TerminalThread(tmp_path, board.path) as thread:
        put(board, OLD)
        thread.see(lambda s: s.page == CHOICE)
        thread.press("repeat")
        board.wait(lambda b: heard(board).count("请问您办理什么事项") == 2)
        thread.press("1")
        board.wait(lambda b: TAKE in heard(board))
        thread.see(lambda s: s.number and not s.speaking)
        takes = heard(board).count(TAKE)
        thread.press("repeat")
        board.wait(lambda b: heard(board).count(TAKE) == takes + 1)


def test_a_dead_voice_leaves_the_number_on_the_screen(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.core.flow_person.READ_MS", 500)
    with TerminalThread(tmp_path, board.path) as thread:
        board.wait(lambda b: b.read is not None)
        board.do(lambda b: b.send(messages.DEVICE, states.VOICE, states.OFFLINE, 0))
        put(board, OLD)
        thread.see(lambda s: s.page == CHOICE)
        thread.press("1")
        thread.see(lambda s: s.page == TICKET and s.text == "number.told")
        assert heard(board) == ""


def test_a_board_that_is_gone_is_a_calm_page_that_heals(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.visits.BOARD_GONE_MS", 200)
    with TerminalThread(tmp_path, board.path) as thread:
        thread.see(lambda s: s.page == WELCOME and s.choices)
        board.do(lambda b: setattr(b, "pull", lambda _now: None))
        gone = thread.see(lambda s: s.page == FAULT)
        assert (gone.text, gone.choices) == ("terminal.sorry", ())
        board.do(lambda b: delattr(b, "pull"))
        thread.see(lambda s: s.page == WELCOME)


def test_a_disk_that_refuses_is_a_calm_page_that_heals(
    tmp_path: Path, board: PtyBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with TerminalThread(tmp_path, board.path) as thread:
        board.wait(lambda b: b.read is not None)
        with locked(tmp_path):
            board.do(lambda b: b.send(messages.DEVICE, states.GATE, states.OFFLINE, 0))
            assert thread.see(lambda s: s.page == FAULT).text == "terminal.sorry"
        thread.see(lambda s: s.page == WELCOME)
