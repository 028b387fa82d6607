"""A whole terminal that takes cash: real port, outbox, keys; the board is a test's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.core.screen import CHOICE, FAULT, HELP_NONE, MESSAGE, PAY, WELCOME, Screen
from protocol.records import CashNote, CashPayment, ServiceFact
from protocol.records.kinds import NOTE_CASE, NOTE_RETURNED, NOTE_STACKED
from protocol.wire import messages, states
from tests.agent.pty_board import PtyBoard
from tests.agent.terminal_thread import TerminalThread
from tests.agent.test_number_terminal import OLD, heard, lift, put, records

TAKES = "取回"


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    made = PtyBoard()
    yield made
    made.stop()


@pytest.fixture
def terminal(tmp_path: Path, board: PtyBoard) -> Iterator[TerminalThread]:
    with TerminalThread(tmp_path, board.path, service="fee") as thread:
        yield thread


def cash(folder: Path) -> list[object]:
    return [r for r in records(folder) if isinstance(r, CashNote | CashPayment | ServiceFact)]


def begin(terminal: TerminalThread, board: PtyBoard, matter: str = "2") -> None:
    """Until notes can be put in; the policy was seen before. Matter 2 costs 15 yuan."""
    put(board, OLD)
    terminal.see(lambda s: s.page == CHOICE and s.text == "fee.ask")
    terminal.press(matter)
    policy = terminal.see(lambda s: s.page == CHOICE and s.text == "fee.policy")
    assert policy.fields["due"] == 1_500
    assert not board.board.cash[0]
    terminal.press("1")
    terminal.see(lambda s: s.page == PAY and s.choices)


def insert(terminal: TerminalThread, board: PtyBoard, yuan: int) -> None:
    board.do(lambda b: b.insert(yuan))


def says(board: PtyBoard, words: str) -> None:
    board.wait(lambda _: words in heard(board))


def pays(paid_fen: int) -> Callable[[Screen], object]:
    return lambda s: s.money is not None and s.money.paid_fen == paid_fen


def test_who_pays_sees_each_note_and_gets_receipt_and_voucher(
    tmp_path: Path, board: PtyBoard, terminal: TerminalThread
) -> None:
    begin(terminal, board)
    insert(terminal, board, 10)
    seen = terminal.see(pays(1_000))
    assert (seen.money.due_fen, seen.money.rest_fen) == (1_500, 500)  # type: ignore[union-attr]
    insert(terminal, board, 10)
    says(board, "已缴费十五元。多出五元，凭单号码 V B 零零一")
    says(board, TAKES)
    assert "不找零" in heard(board)
    assert "已收十元，还差五元" in heard(board)
    assert b"VB-001" in board.board.slips[0]
    assert "补领居住证".encode("gb18030") in board.board.slips[0]
    first, second, payment, fact = cash(tmp_path)
    assert [note.outcome for note in (first, second)] == [NOTE_STACKED] * 2
    assert payment.person.number == OLD
    assert (payment.due_fen, payment.paid_fen, payment.kept_fen) == (1_500, 2_000, 1_500)
    assert payment.voucher == "VB-001"
    assert (fact.fields, fact.person.number, fact.visit) == ({"matter": "residence"}, OLD, False)
    assert board.board.acked == list(board.board.notes)
    assert not board.board.cash[0]


def test_who_stops_halfway_gets_a_voucher_and_hears_no_yes(
    tmp_path: Path, board: PtyBoard, terminal: TerminalThread
) -> None:
    begin(terminal, board)
    insert(terminal, board, 10)
    terminal.see(pays(1_000))
    terminal.press("2")
    says(board, "没有缴成。收到的十元给您凭单 V B 零零一")
    assert "已缴费" not in heard(board)
    assert cash(tmp_path)[1].voucher == "VB-001"  # type: ignore[attr-defined]


def test_an_acceptor_that_is_out_sends_people_to_the_desk_before_any_money(
    board: PtyBoard, terminal: TerminalThread
) -> None:
    board.wait(lambda b: b.read is not None)
    fault = (states.CASH_ACCEPTOR, states.HARDWARE_ERROR, states.CASSETTE_FULL)
    board.do(lambda b: b.send(messages.DEVICE, *fault))
    put(board, OLD)
    terminal.see(lambda s: s.page == CHOICE)
    terminal.press("2")
    says(board, "本机暂时不能收钱，请到服务台缴费")
    assert not board.board.cash[0]


def test_a_terminal_without_an_acceptor_takes_no_money(
    board: PtyBoard, terminal: TerminalThread
) -> None:
    board.wait(lambda b: b.read is not None)
    board.do(lambda b: b.send(messages.DEVICE, states.CASH_ACCEPTOR, states.NO_DEVICE, 0))
    put(board, OLD)
    terminal.see(lambda s: s.page == CHOICE)
    terminal.press("2")
    says(board, "本机暂时不能收钱")


def test_a_jam_says_where_the_money_is_and_calls_for_help(
    tmp_path: Path, board: PtyBoard, terminal: TerminalThread
) -> None:
    begin(terminal, board)
    board.do(lambda b: setattr(b, "holds_cash", True))
    insert(terminal, board, 10)
    terminal.see(lambda s: s.text == "pay.busy")
    number = next(iter(board.board.notes))
    board.do(lambda b: b.move_note(number, states.NOTE_CASE))
    board.do(lambda b: setattr(b, "holds_cash", False))
    says(board, "您的纸币还在机器里")
    board.wait(lambda b: b.rung)
    assert terminal.see(lambda s: s.help != HELP_NONE)
    assert [note.outcome for note in cash(tmp_path)[:1]] == [NOTE_CASE]  # type: ignore[attr-defined]
    assert "已缴费" not in heard(board)


def test_a_note_that_is_not_taken_is_said(board: PtyBoard, terminal: TerminalThread) -> None:
    begin(terminal, board)
    insert(terminal, board, 100)
    terminal.see(lambda s: s.text == "pay.rejected")
    says(board, "这张纸币没有收")


def test_a_board_that_reboots_goes_on_with_the_payment(
    tmp_path: Path, board: PtyBoard, terminal: TerminalThread
) -> None:
    begin(terminal, board)
    insert(terminal, board, 10)
    terminal.see(pays(1_000))
    board.reboot()
    board.wait(lambda b: b.cash[0])
    insert(terminal, board, 5)
    says(board, "已缴费十五元")
    assert len(cash(tmp_path)) == 4


@pytest.mark.long
def test_a_board_that_is_gone_keeps_the_person_and_owes_the_money(
    tmp_path: Path, board: PtyBoard, terminal: TerminalThread
) -> None:
    begin(terminal, board)
    insert(terminal, board, 10)
    terminal.see(pays(1_000))
    board.do(lambda b: setattr(b, "pull", lambda _now: None))
    assert terminal.see(lambda s: s.page == FAULT).text in ("pay.gone", "terminal.sorry")
    terminal.see(lambda _: len(cash(tmp_path)) == 2)
    assert cash(tmp_path)[1].kept_fen == 0  # type: ignore[attr-defined]
    board.do(lambda b: delattr(b, "pull"))
    terminal.see(lambda s: s.page in (MESSAGE, WELCOME))


def test_a_payment_that_a_restart_cut_is_owed_and_said(tmp_path: Path, board: PtyBoard) -> None:
    with TerminalThread(tmp_path, board.path, service="fee") as terminal:
        begin(terminal, board)
        insert(terminal, board, 10)
        terminal.see(pays(1_000))
    assert len(cash(tmp_path)) == 1
    lift(board)
    board.do(lambda b: b.said.clear())
    with TerminalThread(tmp_path, board.path, service="fee") as terminal:
        says(board, "刚才的缴费中断了")
        board.wait(lambda b: b.rung)
        terminal.see(lambda _: len(cash(tmp_path)) == 2)
    payment = cash(tmp_path)[1]
    assert (payment.kept_fen, payment.voucher) == (0, "VB-001")  # type: ignore[attr-defined]
    assert payment.person is None  # type: ignore[attr-defined]


def test_a_note_without_a_payment_goes_back(
    tmp_path: Path, board: PtyBoard, terminal: TerminalThread
) -> None:
    board.wait(lambda b: b.read is not None)
    board.do(lambda b: setattr(b, "cash", (4711, 0x3F)))
    board.do(lambda b: b.insert(20))
    board.wait(lambda b: b.acked)
    (note,) = cash(tmp_path)
    assert (note.outcome, note.payment) == (NOTE_RETURNED, bytes(8))  # type: ignore[attr-defined]
