"""Promises of the centre as plain functions: each returns its violations, none when all is well.

Tests call them on the code as it is; tests/mutants calls them on code with a planted fault.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from protocol import topics
from protocol.receipts import Receipt, open_answer
from protocol.records import HelpCall
from sync_server import help_desk, tickets
from sync_server.commands import ANSWER_HELP_MS
from sync_server.core.store_port import StoreError, Transaction
from sync_server.intake_worker import IntakeWorker, Message
from sync_server.store_memory import MemoryStore
from sync_server.store_sqlite import SqliteStore, open_store
from sync_server.units import Scope
from tests.server.hall import OTHER_HALL, Hall
from tests.server.making import (
    NOON_MS,
    UNIT,
    Centre,
    SimTerminal,
    centre_keys,
    new_store,
    ticket,
)


class FailingStore(MemoryStore):
    """Fails where a disk fails: at the commit, when everything seemed to go well."""

    fails = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            yield tx
            if self.fails:
                raise StoreError("disk full")


class Answers(list):
    """What was published, opened."""

    def __init__(self, centre: Centre) -> None:
        super().__init__()
        self._public = centre.keys.public

    def publish(self, topic: str, payload: bytes) -> bool:
        terminal, _ = topics.parse(topic)
        self.append(open_answer(payload, self._public, terminal))
        return True


def worker_of(centre: Centre, publish) -> IntakeWorker:
    return IntakeWorker(centre.store, centre.intake, centre.keys, publish, lambda: centre.now_ms)


def message_of(raw: bytes, name: str = "gate-1") -> Message:
    return Message(topics.up_batch(name), raw, len(raw))


def receipts_follow_commits() -> list[str]:
    """No receipt is out before its records are durable, and none for a commit that failed."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with new_store("sqlite", path) as store:
            centre = Centre(store, centre_keys())
            terminal = SimTerminal(centre.keys)
            centre.enrol(terminal)
            terminal.visit(6)
            reader = open_store(path / "centre.db")

            def look(topic: str, payload: bytes) -> bool:
                answer = open_answer(payload, centre.keys.public, "gate-1")
                durable = reader.connection.execute("SELECT max(seq) FROM record").get or 0
                if isinstance(answer, Receipt) and answer.through_seq > durable:
                    found.append(f"receipt through {answer.through_seq}, durable {durable}")
                return True

            worker_of(centre, look).handle(
                [message_of(terminal.batch(1, 3)), message_of(terminal.batch(4, 6))]
            )
            reader.close()
    failing = FailingStore()
    centre = Centre(failing, centre_keys())
    centre.enrol(terminal)
    failing.fails = True
    answers = Answers(centre)
    worker_of(centre, answers.publish).handle([message_of(terminal.batch(1, 3))])
    found += [f"receipt for a failed commit: {a}" for a in answers if isinstance(a, Receipt)]
    return found


def nothing_counts_twice() -> list[str]:
    """However often a batch comes, each record is stored once and has one effect."""
    found = []
    centre = Centre(MemoryStore(), centre_keys())
    terminal = SimTerminal(centre.keys)
    centre.enrol(terminal)
    terminal.visit(6)
    first, second = terminal.batch(1, 4), terminal.batch(3, 6)
    for raw in (first, first, second, second, first):
        try:
            centre.take(raw)
        except Exception as error:
            found.append(f"intake broke on a batch that came again: {error!r}")
    if len(centre.records()) != 6 or len(centre.visits()) != 6:
        found.append(f"{len(centre.records())} records, {len(centre.visits())} visits, told 6")
    if centre.alarms():
        found.append("an alarm for a batch that came again")
    return found


def no_gap_is_taken() -> list[str]:
    """Records are taken in order only; a receipt never covers one that is missing."""
    found = []
    centre = Centre(MemoryStore(), centre_keys())
    terminal = SimTerminal(centre.keys)
    centre.enrol(terminal)
    terminal.visit(9)
    for first, last in ((1, 2), (6, 9)):
        centre.now_ms = NOON_MS + first * 10_000
        answer = centre.answer(terminal.batch(first, last))
        stored = centre.main_seqs()
        if stored != list(range(1, len(stored) + 1)):
            found.append(f"stored {stored}")
        if isinstance(answer, Receipt) and answer.through_seq > len(stored):
            found.append(f"receipt through {answer.through_seq} over {len(stored)} records")
    return found


