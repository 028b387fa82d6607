"""A disk that is full, held by another program or failing: an honest error, then life goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from edge_agent.outbox import Outbox, OutboxFailedError
from tests.agent import power_cut_vfs as disk
from tests.agent.outbox_guards import reused_nonces, watched_seals
from tests.agent.outbox_tools import (
    WAIT_S,
    ended,
    intent_of,
    outbox_at,
    passage,
    plaintexts,
    put,
    settle,
)
from tongban import database


@contextmanager
def faulty_disk(
    path: Path, kind: str, failure: disk.Failure
) -> Iterator[tuple[Outbox, threading.Event]]:
    """An outbox on a disk where a kind of operation fails while the event is set."""
    failing = threading.Event()

    def faults(_number: int, op: disk.Op) -> disk.Failure | None:
        return failure if op.kind == kind and failing.is_set() else None

    with (
        disk.PowerCutVfs(disk.History(faults=faults)) as vfs,
        outbox_at(path, vfs=vfs.name) as outbox,
    ):
        yield outbox, failing


@pytest.mark.parametrize(
    ("kind", "failure", "cure"),
    [
        (disk.WRITE, disk.Failure.FULL, "disk is full: free space"),
        (disk.WRITE, disk.Failure.SHORT, "does not read or write"),
        (disk.WRITE, disk.Failure.IO, "does not read or write"),
        (disk.SYNC, disk.Failure.IO, "does not read or write"),
    ],
)
def test_every_append_fails_while_the_disk_does_and_the_next_one_works(
    tmp_path: Path, kind: str, failure: disk.Failure, cure: str
) -> None:
    path = tmp_path / "outbox.db"
    with watched_seals() as seals, faulty_disk(path, kind, failure) as (outbox, failing):
        put(outbox, 1)
        key = outbox.pending(0, 1).epoch_id
        failing.set()
        for person in (2, 3, 2):
            with pytest.raises(OutboxFailedError, match=cure):
                put(outbox, person)
        failing.clear()
        assert outbox.head().seq == 1
        assert put(outbox, 2) == (2, 2, False)
        assert outbox.pending(1, 1).epoch_id != key
        assert reused_nonces(seals) == []
    assert plaintexts(path) == [passage(i).plaintext for i in (1, 2)]


def test_a_database_held_by_another_program_is_an_error_that_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 30)
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        put(outbox, 1)
        other = apsw.Connection(str(path))
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OutboxFailedError, match="Another program holds the database"):
            put(outbox, 2)
        other.execute("ROLLBACK")
        other.close()
        assert put(outbox, 2) == (2, 2, False)
    assert len(plaintexts(path)) == 2


def test_a_settlement_that_failed_settles_nothing(tmp_path: Path) -> None:
    with faulty_disk(tmp_path / "outbox.db", disk.SYNC, disk.Failure.IO) as (outbox, failing):
        put(outbox, 1, 2)
        failing.set()
        with pytest.raises(OutboxFailedError):
            settle(outbox, 2)
        failing.clear()
        assert outbox.settled_seq == 0
        assert settle(outbox, 2) == outbox.settled_seq == 2


def test_one_failure_fails_the_whole_group_and_stores_nothing_of_it(tmp_path: Path) -> None:
    with faulty_disk(tmp_path / "outbox.db", disk.SYNC, disk.Failure.IO) as (outbox, failing):
        put(outbox, 1)
        failing.set()
        futures = [outbox.append(intent_of(i), [passage(i)]) for i in range(2, 12)]
        assert all(isinstance(ended(future), OutboxFailedError) for future in futures)
        failing.clear()
        assert outbox.head().seq == 1
        assert put(outbox, 2).first_seq == 2


def test_an_effect_that_nobody_knows_takes_its_records_back(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 1)
        bad = outbox.append(intent_of(2), [passage(2)], [object()])  # type: ignore[list-item]
        with pytest.raises(OutboxFailedError, match="no such local effect"):
            bad.result(WAIT_S)
        assert outbox.head().seq == 1
        assert put(outbox, 2) == (2, 2, False)
    assert len(plaintexts(tmp_path / "outbox.db")) == 2
