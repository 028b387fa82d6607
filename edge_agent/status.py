"""`tongban terminal status`: what lies in a terminal's outbox, read beside the running agent."""

from pathlib import Path
from typing import TypedDict

import apsw

from edge_agent.data_folder import OUTBOX_FILE, DataFolderError
from edge_agent.update_folder import UpdateFolder
from tongban.database import DatabaseError, open_database


class Status(TypedDict):
    """Counts of records and visits. `oldest_ms`: Unix ms of the oldest unsettled one, 0 if none."""

    records: int
    settled: int
    backlog: int
    oldest_ms: int
    visits: int
    visits_settled: int
    visits_under_way: int
    status_list: int
    update: dict[str, object]


def read_status(data: Path) -> Status:
    """Raises DataFolderError when there is nothing to read."""
    path = data / OUTBOX_FILE
    if not path.is_file():
        raise DataFolderError(f"{path}: no outbox here. Give the agent's data folder with --data.")
    try:
        connection = open_database(path)
        try:
            return _read(connection, UpdateFolder(data).state().told())
        finally:
            connection.close()
    except (apsw.Error, DatabaseError) as error:
        raise DataFolderError(f"{path}: cannot be read ({error}). Is it an outbox?") from error


def _read(connection: apsw.Connection, update: dict[str, object]) -> Status:
    def number(sql: str, *values: int) -> int:
        return int(connection.execute(sql, values).get or 0)

    connection.execute("BEGIN")  # one snapshot; it ends with the connection
    records = number("SELECT max(seq) FROM record")
    settled = number("SELECT through_seq FROM settled")
    visits = "SELECT count(*) FROM record WHERE visit = 1 AND seq <= ?"
    return Status(
        records=records,
        settled=settled,
        backlog=records - settled,
        oldest_ms=number("SELECT made_ms FROM record WHERE seq = ?", settled + 1),
        visits=number(visits, records),
        visits_settled=number(visits, settled),
        visits_under_way=number("SELECT count(*) FROM flow"),
        status_list=number("SELECT version FROM status_list"),
        update=update,
    )
