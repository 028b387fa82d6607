"""The help button: a bouncing contact to ground, and the lamp that acknowledges it.

The board reads `pressed`, writes the lamp with `lamp`, and looks again at `next_ms`. A contact
bounces for `bounce_ms` after each change; a driver debounces 30 ms.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from simulator.devices.faults import Fault, Faults

EDGES_PENDING_MAX = 1000
LAMP_CHANGES_KEPT_MAX = 10_000


@dataclass(frozen=True)
class ButtonTiming:
    """Milliseconds."""

    bounce_ms: float = 8
    long_bounce_ms: float = 60
    bounces: int = 4
    press_ms: float = 250


class HelpButton:
    """The button. People use `press()`, `hold()` and `release()`; `lamp_lit` is what they see."""

    FAULTS: ClassVar = {
        "dead": Fault("presses do not close the contact", condition=True),
        "stuck_pressed": Fault("the contact is closed all the time", condition=True),
        "long_bounce": Fault("the contact bounces longer than drivers debounce"),
        "lamp_broken": Fault("the lamp stays dark", condition=True),
    }

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: ButtonTiming | None = None,
    ) -> None:
        self.rng = rng if rng is not None else random.Random(0)
        self.timing = timing if timing is not None else ButtonTiming()
        self.faults = Faults(self.FAULTS)
        self.faults.on_change = self._woken
        self.wake: Callable[[], None] | None = None
        self.presses = 0
        self.lamp_changes: list[tuple[float, int]] = []
        """(moment, level) of each change of the lamp's pin."""
        self._edges: list[tuple[float, int]] = []
        self._closed = 0
        self._lamp_pin = 0

    @property
    def lamp_lit(self) -> bool:
        """The lamp shines."""
        return bool(self._lamp_pin) and "lamp_broken" not in self.faults

    # --- people

    def press(self, now_ms: float, duration_ms: float | None = None) -> None:
        """Press, and let go after `duration_ms` (default: a usual short press)."""
        self.hold(now_ms)
        self.release(now_ms + (self.timing.press_ms if duration_ms is None else duration_ms))

    def hold(self, now_ms: float) -> None:
        """Press and keep pressing until `release()`."""
        self.presses += 1
        self._move(1, now_ms)

    def release(self, now_ms: float) -> None:
        """Let go."""
        self._move(0, now_ms)

    # --- pins

    def pressed(self, now_ms: float) -> bool:
        """The contact is closed at this moment (it bounces)."""
        while self._edges and self._edges[0][0] <= now_ms:
            self._closed = self._edges.pop(0)[1]
        closed = bool(self._closed) and "dead" not in self.faults
        return closed or "stuck_pressed" in self.faults

    def lamp(self, level: int, now_ms: float) -> None:
        """The lamp's pin: 1 is on."""
        if level != self._lamp_pin and len(self.lamp_changes) < LAMP_CHANGES_KEPT_MAX:
            self.lamp_changes.append((now_ms, level))
        self._lamp_pin = level

    def next_ms(self, now_ms: float) -> float | None:
        """When the contact changes next; None: not before a person does something."""
        return max(now_ms, self._edges[0][0]) if self._edges else None

    def _move(self, level: int, at_ms: float) -> None:
        """Queue a change of the contact with its bounces; it rests at `level`."""
        if len(self._edges) >= EDGES_PENDING_MAX:
            return
        long = self.faults.take("long_bounce")
        span_ms = self.timing.long_bounce_ms if long else self.timing.bounce_ms
        moments = sorted(self.rng.uniform(0, span_ms) for _ in range(2 * self.timing.bounces))
        edges = [(at_ms, level)]
        edges += [(at_ms + at, level ^ (i + 1) % 2) for i, at in enumerate(moments)]
        self._edges = sorted([*self._edges, *edges], key=lambda edge: edge[0])
        self._woken()

    def _woken(self) -> None:
        if self.wake is not None:
            self.wake()
