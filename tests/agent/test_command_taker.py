"""The centre's commands: signed, in order, once, and the state says through which."""

from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.command_taker import HANDED_MAX, NUMBER_MAX
from edge_agent.outbox import OutboxFailedError
from protocol.commands import AnswerHelp, CallTicket
from tests.agent.command_guards import NOW_MS, Taking, replayed_command_violations, signed
from tests.agent.outbox_guards import CENTRE, open_outbox
from tests.agent.outbox_tools import OTHER_KEYS


class Numbers:
    """Stands where the outbox does: what is taken is durable at once."""

    def __init__(self) -> None:
        self.through = 0
        self.commits = 0

    def commands_through(self) -> int:
        return self.through

    def take_command(self, number: int) -> "Future[None]":
        self.commits += 1
        self.through = max(self.through, number)
        done: Future[None] = Future()
        done.set_result(None)
        return done


@pytest.fixture
def taking() -> Taking:
    return Taking(Numbers())  # type: ignore[arg-type]


def through(taking: Taking) -> int:
    return taking.taker._outbox.commands_through()


def test_replays_do_nothing_also_after_a_restart(tmp_path: Path) -> None:
    assert replayed_command_violations(tmp_path) == []


def test_what_was_taken_is_durable(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.db")
    Taking(outbox).taker.take(signed(9))
    outbox.close()
    again = open_outbox(tmp_path / "outbox.db")
    assert again.commands_through() == 9
    again.close()


def test_a_ticket_is_called_after_its_number_is_taken(taking: Taking) -> None:
    taken: list[int] = []
    taking.taker._on_command = lambda command, _done: taken.append(through(taking) - command.number)
    taking.taker.take(signed(4))
    assert taken == [0]


def test_an_answer_is_taken_when_it_is_done_and_comes_again_when_it_could_not(
    taking: Taking,
) -> None:
    raw = signed(4, AnswerHelp(7))
    taking.taker.take(raw)
    taking.taker.take(raw)
    assert (len(taking.done), taking.taker.repeated, through(taking)) == (1, 1, 0)
    taking.answers[4](False)
    assert through(taking) == 0
    taking.taker.take(raw)
    assert len(taking.done) == 2
    taking.answers[4](True)
    taking.taker.take(raw)
    assert (len(taking.done), taking.taker.repeated, through(taking)) == (2, 2, 4)


def test_the_state_is_said_for_every_command_taken_and_every_repetition(taking: Taking) -> None:
    for number in (1, 2, 2):
        taking.taker.take(signed(number))
    assert taking.said == 3


def test_expired_and_unknown_ones_are_taken_and_nothing_is_done(taking: Taking) -> None:
    taking.taker.take(signed(1, expires_ms=NOW_MS))
    taking.taker.take(signed(2, AnswerHelp(7), expires_ms=NOW_MS - 1))
    newer = signed(3)[:-64]
    at = newer.index((3).to_bytes(8, "big")) + 24
    taking.taker.take(
        CENTRE.sign(b"tongban/1/command", newer[:at] + bytes((99,)) + newer[at + 1 :])
    )
    assert (taking.done, through(taking), taking.taker.refused) == ([], 3, 0)


def test_forged_foreign_and_impossible_ones_are_refused_and_counted(taking: Taking) -> None:
    good = signed(1)
    for raw in (
        signed(1, keys=OTHER_KEYS),
        signed(1, terminal="gate-999"),
        good[:-1] + bytes((good[-1] ^ 1,)),
        b"",
        good + bytes(2000),
        signed(NUMBER_MAX + 1),
    ):
        taking.taker.take(raw)
    assert (taking.done, through(taking), taking.taker.refused) == ([], 0, 6)


def test_answers_under_way_are_bounded(taking: Taking) -> None:
    for number in range(1, HANDED_MAX + 3):
        taking.taker.take(signed(number, AnswerHelp(number)))
    assert len(taking.done) == HANDED_MAX
    taking.answers[1](True)
    taking.taker.take(signed(HANDED_MAX + 1, AnswerHelp(1)))
    assert len(taking.done) == HANDED_MAX + 1


def test_a_disk_that_refuses_takes_nothing(taking: Taking) -> None:
    def refuse(_number: int) -> "Future[None]":
        raise OutboxFailedError("disk full")

    taking.taker._outbox.take_command = refuse  # type: ignore[method-assign]
    with pytest.raises(OutboxFailedError):
        taking.taker.take(signed(1))
    assert taking.done == []


MESSAGES = st.tuples(
    st.integers(1, 12),
    st.sampled_from(("ticket", "ticket", "answer", "late", "forged", "foreign")),
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(MESSAGES | st.just("restart"), max_size=40))
def test_in_any_storm_each_number_is_done_once_and_in_order(storm: list) -> None:
    numbers = Numbers()
    life = Taking(numbers)  # type: ignore[arg-type]
    tickets: list[int] = []
    refused = 0
    for message in storm:
        if message == "restart":
            life = Taking(numbers)  # type: ignore[arg-type]
            continue
        number, what, ok = message
        before, through_before, count = list(life.done), numbers.through, life.taker.refused
        life.taker.take(_message(number, what))
        refused += what in ("forged", "foreign")
        new = [command for command in life.done if command not in before]
        assert numbers.through >= through_before
        assert life.taker.refused - count == (what in ("forged", "foreign"))
        for command in new:
            assert command.number > through_before
            assert what in ("ticket", "answer")
            if isinstance(command.body, CallTicket):
                tickets.append(command.number)
            else:
                life.answers[command.number](ok)
                assert (numbers.through >= command.number) == ok
    assert tickets == sorted(set(tickets))


def _message(number: int, what: str) -> bytes:
    if what == "answer":
        return signed(number, AnswerHelp(number))
    if what == "late":
        return signed(number, expires_ms=NOW_MS)
    if what == "forged":
        return signed(number, keys=OTHER_KEYS)
    return signed(number, terminal="gate-999") if what == "foreign" else signed(number)
