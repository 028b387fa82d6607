"""Commands between the real centre and the real agent's end, over a network that loses, repeats and
reorders: done at most once, and what the centre calls taken was done."""

import tempfile
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.command_taker import CommandTaker
from protocol.commands import AnswerHelp, CallTicket, Command
from sync_server.commands import COMMAND_REPEAT_MS, CommandPublisher, queue_command, take_back
from sync_server.store_sqlite import immediate
from tests.server.hall import Hall

GATE = 1
LIFETIMES_MS = {AnswerHelp: 600_000, CallTicket: 60_000}
ASK = ("call", "answer")
STEPS = (*ASK, "tick", "deliver", "again", "lose", "state", "agent", "server", "restore")


class Disk:
    """The number that the terminal keeps durably."""

    def __init__(self) -> None:
        self.through = 0

    def commands_through(self) -> int:
        return self.through

    def take_command(self, number: int) -> "Future[None]":
        self.through = max(self.through, number)
        kept: Future[None] = Future()
        kept.set_result(None)
        return kept


class Both:
    """A centre, a terminal, and what is on its way between them."""

    def __init__(self, folder: Path) -> None:
        self.hall = Hall(folder)
        self.store = self.hall.another()
        self.disk = Disk()
        self.on_the_way: list[bytes] = []
        self.asked = 0
        self.done: list[tuple[int, type]] = []
        self.backup: list[tuple] = []
        self.start_agent()
        self.start_server()

    def close(self) -> None:
        self.store.close()
        self.hall.store.close()

    def start_agent(self) -> None:
        self.taker = CommandTaker(
            self.disk,  # type: ignore[arg-type]
            self.hall.centre.keys.public,
            "gate-1",
            clock=lambda: self.hall.now_ms,
            on_command=self._do,
            later=lambda work: work(),
            taken=lambda: None,
        )

    def _do(self, command: Command, done) -> None:
        self.done.append((command.number, type(command.body)))
        done(True)

    def start_server(self) -> None:
        self.publisher = CommandPublisher(
            self.store.connection, self.hall.centre.keys, self._publish, lambda: self.hall.now_ms
        )

    def _publish(self, _topic: str, payload: bytes) -> bool:
        self.on_the_way.append(payload)
        return True

    def ask(self, kind: str) -> None:
        self.asked += 1
        body = AnswerHelp(self.asked) if kind == "answer" else CallTicket("A-001", "3")
        with immediate(self.hall.connection):
            take_back(self.hall.connection, GATE, CallTicket, 1, self.hall.now_ms)
            queue_command(
                self.hall.connection,
                GATE,
                body,
                about=self.asked if kind == "answer" else 1,
                officer="li.wei",
                now_ms=self.hall.now_ms,
                lifetime_ms=LIFETIMES_MS[type(body)],
            )

    def step(self, name: str, at: int) -> None:
        """One thing that happens; `at` picks a message."""
        if name in ASK:
            self.ask(name)
        elif name == "tick":
            self.publisher.tick()
        elif name == "state":
            self.hall.state(GATE, commands_through=self.disk.through)
        elif name == "agent":
            self.start_agent()
        elif name == "server":
            self.start_server()
        elif name == "restore":
            self.restore()
        elif self.on_the_way:
            raw = self.on_the_way[at % len(self.on_the_way)]
            if name != "again":
                self.on_the_way.remove(raw)
            if name != "lose":
                self.taker.take(raw)
        self.check()

    def restore(self) -> None:
        """The centre's database as it was at the last restore, or empty of commands."""
        with immediate(self.hall.connection):
            now = self.hall.connection.execute("SELECT * FROM command").fetchall()
            self.hall.connection.execute("DELETE FROM command")
            self.hall.connection.executemany(
                "INSERT INTO command VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", self.backup
            )
            self.hall.connection.execute("DELETE FROM terminal_state")
            self.backup = now
        self.start_server()

    def check(self) -> None:
        numbers = [number for number, _ in self.done]
        assert numbers == sorted(set(numbers)), "each at most once, in order"
        taken = self.hall.connection.execute("SELECT number FROM command WHERE taken_ms > 0")
        assert {number for (number,) in taken} <= set(numbers), "taken, but never done"

    def settle(self) -> None:
        """A network that works."""
        for _ in range(4 * (self.asked + 1)):
            self.hall.later(COMMAND_REPEAT_MS)
            self.step("tick", 0)
            while self.on_the_way:
                self.step("deliver", 0)
            self.step("state", 0)
        self.step("tick", 0)


@pytest.fixture
def both(tmp_path: Path):
    made = Both(tmp_path)
    yield made
    made.close()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(STEPS), st.integers(0, 5), st.sampled_from((0, 300, 2_500, 70_000))
        ),
        max_size=40,
    )
)
def test_done_at_most_once_and_taken_means_done(steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        both = Both(Path(folder))
        for name, at, passed_ms in steps:
            both.hall.later(passed_ms)
            both.step(name, at)
        waiting = both.hall.connection.execute(
            "SELECT number FROM command WHERE taken_ms IS NULL AND kind = 1 AND expires_ms > ?",
            (both.hall.now_ms + 4 * (both.asked + 1) * COMMAND_REPEAT_MS,),
        ).fetchall()
        both.settle()
        done = {number for number, _ in both.done}
        assert {number for (number,) in waiting} <= done, "an answer did not get through"
        both.close()


def test_an_answer_gets_through_a_network_that_loses_the_first(both: Both) -> None:
    both.ask("answer")
    both.step("tick", 0)
    both.step("lose", 0)
    both.settle()
    assert [kind for _, kind in both.done] == [AnswerHelp]


def test_a_call_that_comes_late_is_not_called_out(both: Both) -> None:
    both.ask("call")
    both.step("tick", 0)
    both.hall.later(LIFETIMES_MS[CallTicket])
    both.step("deliver", 0)
    assert both.done == []
    both.ask("call")
    both.settle()
    assert len(both.done) == 1


def test_a_lost_answer_is_not_taken_by_the_word_of_a_later_one(both: Both) -> None:
    for _ in range(2):
        both.ask("answer")
    both.step("tick", 0)
    both.step("lose", 0)
    both.step("deliver", 0)
    both.step("state", 0)
    both.step("tick", 0)
    both.settle()
    assert len(both.done) == 2
