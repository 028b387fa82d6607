"""The console's own connections: some that only read, for pages, and some for what people do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue

import apsw

from sync_server.store_sqlite import open_store
from tongban.database import open_database

READERS = 4
ACTORS = 3
CACHE_KIB = 8 * 1024


class Database:
    """Usable from any thread. Raises tongban.database.DatabaseError when it cannot be opened."""

    def __init__(self, path: Path) -> None:
        open_store(path).close()  # brings the schema up to date
        self._readers: LifoQueue[apsw.Connection] = LifoQueue()
        self._actors: LifoQueue[apsw.Connection] = LifoQueue()
        self._watcher = open_database(path)
        self._all = [self._watcher]
        for pool, count in ((self._readers, READERS), (self._actors, ACTORS)):
            for _ in range(count):
                connection = open_database(path)
                connection.pragma("cache_size", -CACHE_KIB)
                connection.pragma("query_only", pool is self._readers)
                pool.put(connection)
                self._all.append(connection)

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection that writes nothing and sees one state of the database until the end."""
        reader = self._readers.get()
        try:
            reader.execute("BEGIN")
            yield reader
        finally:
            if reader.in_transaction:
                reader.execute("ROLLBACK")
            self._readers.put(reader)

    @contextmanager
    def acting(self) -> Iterator[apsw.Connection]:
        """A connection for functions that make their own commits."""
        actor = self._actors.get()
        try:
            yield actor
        finally:
            self._actors.put(actor)

    def version(self) -> int:
        """Another number after each commit of anyone. From one thread at a time."""
        return int(self._watcher.pragma("data_version"))

    def close(self) -> None:
        """Close all connections; nobody may use them any more."""
        for connection in self._all:
            connection.close()
