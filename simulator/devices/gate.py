"""A gate at a dry contact: a relay pulse opens it; contacts tell of a passage and of its door, and
of the building's fire alarm.

| state | event | next | does |
| --- | --- | --- | --- |
| CLOSED | relay active for pulse_min_ms | OPEN | `openings` + 1, `on_open` |
| OPEN | relay active again for pulse_min_ms | OPEN | stays open anew for open_ms |
| OPEN | somebody goes through | PASSED | contact closed for contact_ms, `passages` + 1 |
| PASSED | close_after_passage_ms | CLOSED | - |
| OPEN | open_ms without passage | CLOSED | - |
| OPEN, PASSED | time to close, the relay is on or somebody stands in it | same | stays open |
| CLOSED | somebody forces it | OPEN | the door's contact closes, no opening is counted |
| any | fire alarm wired to the gate too | OPEN | until the alarm ends |

A fail-safe gate opens while its relay is off, or without power. The door's contact is closed while
the gate is open, `fire_contact` while the alarm is on.

No standard exists; times are engineering values. The board calls `relay` at each edge of its output
pin and `passed_contact` for its input, and looks again at `next_ms`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from simulator.devices.faults import Fault, Faults

CLOSED, OPEN, PASSED = "CLOSED", "OPEN", "PASSED"
PULSES_KEPT_MAX = 10_000
"""Finished pulses kept with their times; `pulse_count` goes on beyond."""


@dataclass(frozen=True)
class GateTiming:
    """Milliseconds."""

    pulse_min_ms: float = 100
    open_ms: float = 6000
    close_after_passage_ms: float = 800
    contact_ms: float = 300
    bounce_ms: float = 6


@dataclass
class Pulse:
    """One pulse at the relay; `ended_ms` is None while it lasts."""

    started_ms: float
    ended_ms: float | None = None


class Gate:
    """The gate. People use `walk_through()`, `force()` and `stand_in(on)`; `fire_alarm(on)` is the
    building's, `fire_wired`: it opens this gate by itself too."""

    FAULTS: ClassVar = {
        "power_off": Fault("no power: closed, or open when the gate is fail-safe", True),
        "stuck_closed": Fault("pulses do not open it", condition=True),
        "stuck_open": Fault("once open, it does not close", condition=True),
        "contact_dead": Fault("the passage contact never closes", condition=True),
        "contact_stuck": Fault("the passage contact is closed all the time", condition=True),
        "contact_bounce": Fault("the passage contact bounces when somebody goes through"),
        "door_contact_dead": Fault("the door's contact never closes", condition=True),
        "door_contact_stuck": Fault("the door's contact is closed all the time", condition=True),
        "fire_contact_dead": Fault("the fire alarm does not reach the board", condition=True),
    }

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: GateTiming | None = None,
        fail_safe: bool = False,
        fire_wired: bool = True,
        auto_pass_ms: float | None = None,
        on_open: Callable[[], None] | None = None,
    ) -> None:
        self.rng = rng if rng is not None else random.Random(0)
        self.timing = timing if timing is not None else GateTiming()
        self.faults = Faults(self.FAULTS)
        self.faults.on_change = self._woken
        self.wake: Callable[[], None] | None = None
        self.on_open = on_open
        self.auto_pass_ms = auto_pass_ms
        self.state = CLOSED
        self.openings = self.passages = self.pulse_count = 0
        self.pulses: list[Pulse] = []
        self._fail_safe = fail_safe
        self._fire_wired = fire_wired
        self._blocked = False
        self._relay_since_ms: float | None = None
        self._relay_worked = False
        self._close_at_ms: float | None = None
        self._pass_at_ms: float | None = None
        self._walker = False
        self._fire = False
        self._contact: list[tuple[float, int]] = []
        self._contact_level = 0

    @property
    def is_open(self) -> bool:
        """People can go through now."""
        if self._fire and self._fire_wired:
            return True
        if "power_off" in self.faults:
            return self._fail_safe
        return self.state != CLOSED

    # --- people

    def walk_through(self) -> bool:
        """Somebody goes through; False when the gate is closed."""
        if not self.is_open:
            return False
        self._walker = True
        self._woken()
        return True

    def force(self, now_ms: float) -> None:
        """Somebody pushes it open."""
        self._tick(now_ms)
        if self.state == CLOSED:
            self.state = OPEN
            self._close_at_ms = now_ms + self.timing.open_ms
        self._woken()

    def stand_in(self, on: bool) -> None:
        """Somebody stands in it: it cannot close."""
        self._blocked = on
        self._woken()

    def fire_alarm(self, on: bool) -> None:
        """The building's fire alarm."""
        self._fire = on
        self._woken()

    # --- pins

    def relay(self, level: int, now_ms: float) -> None:
        """The relay's level: 1 pulls it."""
        self._tick(now_ms)
        level ^= int(self._fail_safe)
        if level and self._relay_since_ms is None:
            self._relay_since_ms = now_ms
            self._relay_worked = False
            self.pulse_count += 1
            if len(self.pulses) < PULSES_KEPT_MAX:
                self.pulses.append(Pulse(now_ms))
        elif not level and self._relay_since_ms is not None:
            if self.pulse_count <= PULSES_KEPT_MAX:
                self.pulses[-1].ended_ms = now_ms
            self._relay_since_ms = None

    def passed_contact(self, now_ms: float) -> bool:
        """The passage contact is closed."""
        self._tick(now_ms)
        closed = bool(self._contact_level)
        if "contact_dead" in self.faults or "power_off" in self.faults:
            closed = False
        return closed or "contact_stuck" in self.faults

    def door_contact(self, now_ms: float) -> bool:
        """The door's contact is closed: the gate is open."""
        self._tick(now_ms)
        closed = self.is_open and "door_contact_dead" not in self.faults
        return closed or "door_contact_stuck" in self.faults

    def fire_contact(self) -> bool:
        """The fire alarm's contact is closed."""
        return self._fire and "fire_contact_dead" not in self.faults

    def next_ms(self, now_ms: float) -> float | None:
        """When something changes by itself; None: not before a pin or a person does."""
        moments = [self._opens_at_ms, self._close_at_ms, self._pass_at_ms]
        moments += [self._contact[0][0] if self._contact else None]
        moments += [now_ms if self._walker else None]
        known = [at for at in moments if at is not None]
        return max(now_ms, min(known)) if known else None

    # --- time

    @property
    def _opens_at_ms(self) -> float | None:
        if self._relay_since_ms is None or self._relay_worked:
            return None
        return self._relay_since_ms + self.timing.pulse_min_ms

    def _tick(self, now_ms: float) -> None:
        opens_at = self._opens_at_ms
        if opens_at is not None and opens_at <= now_ms:
            self._relay_worked = True
            self._open(opens_at)
        if self._pass_at_ms is not None and self._pass_at_ms <= now_ms:
            self._pass_at_ms = None
            self._walker = self._walker or self.is_open
        if self._walker:
            self._walker = False
            self._pass(now_ms)
        if self._close_at_ms is not None and self._close_at_ms <= now_ms:
            self._close_at_ms = None
            held = self._blocked or (self._relay_worked and self._relay_since_ms is not None)
            if held:
                self._close_at_ms = now_ms + self.timing.close_after_passage_ms
            elif "stuck_open" not in self.faults:
                self.state = CLOSED
        while self._contact and self._contact[0][0] <= now_ms:
            self._contact_level = self._contact.pop(0)[1]

    def _open(self, at_ms: float) -> None:
        if "power_off" in self.faults or "stuck_closed" in self.faults:
            return
        was_closed = self.state == CLOSED
        self.state = OPEN
        self._close_at_ms = at_ms + self.timing.open_ms
        if self.auto_pass_ms is not None:
            self._pass_at_ms = at_ms + self.auto_pass_ms
        if was_closed:
            self.openings += 1
            if self.on_open is not None:
                self.on_open()

    def _pass(self, now_ms: float) -> None:
        self.passages += 1
        edges = [(now_ms, 1)]
        if self.faults.take("contact_bounce"):
            for _ in range(3):
                edges += [(now_ms + self.rng.uniform(0, self.timing.bounce_ms), 0)]
                edges += [(now_ms + self.rng.uniform(0, self.timing.bounce_ms), 1)]
            edges += [(now_ms + self.timing.bounce_ms, 1)]
        edges.sort(key=lambda edge: edge[0])
        edges.append((now_ms + self.timing.contact_ms, 0))
        self._contact = edges
        if self.state == OPEN:
            self.state = PASSED
            self._close_at_ms = now_ms + self.timing.close_after_passage_ms

    def _woken(self) -> None:
        if self.wake is not None:
            self.wake()
