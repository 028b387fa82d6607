"""The three journals of a board under a power cut at every flash write of a day.

The day begins with logs that are nearly full, so that each of them is rewritten in it. What a deed
may have left behind when the power went in it: what was before, or what it was to become.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

from protocol.wire import states
from simulator.sweep import plants
from simulator.sweep.firmware_space import FirmwareSpace
from simulator.sweep.flash import Chip, PowerCut, formatted
from simulator.sweep.report import Result

EARLIER_EFFECTS, EARLIER_EVENTS, EARLIER_NOTES = 120, 60, 30
EFFECTS, EVENTS, NOTES = 12, 6, 4
EFFECTS_CHECKED = 60  # of the 64 that the journal keeps
GONE, HERE = "gone", "here"
Allowed = dict[tuple[str, int], set[Any]]


class Prepared(NamedTuple):
    """The flash after the earlier days, and what stands on it."""

    image: bytes
    allowed: Allowed


class Day:
    """Deeds on the journals of one life. `allowed`: what each entry may be found as."""

    def __init__(self, space: FirmwareSpace, chip: Chip, allowed: Allowed) -> None:
        space.mount(chip)
        self.allowed = {name: set(may) for name, may in allowed.items()}
        load = space.load
        self.never = load("firmware.effect_journal").NEVER
        self.effects = load("firmware.effect_journal").EffectJournal("")
        self.events = load("firmware.event_journal").EventJournal("")
        self.cash = load("firmware.cash_journal").CashJournal("", lambda count: b"\x05" * count)

    def run(self, first_effect: int, effects: int, events: int, notes: int) -> None:
        """All of them in turn. Raises PowerCut."""
        for number in range(first_effect, first_effect + effects):
            self._effect(number)
        for _ in range(events):
            self._event()
        for _ in range(notes):
            self._note()

    def _do(self, name: tuple[str, int], after: Any, deed: Callable[[], object]) -> None:
        before = self.allowed.setdefault(name, {GONE})
        before.add(after)
        deed()
        self.allowed[name] = {after}

    def _effect(self, number: int) -> None:
        name = ("effect", number)
        self._do(name, states.UNKNOWN, lambda: self.effects.begin(number))
        self._do(name, states.DONE, lambda: self.effects.end(number, states.DONE, 0))

    def _event(self) -> None:
        number = self.events.reserve()
        name = ("event", number)
        self._do(name, HERE, lambda: self.events.add(number, states.HELP_PRESSED, b"", 0))
        self._do(name, GONE, lambda: self.events.acknowledge(number))

    def _note(self) -> None:
        cash = self.cash
        name = ("note", cash._counter + 1)
        self._do(name, states.NOTE_ESCROW, lambda: cash.add(7, 20))
        note = cash.live
        for state in (states.NOTE_STACKING, states.NOTE_STACKED):
            self._do(name, state, partial(cash.change, note, state))
        self._do(name, GONE, lambda: cash.forget(note))

    # ---- after the cut

    def found(self) -> dict[tuple[str, int], Any]:
        """What a life finds."""
        found: dict[tuple[str, int], Any] = {}
        for kind, number in self.allowed:
            if kind == "effect":
                state = self.effects.state(number)[0]
                found[kind, number] = GONE if state == self.never else state
        found |= {("event", event.number): HERE for event in self.events.open}
        return found | {("note", n.number & 0xFFFFFFFF): n.state for n in self.cash.open}

    def violations(self) -> Iterator[str]:
        """What may not be as it is found."""
        found = self.found()
        effects = sorted(number for kind, number in self.allowed if kind == "effect")
        for name, may in self.allowed.items():
            if name[0] == "effect" and name[1] not in effects[-EFFECTS_CHECKED:]:
                continue
            if found.get(name, GONE) not in may:
                yield f"{name[0]} {name[1]} is {found.get(name, GONE)}, not {may}"
        for name in set(found) - set(self.allowed):
            yield f"{name[0]} {name[1]} was never written"
        last = max((n for (kind, n), may in self.allowed.items() if kind == "note"), default=0)
        if self.cash._counter < last - 1:
            yield f"the next note would be {self.cash._counter + 1} after {last}"


def run(every: int, plant: str = "") -> tuple[int, Iterator[Result]]:
    """(how many, results as they come)."""
    writes = _count_writes(plant)
    cuts = range(1, writes + 1, every)
    return len(cuts), (run_cut(cut, plant) for cut in cuts)


def run_cut(cut: int, plant: str = "") -> Result:
    """One day that ends in flash write number `cut`."""
    space, prepared = _space(plant), _prepared(plant)
    chip = Chip(prepared.image)
    writes = [0]

    def tears() -> bool:
        writes[0] += 1
        return writes[0] == cut

    day = Day(space, chip, prepared.allowed)
    chip.tears = tears
    try:
        day.run(EARLIER_EFFECTS + 1, EFFECTS, EVENTS, NOTES)
        where, outcome = f"write {cut}", "whole day"
    except PowerCut:
        name, may = next(((n, m) for n, m in day.allowed.items() if len(m) > 1), (("none", 0), {}))
        where, outcome = f"write {cut}, in {name[0]} {name[1]}", f"cut in {name[0]}"
        if not may:
            return Result(where, outcome, ["the cut came in no deed"])
    after = Day(space, Chip(chip.image()), day.allowed)
    return Result(where, outcome, list(after.violations()))


def _count_writes(plant: str) -> int:
    prepared = _prepared(plant)
    chip = Chip(prepared.image)
    writes = [0]

    def count() -> bool:
        writes[0] += 1
        return False

    day = Day(_space(plant), chip, prepared.allowed)
    chip.tears = count
    day.run(EARLIER_EFFECTS + 1, EFFECTS, EVENTS, NOTES)
    return writes[0]


@cache
def _space(plant: str) -> FirmwareSpace:
    space = FirmwareSpace()
    if plant:
        space.mount(Chip(formatted()))
        plants.JOURNAL[plant](space)
    return space


@cache
def _prepared(plant: str) -> Prepared:
    chip = Chip(formatted())
    day = Day(_space(plant), chip, {})
    day.run(1, EARLIER_EFFECTS, EARLIER_EVENTS, EARLIER_NOTES)
    return Prepared(chip.image(), day.allowed)
