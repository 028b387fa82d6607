"""Planted: the number of a command follows from what the database holds, and from nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw

from sync_server import commands
from tests.server.guards import no_number_is_used_again

GUARD = no_number_is_used_again


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""

    def next_number(connection: apsw.Connection, terminal: int, _now_ms: int) -> int:
        sql = "SELECT coalesce(max(number), 0) + 1 FROM command WHERE terminal = ?"
        return int(connection.execute(sql, (terminal,)).get)

    with patch.object(commands, "_next_number", next_number):
        yield
