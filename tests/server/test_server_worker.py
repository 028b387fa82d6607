"""The intake thread: commit before answer, groups, what happens when something fails."""

import time
from pathlib import Path

import pytest

from protocol import topics
from protocol.batch import BATCH_BYTES_MAX
from protocol.receipts import Hold, HoldReason, Receipt
from protocol.records import Person
from sync_server.core.codes import IntakeCode
from sync_server.core.intake import Intake
from sync_server.core.store_port import PersonRow
from sync_server.intake_counts import SAMPLE_BYTES_MAX, SAMPLES_PER_CODE
from sync_server.intake_worker import QUEUE_MESSAGES_MAX
from sync_server.store_memory import MemoryStore
from tests.server.guards import (
    Answers,
    FailingStore,
    message_of,
    no_gap_is_taken,
    nothing_counts_twice,
    receipts_follow_commits,
    worker_of,
)
from tests.server.making import Centre, SimTerminal, centre_keys, new_store, number_of, spoilt

WAIT_S = 5.0


@pytest.fixture
def hall() -> tuple[Centre, SimTerminal, Answers]:
    centre = Centre(FailingStore(), centre_keys())
    terminal = SimTerminal(centre.keys)
    centre.enrol(terminal)
    return centre, terminal, Answers(centre)


def counted(centre: Centre, code: IntakeCode) -> int:
    assert isinstance(centre.store, MemoryStore)
    counts = centre.store.tables.counts
    return sum(count for (_, number), (count, _) in counts.items() if number == code)


@pytest.mark.parametrize("guard", [receipts_follow_commits, nothing_counts_twice, no_gap_is_taken])
def test_guard(guard) -> None:
    assert guard() == []


def test_a_crash_between_commit_and_receipt_loses_nothing(tmp_path: Path) -> None:
    with new_store("sqlite", tmp_path) as store:
        centre = Centre(store, centre_keys())
        terminal = SimTerminal(centre.keys).visit(3)
        centre.enrol(terminal)

        def die(topic: str, payload: bytes) -> bool:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            worker_of(centre, die).handle([message_of(terminal.batch(1, 3))])
    with new_store("sqlite", tmp_path) as store:
        centre = Centre(store, centre_keys())
        answers = Answers(centre)
        worker_of(centre, answers.publish).handle([message_of(terminal.batch(1, 3))])
        (receipt,) = answers
        assert isinstance(receipt, Receipt)
        assert receipt.link == terminal.link
        assert len(centre.records()) == len(centre.visits()) == 3


def test_several_batches_of_several_terminals_share_one_commit(hall) -> None:
    centre, terminal, answers = hall
    other = SimTerminal(centre.keys, "gate-2").visit(2)
    centre.enrol(other)
    terminal.visit(4)
    worker_of(centre, answers.publish).handle(
        [
            message_of(terminal.batch(1, 2)),
            message_of(other.batch(1, 2), "gate-2"),
            message_of(terminal.batch(3, 4)),
        ]
    )
    said = [(a.terminal, a.through_seq) for a in answers]
    assert said == [("gate-2", 2), ("gate-1", 4)]  # receipts are cumulative: the last says all
    assert len(centre.records()) == 6


def test_a_receipt_with_exceptions_is_said_even_when_a_later_one_follows(hall) -> None:
    centre, terminal, answers = hall
    terminal.append_raw(1, 1, b"no record")
    terminal.visit(2)
    worker_of(centre, answers.publish).handle(
        [message_of(terminal.batch(1, 1)), message_of(terminal.batch(2, 3))]
    )
    assert [a.through_seq for a in answers] == [1, 3]
    assert answers[0].exceptions


def test_a_failed_commit_tells_the_terminal_to_wait_and_a_later_one_brings_all(hall) -> None:
    centre, terminal, answers = hall
    terminal.visit(5)
    worker = worker_of(centre, answers.publish)
    worker.handle([message_of(terminal.batch(1, 2))])
    centre.store.fails = True
    worker.handle([message_of(terminal.batch(3, 5))])
    hold = answers.pop()
    assert isinstance(hold, Hold)
    assert (hold.reason, hold.seq) == (HoldReason.STORE_UNAVAILABLE, 2)
    assert "disk full" in worker.health()[1]
    centre.store.fails = False
    worker.handle([message_of(terminal.batch(3, 5))])
    assert isinstance(answers.pop(), Receipt)
    assert len(centre.visits()) == 5
    assert len(centre.store.tables.person) == 5, "people of the undone commit are written too"
    centre.now_ms += 2_000
    worker.handle([])
    assert counted(centre, IntakeCode.HOLD_STORE_UNAVAILABLE) == 1
    assert counted(centre, IntakeCode.ACCEPTED) == 2


