"""The one thread that writes: jobs in, one FULL commit for all that wait, then their futures.

| state | event | next | does |
| --- | --- | --- | --- |
| waiting | job | writing | takes all that wait, up to JOBS_A_COMMIT_MAX |
| writing | commit returned | waiting | results to the futures |
| writing | anything failed | broken | the futures fail, the epoch's key is dropped |
| broken | job | writing | opens the database again first |
| any | stop | ended | what still waits fails |

A future has a result only after the commit returned.
"""

import queue
import threading
from collections.abc import Callable
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


def open_outbox_database(path: Path, vfs: str | None) -> apsw.Connection:
    """The outbox's database with its present schema. Raises DatabaseError."""
    connection = open_database(path, vfs=vfs)
    try:
        migrate(connection, "edge_agent")
    except apsw.Error as error:
        connection.close()
        raise DatabaseError(f"{path}: {error}. Free space or restore the file.") from error
    return connection


class Writer:
    """Owns the writing connection and the epoch."""

    def __init__(self, path: Path, vfs: str | None, sealer: Sealer) -> None:
        self._path = path
        self._vfs = vfs
        self._sealer = sealer
        self._connection: apsw.Connection | None = open_outbox_database(path, vfs)
        self._jobs: queue.Queue[Waiting | None] = queue.Queue(JOBS_WAITING_MAX)
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="outbox-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> "Future[Any]":
        """Queue a job. Raises OutboxFullError when too much waits already."""
        future: Future[Any] = Future()
        if self._stopping:
            raise OutboxFailedError("the outbox is closed; start the agent again")
        try:
            self._jobs.put_nowait((job, future))
        except queue.Full:
            raise OutboxFullError(
                f"{JOBS_WAITING_MAX} commits wait for the disk; it is too slow or hangs"
            ) from None
        return future

    def stop(self) -> None:
        """Finish what waits and close the database."""
        if self._stopping:
            return
        self._stopping = True
        self._jobs.put(None)
        self._thread.join(STOP_TIMEOUT_S)

    def _work(self) -> None:
        while True:
            first = self._jobs.get()
            if first is None:
                break
            group = [first]
            last = False
            while len(group) < JOBS_A_COMMIT_MAX:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                group.append(more)
            self._run(group)
            if last:
                break
        self._close()

    def _run(self, group: list[Waiting]) -> None:
        try:
            results = self._commit([job for job, _ in group])
        except Exception as error:  # whatever it is: nothing of this group may be told
            self._fail(group, error)
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    def _commit(self, jobs: list[Job]) -> list[Any]:
        if self._connection is None:
            self._connection = open_outbox_database(self._path, self._vfs)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        results = [job.run(connection, self._sealer) for job in jobs]
        connection.execute("COMMIT")
        return results

    def _fail(self, group: list[Waiting], error: Exception) -> None:
        """The commit failed or is uncertain: drop the key, trust only what the disk says next."""
        self._sealer.forget()
        self._close()
        event(log, "error", "outbox.failed", reason=f"{type(error).__name__}: {error}")
        for _, future in group:
            future.set_exception(_explained(error))

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _closed(connection.close)


def _closed(close: Callable[[bool], None]) -> None:
    try:
        close(True)
    except apsw.Error as error:
        event(log, "warning", "outbox.close_failed", reason=str(error))


def _explained(error: Exception) -> OutboxFailedError:
    if isinstance(error, OutboxFailedError):
        return error
    if isinstance(error, apsw.FullError):
        cure = "the disk is full: free space"
    elif isinstance(error, apsw.BusyError | apsw.LockedError):
        cure = "another program holds the database: close it"
    else:
        cure = "check the disk; the same append may be tried again"
    failed = OutboxFailedError(f"not stored ({type(error).__name__}: {error}); {cure}")
    failed.__cause__ = error
    return failed
