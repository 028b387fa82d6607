"""The firmware that ships lives through a busy day in the memory of the board it is made for."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import pytest

from bench.heap import ALL_DEVICES, GATE_DEVICES, Day, survives
from edge_agent.technician.release_file import Release
from protocol.wire import messages
from protocol.wire import update_states as us
from simulator.board.probe import Probe
from tests.board.update_scene import Factory

BOARD_HEAP = "192wK"
GATE_HEAP = "128wK"
CHUNK_BYTES = 256
UPDATE_S_MAX = 120.0


def test_a_busy_day_fits_the_boards_heap(image: Path, tmp_path: Path) -> None:
    assert survives(lambda folder: Day(image, folder, BOARD_HEAP), tmp_path)


def test_a_busy_day_at_a_gate_fits_a_smaller_heap(image: Path, tmp_path: Path) -> None:
    """A terminal without cash acceptor and scanner pays nothing for what it does not have."""
    assert survives(lambda folder: Day(image, folder, GATE_HEAP, GATE_DEVICES), tmp_path)


@pytest.mark.parametrize(
    ("heap", "devices"), [(BOARD_HEAP, ALL_DEVICES), (GATE_HEAP, GATE_DEVICES)], ids=["all", "gate"]
)
def test_a_release_is_received_meanwhile(
    image: Path, tmp_path: Path, heap: str, devices: Collection[str]
) -> None:
    factory = Factory(image)
    told: list[tuple[int, int]] = []

    async def update(probe: Probe) -> None:
        told.append(await receive(probe, factory.release(2)))

    def day(folder: Path) -> Day:
        day = Day(image, folder, heap, devices, factory.flash(1))
        day.beside = update
        return day

    assert survives(day, tmp_path)
    assert told[-1] == (us.UPDATE_READY, us.REASON_NONE)


async def receive(probe: Probe, release: Release) -> tuple[int, int]:
    """Give the release to the board; the state and the reason that it ends with."""
    stream = release.stream
    await probe.send(messages.UPDATE_BEGIN, release.id, len(stream), len(release.manifest))
    sent = 0
    while True:
        said = await probe.expect(messages.UPDATE_STATE, release.id, timeout_s=UPDATE_S_MAX)
        _, state, reason, offset = said.fields
        if state in (us.UPDATE_READY, us.UPDATE_REFUSED):
            return state, reason
        end = min(len(stream), offset + us.ROOM_BYTES) if state == us.UPDATE_RECEIVING else 0
        for at in range(max(sent, offset), end, CHUNK_BYTES):
            sent = min(at + CHUNK_BYTES, end)
            await probe.send(messages.UPDATE_DATA, at, tail=stream[at:sent])


def test_a_heap_that_is_too_small_is_found_out(image: Path, tmp_path: Path) -> None:
    assert not asyncio.run(Day(image, tmp_path, "40wK").survives())
