"""The link at full speed while the board prints, reads and scans: the chip's small FIFO, its flash
stalls and its collections cost no byte of a device, and no message."""

import asyncio
from pathlib import Path

import pytest

from bench.link import FIFOS, Stress

SECONDS = 4.0


@pytest.mark.parametrize("fifo_bytes", FIFOS)
def test_no_device_byte_is_lost_and_every_message_comes(
    image: Path, tmp_path: Path, fifo_bytes: int
) -> None:
    figures = asyncio.run(Stress(image, tmp_path, fifo_bytes, SECONDS).run())
    assert figures.lost_bytes == 0
    assert (figures.downs, figures.resets) == (0, 0)
    assert min(figures.cards, figures.slips, figures.scans) >= 1
    assert min(figures.to_board_bytes, figures.to_agent_bytes) > 10_000
    assert figures.link_lost_bytes == 0 or figures.resent > 0
