"""Records as a plain SQLite file, for people who want to look with their own tools.

People appear as pseudonyms, as in every listing. The file is made beside its name and moved there
when it is whole; an existing file is left alone.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from sync_server.listings import Row

TABLE = "record"
KEY = ("terminal", "branch", "seq")


class ExportError(Exception):
    """The file cannot be written; the text says what to do."""


def export_records(rows: Iterable[Row], path: Path) -> int:
    """Write listed records to a new file at `path`; returns how many. Raises ExportError."""
    import sqlite_utils  # noqa: PLC0415  # slow to load, and only this command needs it

    if path.exists():
        raise ExportError(f"{path} exists. Choose another name, or remove it first.")
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        database = sqlite_utils.Database(unfinished)
        table = database.table(TABLE, pk=KEY)
        table.insert_all(rows)  # facts become one JSON column
        count = table.count if TABLE in database.table_names() else 0
        database.close()
        unfinished.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise ExportError(f"{path}: {error}. Check the folder's rights and free space.") from error
    return count
