"""A campaign: inputs for every driver in turn, what was found, and a watch over one that hangs."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from simulator.fuzz import rig, targets
from simulator.fuzz.inputs import Seeds, make_input

HANG_S = 10.0
WATCH_EVERY_S = 1.0
FINDINGS_MAX = 20
"""So many are kept; more only count."""
EXIT_FOUND = 1


@dataclass(frozen=True)
class Found:
    """`data` fed to `driver` does this."""

    driver: str
    kind: str
    text: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.driver}: {self.kind}: {self.text}"

    @property
    def replay(self) -> str:
        """The command that plays it again."""
        return f"tongban sim fuzz drivers --driver {self.driver} --replay {self.data.hex()}"


@dataclass
class Tally:
    """What a campaign saw."""

    inputs: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)

    def add(self, found: Found) -> None:
        """Count it, and keep the first ones."""
        self.kinds[found.kind] = self.kinds.get(found.kind, 0) + 1
        if len(self.found) < FINDINGS_MAX:
            self.found.append(found)

    @property
    def out_of_step(self) -> int:
        """Inputs after which two good answers were not heard."""
        return self.kinds.get(rig.OUT_OF_STEP, 0)

    @property
    def exceptions(self) -> int:
        """Inputs that did anything else that must not be."""
        return sum(self.kinds.values()) - self.out_of_step


class Watch:
    """Ends the process when one input takes HANG_S, and says which: no other way out of a loop."""

    def __init__(self, limit_s: float = HANG_S) -> None:
        self._limit_s = limit_s
        self._at: tuple[float, str, bytes] | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="fuzz watch").start()

    def begins(self, driver: str, data: bytes) -> None:
        """This input now."""
        self._at = (time.monotonic(), driver, data)

    def end(self) -> None:
        """Nothing runs any more."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_EVERY_S):
            at = self._at
            if at is not None and time.monotonic() - at[0] > self._limit_s:
                found = Found(at[1], "hang", f"over {self._limit_s:.0f} s for one input", at[2])
                print(f"{found}\n  {found.replay}", file=sys.stderr, flush=True)
                os._exit(EXIT_FOUND)


def seeds_of(driver: str) -> Seeds:
    """The good frames of a target."""
    target = targets.load(driver)
    return Seeds.of(target.FRAMES, target.HEADER, target.LENGTHS)


def inputs_of(driver: str, seed: int, count: int) -> Iterator[bytes]:
    """The first `count` inputs of a campaign."""
    seeds = seeds_of(driver)
    return (make_input(seed, driver, number, seeds) for number in range(count))


def play(driver: str, data: bytes) -> Found | None:
    """Feed one input to a new driver."""
    try:
        rig.play(targets.load(driver).Subject, data)
    except rig.FindingError as finding:
        return Found(driver, finding.kind, str(finding), data)
    return None


def campaign(
    drivers: Sequence[str],
    inputs: int,
    seed: int,
    progress: Callable[[int], None] = lambda _done: None,
) -> Tally:
    """`inputs` in all, shared evenly among `drivers`. `progress` is told how many are done."""
    tally = Tally()
    watch = Watch()
    try:
        for place, driver in enumerate(drivers):
            share = inputs // len(drivers) + (place < inputs % len(drivers))
            make = targets.load(driver).Subject
            for data in inputs_of(driver, seed, share):
                watch.begins(driver, data)
                try:
                    rig.play(make, data)
                except rig.FindingError as finding:
                    tally.add(Found(driver, finding.kind, str(finding), data))
                tally.inputs += 1
                if tally.inputs % 1000 == 0:
                    progress(tally.inputs)
    finally:
        watch.end()
    progress(tally.inputs)
    return tally
