"""The centre's data folder and its clock: what every command needs, the running server too."""

import os
import time
from pathlib import Path
from typing import NamedTuple

from sync_server.keyring import Keyring, open_keyring
from sync_server.store_sqlite import DATABASE_FILE, SqliteStore, open_store


class Centre(NamedTuple):
    """The centre's data folder, opened."""

    store: SqliteStore
    keyring: Keyring


def open_centre(data: Path) -> Centre:
    """Open the data folder; its first use makes keys and database.

    Raises KeyringError, DatabaseError or OSError.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = data / DATABASE_FILE
    keyring = open_keyring(data, is_first_run=not database.exists())
    # SQLite gives its log the rights of the database: nobody else reads either.
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    return Centre(open_store(database), keyring)


def clock_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000
