"""Help button with its lamp, the bell in the hall, and the answer contact at the officers' desk:
works without an agent, without a link, in every state of everything else.

| call | event | next | does |
| --- | --- | --- | --- |
| NONE | button | CALLED | event HELP_PRESSED, its number is the call's; bell, lamp blinks |
| NONE | `ring` | CALLED | bell, lamp blinks; not for the call answered last, nor an old one |
| CALLED | button | CALLED | bell from its start; HELP_PRESSED if the first was acknowledged |
| CALLED | `ring` | CALLED | the call has the agent's number, and counts from the earlier moment |
| CALLED | desk contact | ANSWERED | event HELP_ANSWERED; bell stops, lamp steady |
| CALLED | `answer` with its number | ANSWERED | bell stops, lamp steady |
| CALLED | for CALL_MS_MAX | NONE | bell stops, lamp off |
| ANSWERED | button | CALLED | a new call, as from NONE |
| ANSWERED | `ring` of another call | CALLED | as from NONE |
| ANSWERED | desk contact, or for ANSWERED_MS | NONE | lamp off; the contact: HELP_ANSWERED again |
| any | other `ring`, `answer`, desk contact | same | nothing |

| each contact | event | does |
| --- | --- | --- |
| open | closed for DEBOUNCE_MS | counts as above |
| closed | for STUCK_MS | HARDWARE_ERROR, once |
| stuck | open, and no other is stuck | ONLINE |

A life that begins with a press that nobody answered or acknowledged begins CALLED. A desk contact
that is closed at the start must open first: a short circuit answers nobody. Bell and desk contact
are optional. LAMP sets the lamp until the call changes.
"""

import struct

from firmware.debounce import Debounce
from firmware.drivers.bell import Bell
from protocol.wire import states
from protocol.wire.states import AGE_UNKNOWN
from protocol.wire.ticks import add, diff

DEBOUNCE_MS = 30
STUCK_MS = 30_000
BLINK_MS = 500
CALL_MS_MAX = 3_600_000
ANSWERED_MS = 60_000

NONE = 0
CALLED = 1
ANSWERED = 2


class HelpButton:
    """`button()` and `desk()` sample, `lamp(on)` and `bell(on)` drive (all bool; `desk`, `bell` may
    be None); `events` takes presses and answers; `report(state, detail)`."""

    def __init__(self, button, lamp, bell, desk, events, report, now):
        self.counts = [0, 0]  # called, answered at the desk
        self._button = _Contact(button, False, now)
        self._desk = _Contact(desk or _open, desk is not None and desk(), now)
        self._lamp = lamp
        self._bell = Bell(bell or _nothing)
        self._events = events
        self._report = report
        self._stuck = False
        self._mode = states.LAMP_OFF
        self._lit = False
        self._blink_at = now
        self._state = NONE
        self._at = now  # the call's moment, or that of its answer
        self._at_known = True
        self._number, self._answered_no = events.call_left_open()
        lamp(False)
        report(states.ONLINE, 0)
        if self._number:
            self._call(self._number, AGE_UNKNOWN, now)

    def set_lamp(self, mode, now):
        """LAMP_OFF, LAMP_ON or LAMP_BLINK of `protocol.wire.states`."""
        self._mode = mode
        self._blink_at = add(now, BLINK_MS)
        self._light(mode != states.LAMP_OFF)

    def ring(self, number, age_ms, now):
        """The agent has this call, for so long; AGE_UNKNOWN when it cannot tell."""
        too_old = age_ms != AGE_UNKNOWN and age_ms >= CALL_MS_MAX
        if too_old or number == self._answered_no:
            return
        if self._state != CALLED:
            self._call(number, age_ms, now)
            return
        self._number = number
        if age_ms != AGE_UNKNOWN and (not self._at_known or age_ms > diff(now, self._at)):
            self._at = add(now, -age_ms)
            self._at_known = True

    def answer(self, number, now):
        """An officer answered this call by the agent."""
        if self._state == CALLED and number == self._number:
            self._answered(now)

    def tick(self, now):
        if self._button.closed(now):
            self._pressed(now)
        if self._desk.closed(now):
            self._desk_pressed(now)
        self._look_for_stuck(now)
        self._look_at_time(now)
        self._bell.tick(now)
        if self._mode == states.LAMP_BLINK and diff(now, self._blink_at) >= 0:
            self._blink_at = add(now, BLINK_MS)
            self._light(not self._lit)

    def deadline(self, now):
        """Milliseconds until `tick` has work: the contacts want samples all the time."""
        return DEBOUNCE_MS

    def _pressed(self, now):
        if self._state != CALLED:
            self._call(self._press(now), 0, now)
            return
        self._bell.start(now)
        if not self._events.waits(self._number):
            number = self._press(now)
            self._number = self._number or number

    def _press(self, now):
        self.counts[0] += 1
        return self._events.happened(states.HELP_PRESSED, b"", now)

    def _desk_pressed(self, now):
        if self._state == CALLED:
            wait_ms = diff(now, self._at) if self._at_known else AGE_UNKNOWN
            self._tell_answer(wait_ms, now)
            self._answered(now)
        elif self._state == ANSWERED:
            self._tell_answer(AGE_UNKNOWN, now)
            self._end(now)

    def _tell_answer(self, wait_ms, now):
        self.counts[1] += 1
        self._events.happened(states.HELP_ANSWERED, struct.pack("<II", self._number, wait_ms), now)

    def _call(self, number, age_ms, now):
        self._state = CALLED
        self._number = number
        self._at_known = age_ms != AGE_UNKNOWN
        self._at = add(now, -age_ms) if self._at_known else now
        self._bell.start(now)
        self.set_lamp(states.LAMP_BLINK, now)

    def _answered(self, now):
        self._state = ANSWERED
        self._at = now
        self._answered_no = self._number
        self._bell.stop()
        self.set_lamp(states.LAMP_ON, now)

    def _end(self, now):
        self._state = NONE
        self._bell.stop()
        self.set_lamp(states.LAMP_OFF, now)

    def _look_at_time(self, now):
        if self._state != NONE:
            limit_ms = CALL_MS_MAX if self._state == CALLED else ANSWERED_MS
            if diff(now, self._at) >= limit_ms:
                self._end(now)

    def _look_for_stuck(self, now):
        stuck = self._button.is_stuck(now) or self._desk.is_stuck(now)
        if stuck != self._stuck:
            self._stuck = stuck
            if stuck:
                self._report(states.HARDWARE_ERROR, states.DETAIL_STUCK)
            else:
                self._report(states.ONLINE, 0)

    def _light(self, lit):
        self._lit = lit
        self._lamp(lit)


class _Contact:
    """One closing counts once, when it has bounced to its end. `is_closed`: it begins so."""

    def __init__(self, read, is_closed, now):
        self._debounce = Debounce(read, DEBOUNCE_MS)
        self._debounce.active = is_closed
        self._since = now
        self._stuck = False

    def closed(self, now):
        """True at the pass in which it has closed."""
        if not self._debounce.changed(now):
            return False
        self._since = now
        self._stuck = False
        return self._debounce.active

    def is_stuck(self, now):
        """Closed for longer than a hand presses."""
        if self._debounce.active and diff(now, self._since) >= STUCK_MS:
            self._stuck = True
        return self._stuck


def _open():
    return False


def _nothing(on):
    """No bell is wired."""


def build(host, part):
    """The driver of a board's help button."""
    pins = host.pins
    return HelpButton(
        pins["button"],
        pins["lamp"],
        pins.get("bell"),
        pins.get("answer"),
        host.server.events,
        host.report,
        host.now,
    )
