"""Planted: the tag of a frame is not looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from protocol.wire.tag import Tags
from tests.wire.guards import no_forged_frame_is_taken

GUARD = no_forged_frame_is_taken


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch.object(Tags, "fits_frame", lambda _tags, _body, _n: True):
        yield
