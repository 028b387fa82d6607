"""Virtual time: a scene plays the same on every machine, and what cannot live in it says so."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from simulator.board import Board, virtual_time
from simulator.board.virtual_time import StuckError, run_in_virtual_time
from tests.board.terminal_scene import CARD, TINY, play, terminal


def played(image: Path, folder: Path) -> list[tuple[float, Any]]:
    """What was seen of a board that serves somebody and loses power, and when."""
    seen: list[tuple[float, Any]] = []

    async def scene() -> None:
        async with terminal(image, folder) as t:

            def look(what: Any) -> None:
                seen.append((asyncio.get_running_loop().time(), what))

            look(await t.read(CARD))
            look(await t.print_slip())
            await t.lose_power()
            look(t.probe.downs)
            look(await t.probe.pulse(t.number(), 300))
            look([line.bytes_from_board for line in t.board.lines.values()])
            look(list(t.board.pins.edges))

    play(scene)
    return seen


def test_a_scene_plays_the_same_to_the_last_bit(image: Path, tmp_path: Path) -> None:
    assert played(image, tmp_path / "a") == played(image, tmp_path / "b")


def test_an_hour_of_nothing_passes_at_once() -> None:
    begun = time.process_time()
    run_in_virtual_time(asyncio.sleep(3600))
    assert time.process_time() - begun < 5


def test_a_firmware_that_hangs_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_time, "STUCK_S", 1.0)

    async def scene() -> None:
        board = Board("t1", tmp_path, {}, firmware_folder=TINY, link="socket")
        await board.start()
        await board.booted()
        assert board.pid is not None
        os.kill(board.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(5)
        finally:
            os.kill(board.pid, signal.SIGKILL)

    with pytest.raises(StuckError, match="for 1 s"):
        run_in_virtual_time(scene())


@pytest.mark.parametrize(
    "options",
    [
        {"link": "pty"},
        {"link": "socket", "runtime": "cpython"},
        {"link": "socket", "collection": (9, 9)},
    ],
    ids=["terminal", "cpython", "collections"],
)
def test_who_has_a_clock_of_his_own_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    async def scene() -> None:
        await Board("t1", tmp_path, {}, firmware_folder=TINY, **options).start()

    with pytest.raises(ValueError, match="virtual time"):
        run_in_virtual_time(scene())
