"""The contact of a gate's door.

| state | event | next | gives |
| --- | --- | --- | --- |
| SHUT | opens, and may | OPEN | |
| SHUT | opens, and may not | FORCED | DOOR_FORCED |
| OPEN | open for held_ms, and may not any more | HELD | DOOR_HELD |
| OPEN, HELD, FORCED | shuts | SHUT | |

A door that is open at the start is OPEN: nobody can tell who opened it.
"""

from firmware.debounce import Debounce
from protocol.wire import states
from protocol.wire.ticks import diff

SHUT = 0
OPEN = 1
FORCED = 2
HELD = 3
_DEVICE = (
    (states.ONLINE, 0),
    (states.ONLINE, 0),
    (states.FRAUD_ATTEMPT, states.GATE_FORCED),
    (states.USER_ERROR, states.GATE_DOOR_OPEN),
)


class Door:
    """`read()`: the door is open."""

    def __init__(self, read, stable_ms, held_ms, now):
        self._contact = Debounce(read, stable_ms)
        self._contact.active = bool(read())
        self._held_ms = held_ms
        self._state = OPEN if self._contact.active else SHUT
        self._since = now

    @property
    def state(self):
        """(state, detail) of the device."""
        return _DEVICE[self._state]

    def look(self, may_open, now):
        """The event that happened in this pass, 0 for none."""
        if self._contact.changed(now):
            self._since = now
            if not self._contact.active:
                self._state = SHUT
            elif may_open:
                self._state = OPEN
            else:
                self._state = FORCED
                return states.DOOR_FORCED
        elif self._state == OPEN and may_open:
            self._since = now
        elif self._state == OPEN and diff(now, self._since) >= self._held_ms:
            self._state = HELD
            return states.DOOR_HELD
        return 0
