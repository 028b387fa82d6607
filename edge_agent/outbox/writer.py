"""The one thread that writes: jobs in, one FULL commit for all that wait, then their futures.

| state | event | next | does |
| --- | --- | --- | --- |
| waiting | job | writing | takes all that wait, up to JOBS_A_COMMIT_MAX |
| writing | commit returned | waiting | results to the futures |
| writing | anything failed | broken | the epoch's key is dropped, the futures fail |
| broken | job | writing | opens the database again first |
| any | stop | ended | finishes what waits, closes |

A future has a result only after the commit returned, and nobody but the writer can end it. After a
failure only the disk says what is in: the head is read again, an intent that is in is answered.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

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


Waiting = tuple[Job, "Future[Any]"]


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
        self._jobs: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._closing = threading.Lock()  # no job comes in behind the end mark
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="outbox-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> "Future[Any]":
        """Queue a job. Raises OutboxFullError when too much waits already."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can cancel it
        with self._closing:
            if self._stopping:
                raise OutboxFailedError("the outbox is closed; start the agent again")
            if self._jobs.qsize() >= JOBS_WAITING_MAX:
                raise OutboxFullError(
                    f"{JOBS_WAITING_MAX} commits wait for the disk; it is too slow or hangs"
                )
            self._jobs.put((job, future))
        return future

    def stop(self) -> None:
        """Finish what waits and close the database."""
        with self._closing:
            if self._stopping:
                return
            self._stopping = True
        self._jobs.put(None)
        self._thread.join(STOP_TIMEOUT_S)

    def _work(self) -> None:
        while group := self._next_group():
            self._run(group)
        self._close()

    def _next_group(self) -> list[Waiting]:
        """What waits, in order; empty at the end."""
        group: list[Waiting] = []
        entry = self._jobs.get()
        while entry is not None:
            group.append(entry)
            if len(group) == JOBS_A_COMMIT_MAX or self._jobs.empty():
                return group
            entry = self._jobs.get()
        if group:
            self._jobs.put(None)  # the end mark, for the next call; nothing can come behind it
        return group

    def _run(self, group: list[Waiting]) -> None:
        try:
            results = self._commit([job for job, _ in group])
        except Exception as error:  # whatever it is: nothing of this group may be told
            self._fail(group, error)
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _commit(self, jobs: Sequence[Job]) -> list[Any]:
        connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        results = [job.run(connection, self._sealer) for job in jobs]
        connection.execute("COMMIT")
        return results

    def _fail(self, group: list[Waiting], error: Exception) -> None:
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


def explained(error: Exception) -> OutboxFailedError:
    """What went wrong and what to do about it, for the log and for an operator."""
    if isinstance(error, DatabaseError | OutboxFailedError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error}. {_cure(error)}."
    failed = OutboxFailedError(text)
    failed.__cause__ = error
    return failed


def _cure(error: Exception) -> str:
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
