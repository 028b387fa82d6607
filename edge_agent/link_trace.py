"""What was said on the board link, kept by the agent: DATA/link.trace, bounded, without persons.

Entries of protocol.wire.trace_entries, as the board's own recorder has them, from this end: a
message of the board is MESSAGE_IN. When the file is full it becomes link.trace.1 and a new one
begins. Not synced: it is a help, not a record.
"""

from collections.abc import Callable
from pathlib import Path
from typing import IO

from protocol.wire import trace_entries as te
from protocol.wire.ticks import diff
from tongban.logs import event, get

TRACE_FILE = "link.trace"
FILE_BYTES_MAX = 128 * 1024
FILES_BYTES_MAX = 2 * FILE_BYTES_MAX

log = get("edge_agent.link_trace")


class LinkTrace:
    """`ticks()` as the session's. A disk that refuses ends the recording, never the service."""

    def __init__(self, data: Path, ticks: Callable[[], int]) -> None:
        self._path = data / TRACE_FILE
        self._ticks = ticks
        self._last = ticks()
        self._file: IO[bytes] | None = None
        try:
            self._file = self._path.open("ab")
            self._path.chmod(0o600)
        except OSError as error:
            self._end(error)
        self.record(te.MARK, bytes((te.MARK_START,)))

    def record(self, kind: int, data: bytes | memoryview) -> None:
        """A board message, MESSAGE_IN or MESSAGE_OUT, or a MARK."""
        self._entry(kind, bytes(data if kind == te.MARK else te.message_record(data)))

    def close(self) -> None:
        """Nothing is kept any more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _entry(self, kind: int, body: bytes) -> None:
        if self._file is None:
            return
        now = self._ticks()
        ms = min(te.GAP_MS_MAX, max(0, diff(now, self._last)))
        self._last = now
        head = bytes((kind * te.KIND_FACTOR,)) + ms.to_bytes(2, "little") + bytes((len(body),))
        try:
            if self._file.tell() + len(head) + len(body) > FILE_BYTES_MAX:
                self._begin_anew()
            self._file.write(head + body)
            self._file.flush()
        except OSError as error:
            self._end(error)

    def _begin_anew(self) -> None:
        assert self._file is not None
        self._file.close()
        self._path.replace(older(self._path))
        self._file = self._path.open("ab")
        self._path.chmod(0o600)

    def _end(self, error: OSError) -> None:
        event(log, "warning", "link_trace.ended", problem=str(error))
        self._file = None


def older(path: Path) -> Path:
    """Where the file before this one lies."""
    return path.with_name(path.name + ".1")


def read_link_trace(data: Path) -> bytes:
    """The entries that a data folder holds, oldest first; empty when there are none."""
    path = data / TRACE_FILE
    found = [file.read_bytes() for file in (older(path), path) if file.exists()]
    return b"".join(found)[:FILES_BYTES_MAX]
