"""Help in the hall: the button and its lamp, the bell, and the answer button at the officers' desk.

The board reads `pressed` and `desk_contact`, writes `lamp` and `bell`, and looks again at
`next_ms`. A contact bounces for `bounce_ms` after each change; a driver debounces 30 ms.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from simulator.devices.contact import Contact
from simulator.devices.faults import Fault, Faults

CHANGES_KEPT_MAX = 10_000


@dataclass(frozen=True)
class ButtonTiming:
    """Milliseconds."""

    bounce_ms: float = 8
    long_bounce_ms: float = 60
    bounces: int = 4
    press_ms: float = 250


class HelpButton:
    """Citizens use `press()`, `hold()` and `release()`, officers `answer()`; `lamp_lit` is what
    they see, `ringing` what the hall hears."""

    FAULTS: ClassVar = {
        "dead": Fault("presses do not close the contact", condition=True),
        "stuck_pressed": Fault("the contact is closed all the time", condition=True),
        "long_bounce": Fault("the contact bounces longer than drivers debounce"),
        "lamp_broken": Fault("the lamp stays dark", condition=True),
        "bell_broken": Fault("the bell stays silent", condition=True),
        "answer_dead": Fault("the desk's button does not close its contact", condition=True),
        "answer_stuck": Fault("the desk's contact is closed all the time", condition=True),
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
        self.answers = 0
        self.lamp_changes: list[tuple[float, int]] = []
        """(moment, level) of each change of the lamp's pin."""
        self.bell_changes: list[tuple[float, int]] = []
        """(moment, level) of each change of the bell's pin."""
        self._button = Contact(self.rng, self.timing.bounces)
        self._desk = Contact(self.rng, self.timing.bounces)
        self._lamp_pin = 0
        self._bell_pin = 0

    @property
    def lamp_lit(self) -> bool:
        """The lamp shines."""
        return bool(self._lamp_pin) and "lamp_broken" not in self.faults

    @property
    def ringing(self) -> bool:
        """The bell sounds."""
        return bool(self._bell_pin) and "bell_broken" not in self.faults

    # --- people

    def press(self, now_ms: float, duration_ms: float | None = None) -> None:
        """Press, and let go after `duration_ms` (default: a usual short press)."""
        self.hold(now_ms)
        self.release(now_ms + (self.timing.press_ms if duration_ms is None else duration_ms))

    def hold(self, now_ms: float) -> None:
        """Press and keep pressing until `release()`."""
        self.presses += 1
        self._move(self._button, 1, now_ms)

    def release(self, now_ms: float) -> None:
        """Let go."""
        self._move(self._button, 0, now_ms)

    def answer(self, now_ms: float, duration_ms: float | None = None) -> None:
        """An officer presses the answer button at the desk."""
        self.answers += 1
        lasts_ms = self.timing.press_ms if duration_ms is None else duration_ms
        self._move(self._desk, 1, now_ms)
        self._move(self._desk, 0, now_ms + lasts_ms)

    # --- pins

    def pressed(self, now_ms: float) -> bool:
        """The button's contact is closed at this moment (it bounces)."""
        closed = self._button.closed(now_ms) and "dead" not in self.faults
        return closed or "stuck_pressed" in self.faults

    def desk_contact(self, now_ms: float) -> bool:
        """The desk's contact is closed at this moment (it bounces)."""
        closed = self._desk.closed(now_ms) and "answer_dead" not in self.faults
        return closed or "answer_stuck" in self.faults

    def lamp(self, level: int, now_ms: float) -> None:
        """The lamp's pin: 1 is on."""
        if level != self._lamp_pin:
            _note(self.lamp_changes, now_ms, level)
        self._lamp_pin = level

    def bell(self, level: int, now_ms: float) -> None:
        """The bell's pin: 1 rings."""
        if level != self._bell_pin:
            _note(self.bell_changes, now_ms, level)
        self._bell_pin = level

    def next_ms(self, now_ms: float) -> float | None:
        """When a contact changes next; None: not before a person does something."""
        moments = [at for at in (self._button.next_ms(), self._desk.next_ms()) if at is not None]
        return max(now_ms, min(moments)) if moments else None

    def _move(self, contact: Contact, level: int, at_ms: float) -> None:
        long = self.faults.take("long_bounce")
        contact.move(level, at_ms, self.timing.long_bounce_ms if long else self.timing.bounce_ms)
        self._woken()

    def _woken(self) -> None:
        if self.wake is not None:
            self.wake()


def _note(changes: list[tuple[float, int]], now_ms: float, level: int) -> None:
    if len(changes) < CHANGES_KEPT_MAX:
        changes.append((now_ms, level))