def one_ticket_for_one_officer() -> list[str]:
    """Two officers press "next" at once: the second one between what the first one reads and
    writes. Each gets a ticket of his own."""
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        for number, person in (("A-001", 1), ("A-002", 2)):
            hall.issue(1, number, person)
        first, second = hall.another(), hall.another()
        second.connection.set_busy_timeout(1)
        got: list[str | None] = []

        def press(store: SqliteStore, officer: str) -> None:
            row = tickets.call_next(store.connection, UNIT, "3", officer, hall.now_ms)
            got.append(row["number"] if row else None)

        def press_between(_cursor: object, sql: str, _bindings: object) -> bool:
            if sql.startswith("UPDATE ticket"):
                first.connection.exec_trace = None
                with suppress(StoreError):  # locked: he has to press again
                    press(second, "second")
            return True

        first.connection.exec_trace = press_between
        press(first, "first")
        if len(got) == 1:
            press(second, "second")
        first.close()
        second.close()
        hall.store.close()
    return [] if sorted(map(str, got)) == ["A-001", "A-002"] else [f"they got {got}"]


def nobody_loses_a_ticket() -> list[str]:
    """The first ticket of a person stands, the later one is kept and left to an officer."""
    found = []
    centre = Centre(MemoryStore(), centre_keys())
    first, second = SimTerminal(centre.keys), SimTerminal(centre.keys, "gate-2")
    for terminal, number in ((first, "A-001"), (second, "B-001")):
        centre.enrol(terminal)
        terminal.append(ticket(number))
        centre.take(terminal.batch(1, 1), terminal.name)
    held = {row.number: row.stands for row in centre.tickets().values()}
    if held != {"A-001": 1, "B-001": 0}:
        found.append(f"standing: {held}")
    if len(centre.conflicts()) != 1:
        found.append(f"{len(centre.conflicts())} conflicts, one is there")
    return found


def halls_are_apart() -> list[str]:
    """A person may have a number in each hall."""
    centre = Centre(MemoryStore(), centre_keys())
    first, second = SimTerminal(centre.keys), SimTerminal(centre.keys, "gate-2")
    for terminal, unit in ((first, UNIT), (second, OTHER_HALL)):
        centre.enrol(terminal, unit)
        terminal.append(ticket("A-001"))
        centre.take(terminal.batch(1, 1), terminal.name)
    return [f"a conflict over two halls: {row}" for row in centre.conflicts()]


def no_call_is_answered_by_a_silence() -> list[str]:
    """An answer that the terminal took, and of which no record came, leaves the call open."""
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        hall.append(1, HelpCall(7, 0))
        help_desk.answer(hall.connection, Scope(UNIT), "gate-1", 7, "li.wei", hall.now_ms)
        number = hall.connection.execute("SELECT max(number) FROM command").get
        hall.state(1, commands_through=number)
        hall.later(ANSWER_HELP_MS)
        is_open = list(help_desk.open_calls(hall.connection, Scope(UNIT), hall.now_ms))
        hall.store.close()
    return [] if is_open else ["a call counts as answered, and nobody told the citizen"]


def no_number_is_used_again() -> list[str]:
    """A centre restored from a backup that knows nothing of the last commands sends a new one: the
    terminal has not seen its number."""
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        used = []
        for event in (7, 8):
            hall.later(1_000)
            hall.append(1, HelpCall(event, 0))
            help_desk.answer(hall.connection, Scope(UNIT), "gate-1", event, "x", hall.now_ms)
            used.append(hall.connection.execute("SELECT max(number) FROM command").get)
            hall.connection.execute("DELETE FROM command")
        hall.store.close()
    return [] if used[1] > used[0] else [f"number {used[1]} after {used[0]}"]
