"""Faults of a simulated device: every one named, documented, switched on and off by a test.

A device class has a table `FAULTS` (name -> Fault). Two kinds:

    event      happens when its occasion comes (a reply is sent, a card is read). `add(name)` lets
               it happen every time, `add(name, count)` the next `count` times.
    condition  holds from `add(name)` until `remove(name)`: no paper, no power, an open cover.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

FOREVER = -1


class FaultError(ValueError):
    """A fault name that the device does not have, or a count that makes no sense."""


@dataclass(frozen=True)
class Fault:
    """What happens, in one sentence; `condition` as above."""

    what: str
    condition: bool = False


class Faults:
    """The faults that are on now, and `happened`: how often each one really did something."""

    def __init__(self, table: Mapping[str, Fault]) -> None:
        self.table = table
        self.happened: Counter[str] = Counter()
        self.on_change: Callable[[], None] | None = None
        self._left: dict[str, int] = {}

    def add(self, name: str, count: int | None = None) -> None:
        """Switch `name` on: for good, or (events only) for the next `count` occasions."""
        fault = self._known(name)
        if count is not None and fault.condition:
            raise FaultError(f"{name} is a condition: leave the count away, remove() ends it")
        if count is not None and count < 1:
            raise FaultError(f"{name}: count must be 1 or more, not {count}")
        self._left[name] = FOREVER if count is None else count
        if fault.condition:
            self.happened[name] += 1
        self._changed()

    def remove(self, name: str) -> None:
        """Switch `name` off; nothing happens when it was not on."""
        self._known(name)
        if self._left.pop(name, None) is not None:
            self._changed()

    def clear(self) -> None:
        """Switch everything off."""
        if self._left:
            self._left.clear()
            self._changed()

    def take(self, name: str) -> bool:
        """The occasion of event `name` has come: True when it goes wrong now. Uses up one count."""
        left = self._left.get(name)
        if left is None:
            return False
        self.happened[name] += 1
        if left != FOREVER:
            if left == 1:
                del self._left[name]
            else:
                self._left[name] = left - 1
        return True

    def __contains__(self, name: str) -> bool:
        self._known(name)
        return name in self._left

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._left))

    def _known(self, name: str) -> Fault:
        if name not in self.table:
            raise FaultError(f"no fault {name!r} here; there are: {', '.join(sorted(self.table))}")
        return self.table[name]

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()
