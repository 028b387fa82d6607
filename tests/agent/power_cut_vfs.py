"""A disk with a volatile cache, under SQLite.

`PowerCutVfs` runs on real files and writes down every write, truncation, sync and deletion, in
order, with notes of the test between them. `image(ops, fate)` then says what a disk could hold if
the power had gone after these ops: what was synced is there, what was not is up to `fate`. So one
run answers for a cut at every operation. `Faults` lets chosen operations fail while it runs.

A file that was created is durable with its first sync: SQLite syncs its folder then, and with it
deletions before. A deletion whose folder was not synced may come undone. After a failed sync the
cache counts as written: what it held may be lost although later syncs succeed.
"""
# ruff: noqa: N802  (the names are SQLite's)

import itertools
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import apsw

SECTOR_BYTES = 512
WRITE, TRUNCATE, SYNC, SYNC_FAILED, DELETE, NOTE = (
    *("write", "truncate", "sync", "sync failed", "delete"),
    "note",
)
_WATCHED = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL


class Op(NamedTuple):
    """One operation on a file, or a note. `at`: offset, new size, or whether a folder synced."""

    kind: str
    file: str
    at: int = 0
    data: Any = b""


class Failure(Enum):
    """How an operation fails."""

    FULL = "disk full"
    IO = "input/output error"
    SHORT = "half of it was written, then an error"


Faults = Callable[[int, Op], Failure | None]
"""(number of the operation, operation) -> how it fails."""


@dataclass
class History:
    """What happened to the disk, in order."""

    ops: list[Op] = field(default_factory=list)
    faults: Faults = lambda _number, _op: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, data: object) -> None:
        """Write down that something happened now."""
        with self.lock:
            self.ops.append(Op(NOTE, "", 0, data))

    def begin(self, op: Op) -> Failure | None:
        """Write an operation down, and say whether it is to fail."""
        with self.lock:
            failure = self.faults(len(self.ops), op)
            if failure is None:
                self.ops.append(op)
            elif op.kind == SYNC:
                self.ops.append(op._replace(kind=SYNC_FAILED))
            elif failure is Failure.SHORT and op.kind == WRITE:
                self.ops.append(op._replace(data=op.data[: len(op.data) // 2]))
            else:
                self.ops.append(Op(NOTE, "", 0, (failure.value, op.kind)))
            return failure


class PowerCutVfs(apsw.VFS):
    """The real file system, watched. Use as a context manager; pass `name` to SQLite."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.name = f"power-cut-{id(self):x}"
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        if name is not None and flags[0] & _WATCHED:
            return _WatchedFile(self.history, name, flags)
        return apsw.VFSFile("", name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.history.begin(Op(DELETE, Path(filename).name, int(syncdir)))

    def __enter__(self) -> "PowerCutVfs":
        return self

    def __exit__(self, *_error: object) -> None:
        self.unregister()


class _WatchedFile(apsw.VFSFile):
    def __init__(self, history: History, name: Any, flags: list[int]) -> None:
        self._history = history
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._file = Path(path).name
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        raw = bytes(data)
        failure = self._history.begin(Op(WRITE, self._file, offset, raw))
        if failure is None:
            super().xWrite(raw, offset)
            return
        if failure is Failure.SHORT:
            super().xWrite(raw[: len(raw) // 2], offset)
        raise (apsw.FullError if failure is Failure.FULL else apsw.IOError)(failure.value)

    def xTruncate(self, size: int) -> None:
        failure = self._history.begin(Op(TRUNCATE, self._file, size))
        if failure is not None:
            raise apsw.IOError(failure.value)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        # The real file needs no sync: what a cut leaves is decided by `image`.
        if self._history.begin(Op(SYNC, self._file)) is not None:
            raise apsw.IOError("sync failed")


# ---- what a cut leaves

Fate = Callable[[Op], Iterable[Op]]
"""What becomes of an operation that was not synced: the operations that reach the disk."""


def nothing(_op: Op) -> Iterable[Op]:
    """The cache is lost."""
    return ()


def everything(op: Op) -> Iterable[Op]:
    """The cache reached the disk by itself, as after a kill."""
    return (op,)


def some(seed: int) -> Fate:
    """Any sectors of any writes reached the disk."""
    draw = random.Random(seed)

    def fate(op: Op) -> Iterable[Op]:
        share = draw.choice((0.0, 0.5, 1.0))
        if op.kind != WRITE:
            return (op,) if draw.random() < share else ()
        end = op.at + len(op.data)
        cuts = [op.at, *range(op.at - op.at % SECTOR_BYTES + SECTOR_BYTES, end, SECTOR_BYTES), end]
        pieces = itertools.pairwise(cuts)
        return [
            op._replace(at=start, data=op.data[start - op.at : stop - op.at])
            for start, stop in pieces
            if draw.random() < share
        ]

    return fate


class _DurableFile:
    def __init__(self) -> None:
        self.exists = False
        self.content = bytearray()
        self.cached: list[Op] = []

    def put(self, op: Op) -> None:
        if op.kind == DELETE:
            self.exists, self.content = False, bytearray()
            return
        self.exists = True
        if op.kind == TRUNCATE:
            del self.content[op.at :]
            self.content.extend(bytes(op.at - len(self.content)))
            return
        self.content.extend(bytes(max(0, op.at + len(op.data) - len(self.content))))
        self.content[op.at : op.at + len(op.data)] = op.data

    def is_deleted(self) -> bool:
        return any(op.kind == DELETE for op in self.cached)

    def flush(self, fate: Fate) -> None:
        for op in self.cached:
            for reached in fate(op):
                self.put(reached)
        self.cached.clear()


class DurableDisk:
    """Follows a history op by op; `files` says what a cut now would leave."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate
        self._files: dict[str, _DurableFile] = {}
        self._last: tuple[dict[str, bytes], object] | None = None

    def follow(self, op: Op) -> None:
        if op.kind == NOTE:
            return
        file = self._files.setdefault(op.file, _DurableFile())
        if op.kind == SYNC:
            if not file.exists or file.is_deleted():  # a new file: its folder is synced too
                self._sync_folder()
            file.flush(everything)
            file.exists = True
        elif op.kind == SYNC_FAILED:
            file.flush(self._fate)
        else:
            file.cached.append(op)
            if op.kind == DELETE and op.at:
                self._sync_folder()

    def _sync_folder(self) -> None:
        for file in self._files.values():
            if file.is_deleted():
                last = max(n for n, op in enumerate(file.cached) if op.kind == DELETE)
                file.exists, file.content = False, bytearray()
                del file.cached[: last + 1]

    def files(self) -> dict[str, bytes]:
        """Name -> content after a cut now. The history goes on as if there was none."""
        left = {}
        for name, file in self._files.items():
            copy = _DurableFile()
            copy.exists, copy.content = file.exists, bytearray(file.content)
            copy.cached = list(file.cached)
            copy.flush(self._fate)
            if copy.exists:
                left[name] = bytes(copy.content)
        return left

    def new_files(self, told: object) -> dict[str, bytes] | None:
        """The same, but None when the cut asked for before left the same, with as much told: most
        operations of a file reach the disk with its sync only, or with none."""
        state = self.files(), told
        if state == self._last:
            return None
        self._last = state
        return state[0]


def write_image(files: dict[str, bytes], folder: Path) -> None:
    """Put what a cut left into an empty folder."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
