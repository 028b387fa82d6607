"""Planted: a frame that came before is taken again."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from protocol.wire.link import Link
from tests.wire.guards import no_forged_frame_is_taken

GUARD = no_forged_frame_is_taken


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch.object(Link, "_is_new", lambda _link: True):
        yield
