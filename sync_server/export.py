"""Records and the books of cash as a plain SQLite file, for people with tools of their own.

People appear as pseudonyms, as in every listing. The file is made beside its name and moved there
when it is whole; an existing file is left alone.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from sync_server.listings import Row

TABLE = "record"
_OF_A_RECORD = ("terminal", "branch", "seq")
_KEYS = {
    "cash_voucher": "voucher",
    "cash_case": "cash_case",
    "cash_booking": "booking",
    "cash_entry": ("booking", "account"),
}
"""Keys of tables whose rows are no records."""


class ExportError(Exception):
    """The file cannot be written; the text says what to do."""


def export_tables(tables: Mapping[str, Iterable[Row]], path: Path) -> Mapping[str, int]:
    """Write rows by table to a new file at `path`; gives how many of each. Raises ExportError."""
    import sqlite_utils  # noqa: PLC0415  # slow to load, and only this command needs it

    if path.exists():
        raise ExportError(f"{path} exists. Choose another name, or remove it first.")
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        database = sqlite_utils.Database(unfinished)
        counts = {}
        for name, rows in tables.items():
            table = database.table(name, pk=_KEYS.get(name, _OF_A_RECORD))
            table.insert_all(rows)  # facts become one JSON column
            counts[name] = table.count if table.exists() else 0
        database.close()
        unfinished.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise ExportError(f"{path}: {error}. Check the folder's rights and free space.") from error
    return counts
