"""The console's own connections: a few readers for pages, one writer for what people do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue

import apsw

from sync_server.store_sqlite import open_store
from tongban.database import open_database

READERS = 4
READ_CACHE_KIB = 8 * 1024


class Database:
    """Usable from any thread. Raises tongban.database.DatabaseError when it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._writer = open_store(path)
        self._writing = threading.Lock()
        self._all_readers = [self._open_reader(path) for _ in range(READERS)]
        self._readers: LifoQueue[apsw.Connection] = LifoQueue()
        for reader in self._all_readers:
            self._readers.put(reader)
        self._watcher = self._open_reader(path)

    @staticmethod
    def _open_reader(path: Path) -> apsw.Connection:
        reader = open_database(path)
        reader.pragma("query_only", True)
        reader.pragma("cache_size", -READ_CACHE_KIB)
        return reader

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection that sees one state of the database until the end."""
        reader = self._readers.get()
        try:
            reader.execute("BEGIN")
            yield reader
        finally:
            if reader.in_transaction:
                reader.execute("ROLLBACK")
            self._readers.put(reader)

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """The writer, for one caller at a time; the caller makes its own transactions."""
        with self._writing:
            yield self._writer.connection

    def version(self) -> int:
        """Another number after each commit of anyone. From one thread only."""
        return int(self._watcher.pragma("data_version"))

    def close(self) -> None:
        """Close all connections; nobody may use them any more."""
        for reader in (*self._all_readers, self._watcher):
            reader.close()
        self._writer.close()
