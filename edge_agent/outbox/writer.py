"""The one place that writes: jobs in, one FULL commit for all that wait, then their futures.

| state | event | next | does |
| --- | --- | --- | --- |
| waiting | job | writing | takes all that wait, up to JOBS_A_COMMIT_MAX |
| writing | commit returned | waiting | results to the futures |
| writing | anything failed | broken | the epoch's key is dropped, the futures fail |
| broken | job | writing | opens the database again first |
| any | stop | ended | finishes what waits, closes |

One commit at a time, under a lock. A thread of its own writes for those who go on with their work;
who has nothing to do but wait writes himself: two changes of thread cost a third of a commit.
A future has a result only after the commit returned, and nobody but the writer can end it. After a
failure only the disk says what is in: the head is read again, an intent that is in is answered.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import apsw

from edge_agent.outbox.sealer import Sealer
from edge_agent.outbox.types import OutboxFailedError, OutboxFullError
from tongban.database import DatabaseError, migrate, open_database
from tongban.logs import event, get

JOBS_WAITING_MAX = 1_000
JOBS_A_COMMIT_MAX = 64
STOP_TIMEOUT_S = 10.0

log = get("edge_agent.outbox")


class Job(Protocol):
    """Something to do inside the writer's transaction."""

    def run(self, connection: apsw.Connection, sealer: Sealer) -> Any:
        """Do it; the result goes to the future after the commit."""


class Pending(Future[Any]):
    """The future of a job, which is written once somebody asks how it ended.

    `result()` without a limit writes what waits, this one with it, in the calling thread. Whoever
    asks in another way has it written by the writer's thread: the disk may hang for longer.
    """

    def __init__(self, writer: "Writer") -> None:
        super().__init__()
        self._writer = writer

    def cancel(self) -> bool:
        """Nobody can: what is written with others is not taken back."""
        return False

    def result(self, timeout: float | None = None) -> Any:
        """As of any future."""
        if timeout is None:
            self._writer.write_through(self)
        else:
            self._writer.wake()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As of any future."""
        self._writer.wake()
        return super().exception(timeout)

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """As of any future; called in the thread that wrote."""
        super().add_done_callback(fn)
        self._writer.wake()


class Waiting(NamedTuple):
    """A job, and who waits for it."""

    job: Job
    future: Pending


def open_outbox_database(path: Path, vfs: str | None, terminal: str) -> apsw.Connection:
    """The outbox of this terminal with its present schema. Raises DatabaseError."""
    connection = open_database(path, vfs=vfs)
    try:
        connection.pragma("secure_delete", True)  # a day's index is gone when it is deleted
        migrate(connection, "edge_agent")
        owner = connection.execute("SELECT terminal FROM owner").get
        if owner is None:
            sql = "INSERT OR IGNORE INTO owner VALUES (1, ?) RETURNING terminal"
            owner = connection.execute(sql, (terminal,)).get or terminal
    except apsw.Error as error:
        connection.close(True)
        raise DatabaseError(f"{path}: {error}. {_cure(error)}.") from error
    except DatabaseError:
        connection.close(True)
        raise
    if owner != terminal:
        connection.close(True)
        raise DatabaseError(
            f"{path} is the outbox of terminal {owner}, not {terminal}: use the bundle of {owner}, "
            "or another data folder."
        )
    return connection


class Writer:
    """Owns the writing connection and the epoch."""

    def __init__(self, path: Path, vfs: str | None, terminal: str, sealer: Sealer) -> None:
        self._path = path
        self._vfs = vfs
        self._terminal = terminal
        self._sealer = sealer
        self._connection: apsw.Connection | None = None
        self._open()
        self._waiting: deque[Waiting] = deque()
        self._writing = threading.Lock()  # held from taking jobs to ending their futures
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._closing = threading.Lock()  # no job comes in behind the end
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="outbox-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> "Future[Any]":
        """Queue a job. Raises OutboxFullError when too much waits already."""
        future = Pending(self)
        with self._closing:
            if self._stopping:
                raise OutboxFailedError("the outbox is closed; start the agent again")
            if len(self._waiting) >= JOBS_WAITING_MAX:
                raise OutboxFullError(
                    f"{JOBS_WAITING_MAX} commits wait for the disk; it is too slow or hangs"
                )
            self._waiting.append(Waiting(job, future))
        return future

    def wake(self) -> None:
        """Have the writer's thread write what waits."""
        if self._waiting:
            self._bell.put(None)

    def write_through(self, future: Pending) -> None:
        """In the thread that waits: write in order until this one is in, or failed."""
        try:
            while self._waiting and not future.done():
                with self._writing:
                    self._write_group()
        finally:
            self.wake()  # the writer's thread may have found the lock taken

    def stop(self) -> None:
        """Finish what waits and close the database."""
        with self._closing:
            if self._stopping:
                return
            self._stopping = True
        self._bell.put(None)
        self._thread.join(STOP_TIMEOUT_S)

    def _work(self) -> None:
        while not self._stopping:
            self._bell.get()
            while self._waiting and self._writing.acquire(blocking=False):
                try:
                    self._write_group()
                finally:
                    self._writing.release()
        with self._writing:
            while self._waiting:
                self._write_group()
            self._close()

    def _write_group(self) -> None:
        """One commit of what waits; the caller holds the lock."""
        waiting = self._waiting
        group = [waiting.popleft() for _ in range(min(len(waiting), JOBS_A_COMMIT_MAX))]
        if group:
            self._run(group)

    def _run(self, group: list[Waiting]) -> None:
        try:
            results = self._commit([job for job, _ in group])
        except BaseException as error:  # whatever it is: nothing of this group may be told
            self._fail(group, error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _commit(self, jobs: Sequence[Job]) -> list[Any]:
        connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        results = [job.run(connection, self._sealer) for job in jobs]
        connection.execute("COMMIT")
        return results

    def _fail(self, group: list[Waiting], error: BaseException) -> None:
        """The commit failed or is uncertain: drop the key, trust only what the disk says next."""
        self._sealer.forget()
        self._close()
        failed = explained(error)
        event(log, "error", "outbox.failed", reason=str(failed), waiting=len(group))
        for _, future in group:
            future.set_exception(failed)

    def _open(self) -> apsw.Connection:
        self._connection = open_outbox_database(self._path, self._vfs, self._terminal)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close(True)
        except apsw.Error as error:
            event(log, "warning", "outbox.close_failed", reason=str(error))


def explained(error: BaseException) -> OutboxFailedError:
    """What went wrong and what to do about it, for the log and for an operator."""
    if isinstance(error, DatabaseError | OutboxFailedError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}. {_cure(error)}."
    failed = OutboxFailedError(text)
    failed.__cause__ = error
    return failed


def _cure(error: BaseException) -> str:
    for kinds, cure in _CURES:
        if isinstance(error, kinds):
            return cure
    return "Nothing was changed; if it comes again, send this line to the makers"


_CURES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((apsw.FullError,), "The disk is full: free space on the disk of the data folder"),
    (
        (apsw.BusyError, apsw.LockedError),
        "Another program holds the database: close it, this agent must be alone with it",
    ),
    (
        (apsw.CorruptError, apsw.NotADBError),
        "The file is damaged: take the terminal out of service, keep the file, replace the disk",
    ),
    (
        (apsw.ReadOnlyError, apsw.PermissionsError, apsw.CantOpenError),
        "The data folder cannot be written: check its owner, its rights and its mount",
    ),
    ((apsw.IOError,), "The disk does not read or write: check it and its cable, then replace it"),
)