def test_one_message_that_breaks_the_centre_does_not_stop_the_others(hall, monkeypatch) -> None:
    centre, terminal, answers = hall
    terminal.visit(2)
    poison = b"poison" * 20
    take = Intake.take

    def fragile(self, tx, name, raw, now_ms):
        if raw == poison:
            raise ZeroDivisionError
        return take(self, tx, name, raw, now_ms)

    monkeypatch.setattr(Intake, "take", fragile)
    worker = worker_of(centre, answers.publish)
    worker.handle(
        [
            message_of(terminal.batch(1, 1)),
            message_of(poison),
            message_of(terminal.batch(2, 2)),
        ]
    )
    assert [a.through_seq for a in answers] == [1, 2]
    centre.now_ms += 2_000
    worker.handle([])
    assert counted(centre, IntakeCode.FAILED_INTERNALLY) == 1


def test_refused_messages_are_counted_and_a_bounded_sample_is_kept(hall) -> None:
    centre, terminal, answers = hall
    terminal.visit(1)
    raw = terminal.batch(1, 1)
    bad = spoilt(raw)
    worker = worker_of(centre, answers.publish)
    for _ in range(50):
        worker.handle([message_of(bad), message_of(raw, "gate-9")])
    assert answers == []
    centre.now_ms += 2_000
    worker.handle([])
    assert counted(centre, IntakeCode.REFUSED_BAD_SIGNATURE) == 50
    assert counted(centre, IntakeCode.REFUSED_UNKNOWN_TERMINAL) == 50
    samples = centre.store.tables.samples
    assert len(samples) == 2 * SAMPLES_PER_CODE
    assert {len(row.head) for row in samples.values()} == {SAMPLE_BYTES_MAX}
    assert {row.message_bytes for row in samples.values()} == {len(raw)}


def test_refused_messages_cost_no_commit_each(hall) -> None:
    centre, _, answers = hall
    worker = worker_of(centre, answers.publish)
    nonsense = message_of(b"x" * 100)
    worker.handle([nonsense])
    first = dict(centre.store.tables.counts)
    for _ in range(20):
        worker.handle([nonsense])
    assert centre.store.tables.counts == first, "written at most once a second"


def test_an_oversize_message_is_queued_as_its_beginning_only(hall) -> None:
    centre, _, answers = hall
    worker = worker_of(centre, answers.publish)
    worker.offer(topics.up_batch("gate-1"), bytes(BATCH_BYTES_MAX + 1))
    (message,) = worker._next_group()
    assert len(message.payload) == SAMPLE_BYTES_MAX
    worker.handle([message])
    assert counted(centre, IntakeCode.REFUSED_TOO_LARGE) == 1
    assert answers == []


def test_a_topic_of_nobody_is_refused(hall) -> None:
    centre, _, answers = hall
    worker = worker_of(centre, answers.publish)
    for topic in ("tb/1/UPPER/up/batch", "tb/1/gate-1/down/receipt", "else"):
        worker.offer(topic, b"x")
    worker.handle(worker._next_group())
    assert counted(centre, IntakeCode.REFUSED_WRONG_TOPIC) == 3


def test_a_full_queue_drops_and_counts(hall) -> None:
    centre, _, answers = hall
    worker = worker_of(centre, answers.publish)
    taken = [worker.offer("else", b"x") for _ in range(QUEUE_MESSAGES_MAX + 5)]
    assert taken.count(False) == 5
    worker.handle([])
    centre.now_ms += 2_000
    worker.handle([])
    assert counted(centre, IntakeCode.DROPPED_QUEUE_FULL) == 5


def test_the_thread_answers_and_ends(tmp_path: Path) -> None:
    with new_store("sqlite", tmp_path) as store:
        centre = Centre(store, centre_keys())
        terminal = SimTerminal(centre.keys).visit(40)
        centre.enrol(terminal)
        answers = Answers(centre)
        worker = worker_of(centre, answers.publish)
        worker.start()
        for raw in terminal.batches(4):
            worker.offer(topics.up_batch("gate-1"), raw)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if answers and answers[-1].through_seq == 40:
                break
            time.sleep(0.01)
        assert worker.health()[0]
        worker.stop()
        assert not worker.health()[0]
        through = [a.through_seq for a in answers]
        assert through == sorted(through)
        assert through[-1] == 40


def test_numbers_and_names_are_nowhere_in_the_files(tmp_path: Path) -> None:
    with new_store("sqlite", tmp_path) as store:
        centre = Centre(store, centre_keys())
        terminal = SimTerminal(centre.keys).visit(5)
        terminal.append_raw(1, 1, f"broken {number_of(0)} 样例甲".encode())
        centre.enrol(terminal)
        worker_of(centre, Answers(centre).publish).handle([message_of(terminal.batch(1, 6))])
        assert len(centre.records()) == 6
        row = store.connection.execute("SELECT * FROM person").fetchone()
        files = list(tmp_path.glob("centre.db*"))
        assert len(files) >= 2
        for path in files:
            data = path.read_bytes()
            for index in range(5):
                assert number_of(index).encode() not in data, path
            assert "样例甲".encode() not in data, path
        person = centre.vault.open(PersonRow(*row))
        assert isinstance(person, Person)
        assert person.name == "样例甲"
