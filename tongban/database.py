"""SQLite as every part of Tongban opens it: WAL, `synchronous=FULL`, numbered migrations.

apsw brings a current SQLite in its wheel; the VFS argument lets the power-cut tests run under the
very same code.
"""

import re
from importlib import resources
from pathlib import Path

import apsw

BUSY_TIMEOUT_MS = 5_000
_MIGRATION = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


class DatabaseError(Exception):
    """The database cannot be used as it is; the text says what to do."""


def open_database(path: Path | str, *, vfs: str | None = None) -> apsw.Connection:
    """Open (or make) a database whose commits are durable once they return.

    Raises DatabaseError when the file cannot be opened or is no database.
    """
    try:
        connection = apsw.Connection(str(path), vfs=vfs)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        mode = connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.pragma("foreign_keys", True)
    except apsw.Error as error:
        raise DatabaseError(
            f"{path}: {error}. Check that the folder exists, is writable and has free space."
        ) from error
    if mode != "wal":
        connection.close()
        raise DatabaseError(f"{path}: write-ahead log refused ({mode}); use a local file system.")
    return connection


def migrations(package: str) -> list[tuple[int, str, str]]:
    """The numbered migrations of a package: (number, file name, SQL), in order, without gaps."""
    found = []
    for entry in (resources.files(package) / "migrations").iterdir():
        match = _MIGRATION.match(entry.name)
        if match:
            found.append((int(match[1]), entry.name, entry.read_text("utf-8")))
    found.sort()
    if [number for number, _, _ in found] != list(range(1, len(found) + 1)):
        raise DatabaseError(f"migrations of {package} are not numbered 1..n without gaps")
    return found


def migrate(connection: apsw.Connection, package: str) -> int:
    """Apply the migrations of `package` that this database has not seen, each in its own commit.

    Returns the schema version. Raises DatabaseError when the database is newer than this program.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration("
        "number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT"
    )
    known = migrations(package)
    done = connection.execute("SELECT coalesce(max(number), 0) FROM schema_migration").get
    if done > len(known):
        raise DatabaseError(
            f"database has schema {done}, this program knows {len(known)}: "
            "install the newer version"
        )
    for number, name, sql in known[done:]:
        with connection:
            connection.execute(sql)
            connection.execute("INSERT INTO schema_migration VALUES(?, ?)", (number, name))
    return len(known)
