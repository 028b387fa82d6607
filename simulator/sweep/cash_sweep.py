"""Every story of the cash sweep with every cut: which there are, and how they run side by side."""

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from simulator.sweep import cash_check, plants
from simulator.sweep.cash_agent import open_outbox
from simulator.sweep.cash_scripts import SCRIPTS, Script
from simulator.sweep.cash_world import PARTS, CashWorld
from simulator.sweep.firmware_space import FirmwareSpace
from simulator.sweep.report import Result

CHUNK = 16
CUTS = tuple(cut for count in (1, 2, 3) for cut in combinations(PARTS, count))
_RAM = Path("/dev/shm")


class Point(NamedTuple):
    """A story, and which parts lose power at which of its moments; 0 for none."""

    script: Script
    moment: int
    cut: tuple[str, ...]


def points(every: int, plant: str = "") -> list[Point]:
    """Each story without a cut, and with each kind of cut at every `every`th moment."""
    found = []
    for script in SCRIPTS:
        with world_of(script, {}, plant) as world:
            world.run()
            count = world.moments
        found.append(Point(script, 0, ()))
        found += [Point(script, at, cut) for at in range(1, count + 1, every) for cut in CUTS]
    return found


def run(every: int, plant: str = "", workers: int | None = None) -> tuple[int, Iterator[Result]]:
    """(how many, results as they come)."""
    todo = points(every, plant)
    return len(todo), _run_all(todo, plant, workers or os.cpu_count() or 1)


def _run_all(todo: list[Point], plant: str, workers: int) -> Iterator[Result]:
    chunks = [todo[at : at + CHUNK] for at in range(0, len(todo), CHUNK)]
    if workers == 1:
        for chunk in chunks:
            yield from _run_chunk(chunk, plant)
        return
    # Not by fork: the bar on stderr is drawn by a thread of this process.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for results in pool.map(_run_chunk, chunks, [plant] * len(chunks)):
            yield from results


def _run_chunk(chunk: list[Point], plant: str) -> list[Result]:
    return [run_point(point, plant) for point in chunk]


def run_point(point: Point, plant: str = "") -> Result:
    """One story with its cut."""
    script, moment, cut = point
    where = f"{script.name} moment {moment} cut {'+'.join(cut) or 'none'}"
    return play(script, {moment: cut}, where, plant)


def play(script: Script, cuts: Mapping[int, Collection[str]], where: str, plant: str) -> Result:
    """One story with any cuts, to its end."""
    with world_of(script, cuts, plant) as world:
        at_rest = world.run()
        wrong = cash_check.violations(world, at_rest=at_rest)
        return Result(where, cash_check.outcome(world), wrong)


@contextmanager
def world_of(
    script: Script, cuts: Mapping[int, Collection[str]], plant: str = ""
) -> Iterator[CashWorld]:
    """Its world on a disk of its own, which is in memory where the system has such a place."""
    with tempfile.TemporaryDirectory(dir=_RAM if _RAM.is_dir() else None) as folder:
        world = CashWorld(script, _space(plant), Path(folder), _empty(), cuts=cuts)
        try:
            yield world
        finally:
            world.close()


@cache
def _space(plant: str) -> FirmwareSpace:
    space = FirmwareSpace()
    if plant:
        plants.CASH[plant](space)
    return space


@cache
def _empty() -> bytes:
    """A terminal's database that holds nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outbox.db"
        open_outbox(path).close()
        return path.read_bytes()
