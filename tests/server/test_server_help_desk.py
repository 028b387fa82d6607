"""Calls for help: nobody is told "an officer is coming" before one has answered."""

from pathlib import Path

import pytest

from protocol.records import ANSWERED_AT_DESK, ANSWERED_ON_PAGE, HelpAnswered, HelpCall
from protocol.wire.states import AGE_UNKNOWN
from sync_server import audit, help_desk
from sync_server.commands import ANSWER_HELP_MS, COMMANDS_WAITING_MAX
from sync_server.help_desk import OPEN_MS, HelpError
from sync_server.units import Scope
from tests.server.hall import OTHER_HALL, UNIT, Hall
from tests.server.test_server_commands import Line

HERE = Scope(UNIT)


@pytest.fixture
def hall(tmp_path: Path):
    made = Hall(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def line(hall: Hall):
    made = Line(hall)
    yield made
    made.store.close()


def open_calls(hall: Hall, scope: Scope = HERE) -> list[tuple[str, int, int]]:
    found = help_desk.open_calls(hall.connection, scope, hall.now_ms)
    return [(row["terminal"], row["event"], row["waited_ms"]) for row in found]


def answered(hall: Hall) -> list[tuple[int, str, int | None, str, str]]:
    found = help_desk.answered(hall.connection, HERE, hall.now_ms)
    keys = ("event", "state", "wait_ms", "by", "officer")
    return [tuple(row[key] for key in keys) for row in found]


def answer(hall: Hall, event: int, officer: str = "li.wei", scope: Scope = HERE) -> dict:
    return help_desk.answer(hall.connection, scope, "gate-1", event, officer, hall.now_ms)


def test_calls_are_open_until_somebody_answers_the_longest_first(hall: Hall) -> None:
    hall.append(2, HelpCall(1, 0))
    hall.append(1, HelpCall(7, 5_000))
    hall.append(3, HelpCall(7, 0))
    hall.later(1_000)
    assert open_calls(hall) == [("gate-1", 7, 6_000), ("gate-2", 1, 1_000)]
    assert answered(hall) == []


def test_an_answer_at_the_desk_closes_the_call(hall: Hall) -> None:
    hall.append(1, HelpCall(7, 5_000))
    hall.append(1, HelpAnswered(7, 25_000, ANSWERED_AT_DESK))
    assert open_calls(hall) == []
    assert answered(hall) == [(7, "answered", 25_000, "desk", "")]


def test_an_answer_on_the_page_goes_to_the_terminal_and_back(hall: Hall, line: Line) -> None:
    hall.append(1, HelpCall(7, 0))
    hall.later(9_000)
    row = answer(hall, 7)
    assert (row["state"], row["officer"], row["wait_ms"]) == ("answering", "li.wei", 9_000)
    assert open_calls(hall) == []
    assert answered(hall) == [(7, "answering", 9_000, "page", "li.wei")]
    (command,) = line.tick()
    hall.state(1, commands_through=command.number)
    line.tick()
    assert answered(hall) == [(7, "answering", 9_000, "page", "li.wei")]
    hall.append(1, HelpAnswered(7, 9_400, ANSWERED_ON_PAGE))
    assert answered(hall) == [(7, "answered", 9_400, "page", "li.wei")]
    hall.later(ANSWER_HELP_MS)
    assert answered(hall) == [(7, "answered", 9_400, "page", "li.wei")]
    assert [entry.what for entry in audit.entries(hall.connection)] == ["help.answered"]


def test_an_answer_that_the_terminal_never_took_leaves_the_call_open(
    hall: Hall, line: Line
) -> None:
    hall.append(1, HelpCall(7, 0))
    answer(hall, 7)
    line.tick()
    hall.later(ANSWER_HELP_MS)
    assert open_calls(hall) == [("gate-1", 7, ANSWER_HELP_MS)]
    assert answer(hall, 7, "wang.fang")["officer"] == "wang.fang"


def test_an_answer_that_was_taken_and_never_done_leaves_the_call_open(
    hall: Hall, line: Line
) -> None:
    hall.append(1, HelpCall(7, 0))
    answer(hall, 7)
    (command,) = line.tick()
    hall.state(1, commands_through=command.number)  # too late by the terminal's clock
    line.tick()
    hall.later(ANSWER_HELP_MS)
    assert len(open_calls(hall)) == 1


def test_a_call_is_answered_once(hall: Hall) -> None:
    hall.append(1, HelpCall(7, 0))
    answer(hall, 7)
    with pytest.raises(HelpError, match=r"li\.wei has answered"):
        answer(hall, 7, "wang.fang")
    hall.append(1, HelpCall(8, 0))
    hall.append(1, HelpAnswered(8, 100, ANSWERED_AT_DESK))
    with pytest.raises(HelpError, match="at the desk has answered"):
        answer(hall, 8)


def test_another_halls_calls_cannot_be_answered(hall: Hall) -> None:
    hall.append(1, HelpCall(7, 0))
    with pytest.raises(HelpError, match="no such call in this hall"):
        answer(hall, 7, scope=Scope(OTHER_HALL))
    with pytest.raises(HelpError, match="no such call in this hall"):
        answer(hall, 8)


def test_a_call_that_nobody_answered_is_missed_after_its_time(hall: Hall) -> None:
    hall.append(1, HelpCall(7, 0))
    hall.later(OPEN_MS - 1)
    assert len(open_calls(hall)) == 1
    hall.later(1)
    assert open_calls(hall) == []
    assert answered(hall) == [(7, "missed", None, "", "")]
    with pytest.raises(HelpError, match="too old"):
        answer(hall, 7)


def test_the_same_number_of_another_board_is_another_call(hall: Hall, line: Line) -> None:
    hall.append(1, HelpCall(7, 0))
    answer(hall, 7)
    (command,) = line.tick()
    hall.state(1, commands_through=command.number)
    line.tick()
    hall.append(1, HelpAnswered(7, AGE_UNKNOWN, ANSWERED_ON_PAGE))
    hall.later(60_000)
    hall.append(1, HelpCall(7, AGE_UNKNOWN))
    assert open_calls(hall) == [("gate-1", 7, 0)]
    assert answered(hall) == [(7, "answered", None, "page", "li.wei")]
    assert answer(hall, 7)["state"] == "answering"


def test_a_terminal_with_too_many_commands_waiting_needs_somebody_to_go(hall: Hall) -> None:
    for event in range(COMMANDS_WAITING_MAX + 1):
        hall.append(1, HelpCall(event, 0))
    for event in range(COMMANDS_WAITING_MAX):
        answer(hall, event)
    with pytest.raises(HelpError, match="go there now"):
        answer(hall, COMMANDS_WAITING_MAX)
    assert len(open_calls(hall)) == 1


def test_the_list_of_answered_calls_is_bounded(hall: Hall) -> None:
    for event in range(4):
        hall.append(1, HelpCall(event, 0))
        hall.append(1, HelpAnswered(event, 10, ANSWERED_AT_DESK))
        hall.later(1_000)
    found = list(help_desk.answered(hall.connection, HERE, hall.now_ms, limit=2))
    assert [row["event"] for row in found] == [3, 2]
