"""Help button and its lamp: works without an agent, without a link, in every state of everything
else.

| state | event | next | does |
| --- | --- | --- | --- |
| UP | active for DEBOUNCE_MS | DOWN | lamp on at once, `pressed(now)` |
| DOWN | at rest for DEBOUNCE_MS | UP | |
| DOWN | for STUCK_MS | DOWN | HARDWARE_ERROR, once |
| DOWN, stuck | at rest | UP | ONLINE |

The lamp is the agent's to change (LAMP): OFF, ON, BLINK.
"""

from firmware.debounce import Debounce
from protocol.wire import states
from protocol.wire.ticks import add, diff

DEBOUNCE_MS = 30
STUCK_MS = 30_000
BLINK_MS = 500


class HelpButton:
    """`button()` samples, `lamp(on)` drives (both bool); `report(state, detail)`."""

    def __init__(self, button, lamp, pressed, report, now):
        self._button = Debounce(button, DEBOUNCE_MS)
        self._lamp = lamp
        self._pressed = pressed
        self._report = report
        self._since = now
        self._stuck = False
        self._mode = states.LAMP_OFF
        self._lit = False
        self._blink_at = now
        lamp(False)
        report(states.ONLINE, 0)

    def set_lamp(self, mode, now):
        """LAMP_OFF, LAMP_ON or LAMP_BLINK of `protocol.wire.states`."""
        self._mode = mode
        self._blink_at = add(now, BLINK_MS)
        self._light(mode != states.LAMP_OFF)

    def tick(self, now):
        if self._button.changed(now):
            if self._button.active:
                self.set_lamp(states.LAMP_ON, now)
                self._since = now
                self._pressed(now)
            elif self._stuck:
                self._stuck = False
                self._report(states.ONLINE, 0)
        elif self._button.active and not self._stuck and diff(now, self._since) >= STUCK_MS:
            self._stuck = True
            self._report(states.HARDWARE_ERROR, states.DETAIL_STUCK)
        if self._mode == states.LAMP_BLINK and diff(now, self._blink_at) >= 0:
            self._blink_at = add(now, BLINK_MS)
            self._light(not self._lit)

    def deadline(self, now):
        """Milliseconds until `tick` has work: the button wants samples all the time."""
        return DEBOUNCE_MS

    def _light(self, lit):
        self._lit = lit
        self._lamp(lit)
