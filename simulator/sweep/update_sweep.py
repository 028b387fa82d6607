"""Every cut of the update sweep, and how they run side by side."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from edge_agent.technician.release_file import Release, make_release
from edge_agent.technician.release_key import PrivateKey
from simulator.sweep import plants
from simulator.sweep.firmware_space import FirmwareSpace
from simulator.sweep.flash import Chip, formatted
from simulator.sweep.report import Result
from simulator.sweep.update_world import Releases, UpdateWorld, new_board

CHUNK = 8
AGAIN = (0, 1, 2)
"""No second cut, or one so many writes after the first: in the start that follows, if it writes."""
_BOARD = "sweep"


def run(every: int, plant: str = "", workers: int | None = None) -> tuple[int, Iterator[Result]]:
    """(how many, results as they come): without a cut, then with one or two, the first in every
    `every`th write of the update to the new release."""
    releases = make_releases()
    whole = UpdateWorld(releases, new_board(releases), space_of(plant), ())
    whole.run()
    points: list[tuple[int, ...]] = [()]
    for at in range(1, whole.update_writes + 1, every):
        points += [(at, at + more) if more else (at,) for more in AGAIN]
    return len(points), _run_all(points, releases, plant, workers or os.cpu_count() or 1)


def _run_all(
    points: list[tuple[int, ...]], releases: Releases, plant: str, workers: int
) -> Iterator[Result]:
    chunks = [points[at : at + CHUNK] for at in range(0, len(points), CHUNK)]
    if workers == 1:
        for chunk in chunks:
            yield from _run_chunk(chunk, releases, plant)
        return
    with ProcessPoolExecutor(workers) as pool:
        count = len(chunks)
        for results in pool.map(_run_chunk, chunks, [releases] * count, [plant] * count):
            yield from results


def _run_chunk(chunk: list[tuple[int, ...]], releases: Releases, plant: str) -> list[Result]:
    image = new_board(releases)
    return [run_point(cuts, releases, image, plant) for cuts in chunk]


def run_point(cuts: tuple[int, ...], releases: Releases, image: bytes, plant: str = "") -> Result:
    """One story with its cuts."""
    world = UpdateWorld(releases, image, space_of(plant), cuts)
    outcome = world.run()
    where = f"cut in write {' and '.join(map(str, cuts))}" if cuts else "no cut"
    return Result(where, outcome if cuts else "no cut", world.violations)


@cache
def space_of(plant: str) -> FirmwareSpace:
    """A firmware of its own, with the fault planted if one is named."""
    space = FirmwareSpace()
    space.mount(Chip(formatted()))  # modules that know `os` are loaded with one
    if plant:
        plants.UPDATE[plant](space)
    return space


def make_releases() -> Releases:
    """Three small ones that are signed with a key of this run, folders and all."""
    key = PrivateKey.generate()
    old, new, later = (key.sign(_release(version)) for version in (7, 8, 9))
    return Releases(old, new, later, key.public.text.encode())


def _release(version: int) -> Release:
    files = {
        "firmware/drivers/one.mpy": bytes((version,)) * 900,
        "firmware/empty.mpy": b"",
        "firmware/main.mpy": b"%d" % version * 1200,
        "protocol/wire/two.mpy": b"the same in every version",
    }
    return make_release(_BOARD, version, f"0.1.{version}", files)
