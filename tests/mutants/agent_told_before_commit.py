"""Planted: the futures are resolved when the rows are inserted, before the commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from edge_agent.outbox.writer import Waiting, Writer
from tests.agent.outbox_guards import power_cut_violations

GUARD = power_cut_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, the writer tells too early."""

    def run(self: Writer, group: list[Waiting]) -> None:
        connection: Any = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        for job, future in group:
            future.set_result(job.run(connection, self._sealer))
        connection.execute("COMMIT")

    with patch.object(Writer, "_run", run):
        yield
