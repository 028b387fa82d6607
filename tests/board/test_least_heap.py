"""The firmware that ships lives through a busy day in the memory of the board it is made for."""

import asyncio
from pathlib import Path

from bench.heap import GATE_DEVICES, Day

BOARD_HEAP = "192wK"
GATE_HEAP = "128wK"


def test_a_busy_day_fits_the_boards_heap(image: Path, tmp_path: Path) -> None:
    assert asyncio.run(Day(image, tmp_path, BOARD_HEAP).survives())


def test_a_busy_day_at_a_gate_fits_a_smaller_heap(image: Path, tmp_path: Path) -> None:
    """A terminal without cash acceptor and scanner pays nothing for what it does not have."""
    assert asyncio.run(Day(image, tmp_path, GATE_HEAP, GATE_DEVICES).survives())


def test_a_heap_that_is_too_small_is_found_out(image: Path, tmp_path: Path) -> None:
    assert not asyncio.run(Day(image, tmp_path, "40wK").survives())
