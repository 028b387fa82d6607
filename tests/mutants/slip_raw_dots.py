"""Planted: a drawn row goes out as it is, also where its dots are a command to the printer."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tests.counter.guards import pictures_that_steer

GUARD = pictures_that_steer


@contextmanager
def apply() -> Iterator[None]:
    """While in force, no dot is added."""
    with patch("edge_agent.core.slip._REAL_TIME", re.compile(rb"(?!)")):
        yield
