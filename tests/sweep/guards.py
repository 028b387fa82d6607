"""Sweeps of a few cuts, for the tests and for the planted mistakes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from simulator.sweep import cash_sweep, journal_sweep
from simulator.sweep.cash_scripts import SCRIPTS, Script
from simulator.sweep.cash_sweep import Point
from simulator.sweep.firmware_space import FirmwareSpace
from simulator.sweep.flash import Chip, formatted
from simulator.sweep.report import Result

BY_NAME = {script.name: script for script in SCRIPTS}
EXACT = BY_NAME["exact"]
FIRST_NOTE = range(40, 100)
"""Moments from the first note in escrow to its end."""
EACH = 6


def moments_of(story: Script) -> list[tuple[str, str]]:
    """(what, of) of every moment of a story without cuts."""
    seen = []
    with cash_sweep.world_of(story, {}) as world:
        count = world.moment

        def moment(what: str, of: str) -> bool:
            seen.append((what, of))
            return count(what, of)

        world.moment = moment  # type: ignore[method-assign]
        world.run()
    return seen


def money_balances() -> list[str]:
    """A payment while its first note is taken: cut here and there, the agent at each message."""
    of = [part for _, part in moments_of(EXACT)]
    points = [Point(EXACT, at, ("agent",)) for at in FIRST_NOTE if of[at - 1] == "agent"]
    for cut in (("acceptor",), ("board",), ("board", "acceptor")):
        points += [Point(EXACT, at, cut) for at in FIRST_NOTE[::EACH]]
    return first_violations(cash_sweep.run_point(point) for point in points)


def journals_lose_nothing() -> list[str]:
    """Every fourth flash write of a day."""
    _, results = journal_sweep.run(4)
    return first_violations(results)


def first_violations(results: Iterable[Result]) -> list[str]:
    """Those of the first run that has any: who plants a mistake need not wait for all."""
    return next((list(result.violations) for result in results if result.violations), [])


@contextmanager
def planted(plant: Callable[[FirmwareSpace], None]) -> Iterator[None]:
    """Every sweep runs a firmware with this mistake, inside."""
    space = FirmwareSpace()
    space.mount(Chip(formatted()))
    plant(space)
    for module in (cash_sweep, journal_sweep):
        module._space.cache_clear()
    journal_sweep._prepared.cache_clear()
    with (
        patch.object(cash_sweep, "_space", lambda _: space),
        patch.object(journal_sweep, "_space", lambda _: space),
    ):
        yield
    journal_sweep._prepared.cache_clear()
