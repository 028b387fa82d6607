"""Planted: the outbox runs with synchronous=NORMAL, which is faster and forgets at a power cut."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import apsw

from tests.agent.outbox_guards import power_cut_violations
from tongban import database

GUARD = power_cut_violations


@contextmanager
def apply() -> Iterator[None]:
    """While in force, every database opens with NORMAL."""
    opened = database.open_database

    def open_normal(*arguments: Any, **named: Any) -> apsw.Connection:
        connection = opened(*arguments, **named)
        connection.pragma("synchronous", "normal")
        return connection

    with patch("edge_agent.outbox.writer.open_database", open_normal):
        yield
