"""Commands reach a terminal one by one until it has them, or until nobody wants them any more."""

from pathlib import Path

import apsw
import pytest

from protocol import topics
from protocol.commands import AnswerHelp, CallTicket, Command, open_command
from sync_server.commands import (
    COMMAND_REPEAT_MS,
    COMMANDS_PER_TICK_MAX,
    COMMANDS_WAITING_MAX,
    CommandPublisher,
    queue_command,
    take_back,
)
from sync_server.store_sqlite import immediate
from tests.server.hall import Hall
from tests.server.making import SimTerminal


@pytest.fixture
def hall(tmp_path: Path):
    made = Hall(tmp_path)
    yield made
    made.store.close()


class Line:
    """What the publisher sent, opened as the terminal does; it can be down."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.is_up = True
        self.store = hall.another()
        self.publisher = CommandPublisher(
            self.store.connection, hall.centre.keys, self._publish, lambda: hall.now_ms
        )
        self._sent: list[Command] = []

    def _publish(self, topic: str, payload: bytes) -> bool:
        if self.is_up:
            terminal, name = topics.parse(topic)
            assert name == topics.DOWN_COMMAND
            self._sent.append(open_command(payload, self.hall.centre.keys.public, terminal))
        return self.is_up

    def tick(self, passed_ms: int = 0) -> list[Command]:
        self.hall.later(passed_ms)
        self.publisher.tick()
        sent, self._sent = self._sent, []
        return sent


@pytest.fixture
def line(hall: Hall):
    made = Line(hall)
    yield made
    made.store.close()


def ask(hall: Hall, event: int, lifetime_ms: int = 600_000, terminal: int = 1) -> bool:
    with immediate(hall.connection):
        return queue_command(
            hall.connection,
            terminal,
            AnswerHelp(event),
            about=event,
            officer="li.wei",
            now_ms=hall.now_ms,
            lifetime_ms=lifetime_ms,
        )


def numbers(hall: Hall) -> list[int]:
    return [row[0] for row in hall.connection.execute("SELECT number FROM command ORDER BY number")]


def taken(hall: Hall) -> list[bool]:
    found = hall.connection.execute("SELECT taken_ms FROM command ORDER BY number")
    return [taken_ms is not None for (taken_ms,) in found]


def test_a_command_is_repeated_until_it_is_taken(hall: Hall, line: Line) -> None:
    ask(hall, 7)
    (first,) = line.tick()
    assert (first.terminal, first.body) == ("gate-1", AnswerHelp(7))
    assert (first.issued_ms, first.expires_ms) == (hall.now_ms, hall.now_ms + 600_000)
    assert line.tick(COMMAND_REPEAT_MS - 1) == []
    assert line.tick(1) == [first]
    hall.state(1, commands_through=first.number)
    assert line.tick(COMMAND_REPEAT_MS) == []
    assert taken(hall) == [True]


def test_a_command_that_expired_is_never_sent_and_never_taken(hall: Hall, line: Line) -> None:
    ask(hall, 7, 10_000)
    (first,) = line.tick()
    assert line.tick(10_000) == []
    hall.state(1, commands_through=first.number)
    assert line.tick() == []
    assert taken(hall) == [False]


def test_commands_go_one_by_one_so_a_number_speaks_for_those_before(hall: Hall, line: Line) -> None:
    ask(hall, 7, 10_000)
    ask(hall, 8)
    (first,) = line.tick()
    assert first.body == AnswerHelp(7)
    assert line.tick(COMMAND_REPEAT_MS) == [first], "the second waits for the first"
    (second,) = line.tick(10_000)
    assert second.body == AnswerHelp(8)
    hall.state(1, commands_through=second.number)
    line.tick()
    assert taken(hall) == [False, True]


def test_the_next_goes_out_as_soon_as_the_first_is_taken(hall: Hall, line: Line) -> None:
    ask(hall, 7)
    ask(hall, 8)
    (first,) = line.tick()
    hall.state(1, commands_through=first.number)
    (second,) = line.tick()
    assert second.body == AnswerHelp(8)


def test_a_line_that_is_down_and_a_new_connection_send_again(hall: Hall, line: Line) -> None:
    line.is_up = False
    ask(hall, 7)
    assert line.tick() == []
    line.is_up = True
    assert len(line.tick()) == 1, "what was not published is not waited for"
    assert line.tick() == []
    line.publisher.connected()
    assert len(line.tick()) == 1


def test_a_revoked_terminal_is_told_nothing(hall: Hall, line: Line) -> None:
    ask(hall, 7)
    hall.connection.execute("UPDATE terminal SET revoked = 1 WHERE name = 'gate-1'")
    assert line.tick() == []


def test_a_tick_sends_so_many_and_the_rest_next(hall: Hall, line: Line) -> None:
    count = COMMANDS_PER_TICK_MAX + 5
    for index in range(count):
        name = f"more-{index:03}"
        hall.centre.enrol(SimTerminal(hall.centre.keys, name), f"dongguan/hall-{index}")
        ask(hall, 7, terminal=4 + index)
    first, second = line.tick(), line.tick()
    assert (len(first), len(second)) == (COMMANDS_PER_TICK_MAX, 5)
    assert len({command.terminal for command in (*first, *second)}) == count


def test_a_terminal_has_so_many_commands_waiting(hall: Hall) -> None:
    asked = [ask(hall, event, 10_000) for event in range(COMMANDS_WAITING_MAX + 1)]
    assert asked == [True] * COMMANDS_WAITING_MAX + [False]
    assert ask(hall, 7, terminal=2), "each terminal has its own"
    hall.later(10_000)
    assert ask(hall, 7), "those that expired wait no more"


def test_what_is_taken_back_is_not_sent(hall: Hall, line: Line) -> None:
    for event in (7, 8):
        ask(hall, event)
    with immediate(hall.connection):
        take_back(hall.connection, 1, CallTicket, 7, hall.now_ms)
        take_back(hall.connection, 2, AnswerHelp, 7, hall.now_ms)
        take_back(hall.connection, 1, AnswerHelp, 7, hall.now_ms)
    assert [command.body for command in line.tick()] == [AnswerHelp(8)]


def test_numbers_rise_by_terminal_also_when_the_clock_goes_back(hall: Hall) -> None:
    ask(hall, 1)
    hall.later(-3_600_000)
    ask(hall, 2)
    ask(hall, 3)
    first, *later = numbers(hall)
    assert later == [first + 1, first + 2]


def test_a_restored_centre_uses_no_number_again(hall: Hall, line: Line) -> None:
    """The backup knows nothing of the last commands, and nothing of the state that took them."""
    ask(hall, 1)
    (before,) = line.tick()
    hall.connection.execute("DELETE FROM command")
    hall.later(1)
    ask(hall, 2)
    (after,) = line.tick()
    assert after.number > before.number
    hall.state(1, commands_through=before.number)
    line.tick()
    assert taken(hall) == [False], "an old word does not take a new command"
    hall.later(-3_600_000)
    hall.state(1, commands_through=after.number + 1_000)
    hall.connection.execute("DELETE FROM command")
    ask(hall, 3)
    assert numbers(hall) == [after.number + 1_001], "also with a clock that is behind"


def test_a_locked_database_is_waited_for(hall: Hall, line: Line) -> None:
    ask(hall, 7)
    (first,) = line.tick()
    hall.state(1, commands_through=first.number)
    line.store.connection.set_busy_timeout(1)
    other = apsw.Connection(str(hall.folder / "centre.db"))
    other.execute("BEGIN IMMEDIATE")
    assert line.tick() == []
    other.execute("ROLLBACK")
    other.close()
    assert taken(hall) == [False]
    line.tick()
    assert taken(hall) == [True]
