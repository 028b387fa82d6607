"""Gate by a relay pulse on a pin, and the contact that tells that a person has passed.

| state | event | next | does |
| --- | --- | --- | --- |
| REST | pulse asked for | BEGIN | |
| BEGIN | `begin` answers LATER | BEGIN | no edge before the journal |
| BEGIN | `begin` answers BEGUN_NOW | PULSE | relay on |
| BEGIN | `begin` answers REFUSED, or a length without sense | REST | NOT_DONE |
| PULSE | its time is over, by this board's clock | REST | relay off, DONE |
| any | passed contact closes for CONTACT_MS | same | `passed`, once a closing |

`passed` names the effect id of the last pulse, 0 when that is PASSAGE_MS_MAX or longer ago.

A reset lets the pin go; the wiring's pull-down and the first act of the next boot keep the relay
off.
"""

from firmware.debounce import Debounce
from firmware.effects import BEGIN_LATER, BEGUN_NOW
from protocol.wire import states
from protocol.wire.ticks import add, diff

PULSE_MS_MAX = 5000
PASSAGE_MS_MAX = 30_000
CONTACT_MS = 20

REST = 0
BEGIN = 1
PULSE = 2


class GateRelay:
    """`relay(on)` drives, `contact()` samples (both bool, polarity already taken care of)."""

    def __init__(self, relay, contact, begin, end, passed):
        self._relay = relay
        self._contact = Debounce(contact, CONTACT_MS)
        self._begin = begin
        self._end = end
        self._passed = passed
        self._state = REST
        self._effect_id = 0
        self._duration_ms = 0
        self._off_at = 0
        self._last_id = 0
        relay(False)

    @property
    def busy(self):
        return self._state != REST

    def start(self, effect_id, duration_ms, now):
        """One pulse. Only when not `busy`."""
        self._effect_id = effect_id
        self._duration_ms = duration_ms
        self._state = BEGIN

    def tick(self, now):
        if self._state == PULSE:
            if diff(now, self._off_at) >= 0:
                self._relay(False)
                self._finish(states.DONE, 0, now)
        elif self._state == BEGIN:
            self._try_to_begin(now)
        if self._last_id and self._state == REST and diff(now, self._off_at) >= PASSAGE_MS_MAX:
            self._last_id = 0
        if self._contact.changed(now) and self._contact.active:
            self._passed(self._last_id, now)

    def deadline(self, now):
        """Milliseconds until `tick` has work; the contact wants a sample at every pass anyway."""
        if self._state == PULSE:
            return max(0, diff(self._off_at, now))
        return 0 if self._state == BEGIN else CONTACT_MS

    def _try_to_begin(self, now):
        if not 0 < self._duration_ms <= PULSE_MS_MAX:
            self._finish(states.NOT_DONE, states.DETAIL_BAD_REQUEST, now)
            return
        answer = self._begin(self._effect_id, now)
        if answer == BEGIN_LATER:
            return
        if answer != BEGUN_NOW:
            self._finish(states.NOT_DONE, states.DETAIL_JOURNAL, now)
            return
        self._state = PULSE
        self._last_id = self._effect_id
        self._relay(True)
        self._off_at = add(now, self._duration_ms)

    def _finish(self, outcome, detail, now):
        self._state = REST
        self._end(self._effect_id, outcome, detail, now)


def build(host, part):
    """The driver of a board's gate."""
    effects, events = host.server.effects, host.server.events

    def passed(effect_id, now):
        events.happened(states.GATE_PASSED, effect_id.to_bytes(8, "little"), now)

    host.report(states.ONLINE, 0)
    contact = host.pins.get("passed", _open)
    return GateRelay(host.pins["relay"], contact, effects.begin, effects.end, passed)


def _open():
    """The contact of a gate that has none."""
    return False
