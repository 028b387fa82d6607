"""The firmware that ships lives through a busy day in the memory of the board it is made for."""

import asyncio
from pathlib import Path

from bench.heap import Day

BOARD_HEAP = "192wK"


def test_a_busy_day_fits_the_boards_heap(image: Path, tmp_path: Path) -> None:
    assert asyncio.run(Day(image, tmp_path, BOARD_HEAP).survives())


def test_a_heap_that_is_too_small_is_found_out(image: Path, tmp_path: Path) -> None:
    assert not asyncio.run(Day(image, tmp_path, "40wK").survives())
