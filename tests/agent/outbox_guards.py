"""What must hold of the outbox, as functions that return violations: empty means that it holds.

The ordinary tests want them empty; the planted mistakes in tests/mutants want them not.
"""

import itertools
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw

from edge_agent.outbox import Appended, Draft, DropFlow, Outbox, OutboxError, SaveFlow, SetPassage
from protocol.envelope import LINK_ZERO, Epoch, EpochReader, Sealed, make_header, next_link
from protocol.keys import CentreKeys, DeviceKey
from protocol.receipts import Receipt
from tests.agent import power_cut_vfs as disk
from tongban.database import DatabaseError

TERMINAL = "t-cut"
CENTRE = CentreKeys(bytes(range(32)), bytes(range(32, 64)))
DEVICE = DeviceKey(bytes(range(64, 96)))
CHECKPOINT_PAGES = 24
FATES = (disk.nothing, disk.everything)


class Entropy:
    """Bytes that never come twice."""

    _made = itertools.count()

    def __init__(self) -> None:
        self._seed = next(self._made)
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return sha256(f"{self._seed} {self._count}".encode()).digest()[:size]


class Clock:
    """Unix ms that the test sets."""

    def __init__(self, now_ms: int = 1_764_000_000_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def open_outbox(path: Path, *, clock: Clock | None = None, vfs: str | None = None) -> Outbox:
    """The outbox of TERMINAL."""
    return Outbox.open(
        path,
        terminal=TERMINAL,
        centre_public=CENTRE.public,
        device_key=DEVICE,
        entropy=Entropy(),
        clock=clock or Clock(),
        vfs=vfs,
    )


def intent_of(number: int) -> bytes:
    """The intent of the workload's append `number`."""
    return sha256(b"intent %d" % number).digest()[:16]


def drafts_of(number: int, attempt: int = 0) -> list[Draft]:
    """Its records: one to three, now and then enough to end an epoch. A retry has a newer time."""
    count = 64 if number % 11 in (5, 6) else 1 + number % 3
    text = b"append %d attempt %d record %d"
    return [Draft(1, 1, text % (number, attempt, i), True) for i in range(count)]


Seals = dict[tuple[bytes, int], set[bytes]]


@contextmanager
def watched_seals() -> Iterator[Seals]:
    """Every ciphertext ever made, by (epoch id, seq)."""
    seals: Seals = {}
    lock = threading.Lock()
    seal = Epoch.seal

    def watching(self: Epoch, kind: int, coding: int, plaintext: bytes) -> Sealed:
        sealed = seal(self, kind, coding, plaintext)
        with lock:
            seals.setdefault((self.epoch_id, sealed.seq), set()).add(sealed.ciphertext)
        return sealed

    Epoch.seal = watching  # type: ignore[method-assign]
    try:
        yield seals
    finally:
        Epoch.seal = seal  # type: ignore[method-assign]


def reused_nonces(seals: Seals) -> list[str]:
    """One key and seq with two ciphertexts: whoever has both learns the plaintexts."""
    return [f"nonce used twice at seq {seq}" for (_, seq), kinds in seals.items() if len(kinds) > 1]


# ---- what a database says


def chain_violations(path: Path) -> list[str]:
    """seq from 1 without gaps, every link right, every record opens at the centre."""
    connection = apsw.Connection(str(path))
    try:
        if connection.pragma("quick_check") != "ok":
            return ["database is corrupt"]
        return list(_chain_violations(connection))
    except apsw.Error as error:
        return [f"database cannot be read: {error}"]
    finally:
        connection.close(True)


@lru_cache(256)
def _reader(opener: bytes) -> EpochReader:
    return EpochReader.open(opener, CENTRE, DEVICE.verify_key)


@lru_cache(4096)
def _opened(opener: bytes, seq: int, kind: int, coding: int, ciphertext: bytes) -> bytes:
    """Kept: after each of the hundreds of cuts of a day nearly all records are as before."""
    return _reader(opener).unseal(seq, kind, coding, ciphertext)


def _chain_violations(connection: apsw.Connection) -> Iterator[str]:
    epochs: dict[int, tuple[bytes, bytes]] = {}
    for number, epoch_id, opener in connection.execute(
        "SELECT number, epoch_id, opener FROM epoch"
    ):
        epochs[number] = epoch_id, opener
    link, expected = LINK_ZERO, 1
    rows = connection.execute(
        "SELECT seq, epoch, kind, coding, ciphertext, link FROM record ORDER BY seq"
    )
    for seq, number, kind, coding, ciphertext, stored in rows:
        epoch_id, opener = epochs[number]
        if seq != expected:
            yield f"record {seq} stands where {expected} belongs"
        begun = _reader(opener).opener
        if begun.first_seq == seq and begun.link_before != link:
            yield f"the epoch of record {seq} continues from another link"
        link = next_link(link, make_header(TERMINAL, epoch_id, seq, kind, coding), ciphertext)
        if link != stored:
            yield f"link of record {seq} is wrong"
        if not _opened(opener, seq, kind, coding, ciphertext).startswith(b"append "):
            yield f"record {seq} opens as something else"
        expected = seq + 1


def told_violations(path: Path, told: dict[int, Appended]) -> list[str]:
    """What citizens were told must be in, once, at the seqs that were given."""
    connection = apsw.Connection(str(path))
    wrong = []
    try:
        head = connection.execute("SELECT coalesce(max(seq), 0) FROM record").get
        for number, result in told.items():
            found = connection.execute(
                "SELECT min(seq), max(seq) FROM record WHERE intent = ?", (intent_of(number),)
            ).fetchone()
            if found != result[:2] or head < result.last_seq:
                wrong.append(f"append {number} was told as {result[:2]}, the disk says {found}")
    except apsw.Error as error:
        wrong.append(f"database cannot be read: {error}")
    finally:
        connection.close(True)
    return wrong


# ---- a day at the terminal


def workload(outbox: Outbox, history: disk.History, appends: int = 16) -> set[int]:
    """Appends, some of them at once, with settlements between; gives the numbers that failed.

    `history` gets a note for every append that a citizen may be told of, when it may.
    """
    failed: set[int] = set()

    def submit(number: int, attempt: int = 0) -> Future[Appended] | None:
        flow = intent_of(number)
        effects = (
            SaveFlow(flow, b"state %d" % number),
            SetPassage("2025-11-24", flow[:12], "entry"),
            DropFlow(intent_of(number - 2)),
        )
        try:
            future = outbox.append(intent_of(number), drafts_of(number, attempt), effects)
        except OutboxError:
            failed.add(number)
            return None
        future.add_done_callback(lambda done: resolved(number, done))
        return future

    def resolved(number: int, done: Future[Appended]) -> None:
        if done.exception() is None:
            failed.discard(number)
            history.note((number, done.result()))
        else:
            failed.add(number)

    for number in range(1, appends, 4):
        for group in ((number,), (number + 1, number + 2), (number + 3,)):
            _wait([submit(n) for n in group])
            _wait([submit(n, 1) for n in group if n in failed])  # a citizen tries again
        _settle(outbox, history)
    return failed


def _wait(futures: list[Future[Any] | None]) -> None:
    for future in futures:
        if future is not None:
            future.exception()


def _settle(outbox: Outbox, history: disk.History) -> None:
    try:
        pending = outbox.pending(outbox.settled_seq, 1)
        if pending is None:
            return
        row = pending.rows[0]
        receipt = Receipt(TERMINAL, 1, pending.epoch_id, row.seq, row.link, 0, 1)
        outbox.settle(receipt, b"raw", 1).result()
        history.note(("settled", row.seq))
    except OutboxError:
        return


def run_workload(folder: Path, faults: disk.Faults | None = None) -> tuple[disk.History, set[int]]:
    """One run on a watched disk; the notes of the history are (append number, result)."""
    history = disk.History()
    with disk.PowerCutVfs(history) as vfs:
        outbox = open_outbox(folder / "outbox.db", vfs=vfs.name)
        outbox._writer._connection.wal_autocheckpoint(CHECKPOINT_PAGES)  # type: ignore[union-attr]
        history.ops.append(disk.Op(disk.NOTE, "", 0, "opened"))
        if faults is not None:
            history.faults = faults
        failed = workload(outbox, history)
        history.faults = lambda _number, _op: None
        outbox.close()
    return history, failed


def told_in(ops: list[disk.Op]) -> dict[int, Appended]:
    """What was told within these operations."""
    notes = (op.data for op in ops if op.kind == disk.NOTE)
    return {note[0]: note[1] for note in notes if isinstance(note[1], Appended)}


# ---- guards


def power_cut_violations(folder: Path, seed: int = 1, each: int = 1) -> list[str]:
    """A cut at every operation of a day (every `each`th), with three fates of the cache."""
    run = folder / "run"
    run.mkdir()
    with watched_seals() as seals:
        history, failed = run_workload(run)
        wrong = [f"append {number} failed on a good disk" for number in failed]
        for fate in (*FATES, disk.some(seed)):
            wrong += _cut_everywhere(folder, history.ops, fate, each)
            if wrong:
                break
    return wrong + reused_nonces(seals)


def _cut_everywhere(
    folder: Path, ops: list[disk.Op], fate: disk.Fate, each: int = 1, start: int = 0
) -> list[str]:
    wrong: list[str] = []
    durable = disk.DurableDisk(fate)
    told: dict[int, Appended] = {}
    settled = 0
    opened = False
    for number, op in enumerate(ops):
        durable.follow(op)
        if op.kind == disk.NOTE:
            opened = opened or op.data == "opened"
            told |= told_in([op])
            settled = op.data[1] if op.data[0] == "settled" else settled
        if not opened or number < start or (number % each and number != len(ops) - 1):
            continue
        left = durable.new_files((len(told), settled))
        if left is not None:
            image = folder / "image"
            disk.write_image(left, image)
            found = after_cut_violations(image, told, settled)
            wrong += [f"cut after op {number}: {v}" for v in found]
            shutil.rmtree(image)
        if wrong:
            return wrong
    return wrong


def after_cut_violations(image: Path, told: dict[int, Appended], settled: int) -> list[str]:
    """The agent starts again on what the cut left: all told is there, and life goes on."""
    path = image / "outbox.db"
    with disk.PowerCutVfs(disk.History()) as vfs:  # it does not sync, which is quicker
        return _life_goes_on(path, told, settled, vfs.name) + chain_violations(path)


def _life_goes_on(path: Path, told: dict[int, Appended], settled: int, vfs: str) -> list[str]:
    try:
        outbox = open_outbox(path, vfs=vfs)
    except DatabaseError as error:
        return [f"the outbox does not open after the cut: {error}"]
    wrong = told_violations(path, told)
    try:
        head = outbox.head().seq
        last = max(told, default=0)
        if outbox.settled_seq < settled:
            wrong.append(f"settled {outbox.settled_seq}, it was {settled} before the cut")
        flows = {flow for flow, _ in outbox.flows()}  # its own, or of those that dropped it
        if last and not flows & {intent_of(number) for number in range(last, last + 4)}:
            wrong.append(f"the flow of append {last} is gone")
        again = outbox.append(intent_of(last), drafts_of(last)).result()
        if last and again != (*told[last][:2], True):
            wrong.append(f"append {last} was told, and asked again gave {again}")
        retried = outbox.append(intent_of(last + 1), drafts_of(last + 1)).result()
        if not retried.repeated and retried.first_seq <= head:
            wrong.append(f"append {last + 1} got seq {retried.first_seq}, taken already")
    except OutboxError as error:
        wrong.append(f"the outbox does not work after the cut: {error}")
    finally:
        outbox.close()
    return wrong


def failing_operation_violations(
    folder: Path, failure: disk.Failure, kinds: tuple[str, ...], each: int = 1
) -> list[str]:
    """Every `each`th operation of these kinds fails once in a day; then the power goes too."""
    run = folder / "good"
    run.mkdir()
    good, _ = run_workload(run)
    numbers = [n for n, op in enumerate(good.ops) if op.kind in kinds]
    opened = next(n for n, op in enumerate(good.ops) if op.data == "opened")
    wrong: list[str] = []
    for turn in [n for n in numbers if n > opened][::each]:
        wrong += [f"op {turn}: {v}" for v in _one_failure(folder, failure, kinds, turn)]
        if wrong:
            break
    return wrong


def _one_failure(
    folder: Path, failure: disk.Failure, kinds: tuple[str, ...], turn: int
) -> list[str]:
    run = folder / f"run-{turn}"
    run.mkdir()
    failed_at: list[int] = []

    def faults(number: int, op: disk.Op) -> disk.Failure | None:
        if number < turn or failed_at or op.kind not in kinds:
            return None
        failed_at.append(number)
        return failure

    with watched_seals() as seals:
        history, failed = run_workload(run, faults)
        path = run / "outbox.db"
        wrong = [f"append {n} failed twice" for n in failed]
        wrong += told_violations(path, told_in(history.ops)) + chain_violations(path)
        start = failed_at[0] if failed_at else len(history.ops) - 1
        cuts = folder / f"cuts-{turn}"
        cuts.mkdir()
        for fate in (disk.nothing, disk.some(turn)):
            wrong += wrong or _cut_everywhere(cuts, history.ops, fate, 40, start)
    return wrong + reused_nonces(seals)


def failing_sync_violations(folder: Path) -> list[str]:
    """Each sync of a day fails once."""
    return failing_operation_violations(folder, disk.Failure.IO, (disk.SYNC,))


def failing_write_violations(folder: Path, each: int = 29) -> list[str]:
    """Every `each`th write fails: the disk is full, it errs, it takes half of it. Truncations fail
    too."""
    wrong: list[str] = []
    for failure, kinds in (
        (disk.Failure.FULL, (disk.WRITE,)),
        (disk.Failure.SHORT, (disk.WRITE,)),
        (disk.Failure.IO, (disk.WRITE, disk.TRUNCATE)),
    ):
        room = folder / failure.name
        room.mkdir()
        wrong += failing_operation_violations(room, failure, kinds, each)
    return wrong


def repeated_intent_violations(folder: Path) -> list[str]:
    """A retry after an uncertain commit is harmless, also after a new start."""
    wrong = []
    path = folder / "outbox.db"
    first: list[Appended] = []
    for life in range(2):
        outbox = open_outbox(path)
        for number in range(1, 6):
            futures = [outbox.append(intent_of(number), drafts_of(number)) for _ in range(3)]
            first += [] if life else [futures[0].result()]
            known = first[number - 1]
            for result in [future.result() for future in futures[0 if life else 1 :]]:
                if result != (*known[:2], True):
                    wrong.append(f"append {number} again gave {result}, the first gave {known}")
        outbox.close()
    return wrong + chain_violations(path)
