"""Planted: a frame is taken whatever its CRC says."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from protocol.wire import frames
from protocol.wire.frames import FrameDecoder
from tests.wire.guards import no_damaged_frame_is_taken

GUARD = no_damaged_frame_is_taken


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    real_end = FrameDecoder._end

    def end(decoder: FrameDecoder) -> None:
        with patch.object(frames, "crc32", lambda _: frames._RESIDUE):
            real_end(decoder)

    with patch.object(FrameDecoder, "_end", end):
        yield
