"""Who only waits for the disk writes itself; who goes on with his work is written for."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from edge_agent.outbox import Outbox, OutboxFailedError
from tests.agent.outbox_guards import reused_nonces, watched_seals
from tests.agent.outbox_tools import (
    WAIT_S,
    intent_of,
    outbox_at,
    passage,
    plaintexts,
    put,
    writer_held,
)

WRITER = "outbox-writer"


class Doing:
    """A job that does something in whichever thread writes."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    def run(self, _connection: apsw.Connection, _sealer: object) -> object:
        return self._work()


def thread_name() -> str:
    return threading.current_thread().name


def test_the_thread_that_waits_without_a_limit_writes(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        writer = outbox._writer
        seen = set()
        for _ in range(20):  # the writer's own thread may be faster now and then
            seen.add(writer.submit(Doing(thread_name)).result())
        assert thread_name() in seen


def test_the_writers_thread_writes_for_those_who_wait_with_a_limit_or_not_at_all(
    tmp_path: Path,
) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert outbox._writer.submit(Doing(thread_name)).result(WAIT_S) == WRITER
        called: list[str] = []
        ended = threading.Event()
        future = outbox._writer.submit(Doing(thread_name))
        future.add_done_callback(lambda done: (called.append(done.result()), ended.set()))
        assert ended.wait(WAIT_S)
        assert called == [WRITER]


def test_who_waits_writes_all_that_waits_in_order(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        with writer_held(outbox):
            before = [outbox.append(intent_of(i), [passage(i)]) for i in range(100)]
            last = outbox.append(intent_of(100), [passage(100)])
        assert last.result().first_seq == 101
        assert [future.result(0).first_seq for future in before] == list(range(1, 101))
    assert plaintexts(path) == [passage(i).plaintext for i in range(101)]


def test_what_comes_while_another_thread_writes_is_written_after_it(tmp_path: Path) -> None:
    """The writer's thread finds the lock taken and sleeps again: it must be woken once more."""
    with outbox_at(tmp_path / "outbox.db") as outbox, ThreadPoolExecutor(1) as pool:
        writer = outbox._writer
        for person in range(100):  # until the pool's thread is the faster one
            names: queue.SimpleQueue[str] = queue.SimpleQueue()
            go = threading.Event()
            held = Doing(lambda names=names, go=go: (names.put(thread_name()), go.wait(WAIT_S)))
            waiting = pool.submit(lambda held=held: writer.submit(held).result())
            by_writer = names.get(timeout=WAIT_S) == WRITER
            behind = outbox.append(intent_of(person), [passage(person)])
            while not by_writer and not writer._bell.empty():
                time.sleep(0.001)
            time.sleep(0.05)  # now the writer's thread sleeps again, or waits for the job it does
            go.set()
            waiting.result(WAIT_S)
            assert behind.result(WAIT_S).first_seq == person + 1
            if not by_writer:
                return
        pytest.fail("the waiting thread never wrote")


def test_many_threads_that_wait_and_go_on_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    threads, each = 6, 40

    def work(outbox: Outbox, number: int) -> list[int]:
        seqs = []
        for step in range(each):
            person = number * each + step
            future = outbox.append(intent_of(person), [passage(person)])
            limit = WAIT_S if (number + step) % 2 else None
            seqs.append(future.result(limit).first_seq)
        return seqs

    with watched_seals() as seals, outbox_at(path) as outbox, ThreadPoolExecutor(threads) as pool:
        done = [pool.submit(work, outbox, number) for number in range(threads)]
        found = [future.result(60) for future in done]
    assert sorted(seq for seqs in found for seq in seqs) == list(range(1, threads * each + 1))
    assert all(seqs == sorted(seqs) for seqs in found)
    assert len(plaintexts(path)) == threads * each
    assert not reused_nonces(seals)


def test_a_commit_that_is_interrupted_is_not_told_and_its_key_is_dropped(tmp_path: Path) -> None:
    """Ctrl-C in the thread that waits and writes: nothing half done stays open, nobody waits on."""
    path = tmp_path / "outbox.db"
    main = threading.current_thread()

    def interrupt() -> None:
        if threading.current_thread() is main:
            raise KeyboardInterrupt

    with outbox_at(path) as outbox:
        for person in range(1, 100):  # until this thread is the faster one
            key = put(outbox, 0) and outbox.pending(0, 1).epoch_id
            sealed = outbox.append(intent_of(person), [passage(person)])
            try:
                outbox._writer.submit(Doing(interrupt)).result()
            except KeyboardInterrupt:
                break
        with pytest.raises(OutboxFailedError, match="KeyboardInterrupt"):
            sealed.result(WAIT_S)
        again = put(outbox, person)
        assert not again.repeated
        assert outbox.pending(again.first_seq - 1, 1).epoch_id != key
    assert len(plaintexts(path)) == again.first_seq
