"""Gate: one pulse for an authorisation, the contact that tells of a passage, and the fire input.

| state | event | next | does |
| --- | --- | --- | --- |
| REST | pulse asked for | BEGIN | |
| BEGIN | `begin` answers LATER | BEGIN | no edge before the journal |
| BEGIN | `begin` answers BEGUN_NOW | PULSE | opens |
| BEGIN | `begin` answers REFUSED, or a length without sense | REST | NOT_DONE |
| PULSE | its time is over, by this board's clock | REST | lets go; DONE |
| PULSE | the same, and a relay that tells was never seen to close | REST | lets go; UNKNOWN |

| passed contact | does |
| --- | --- |
| closes for CONTACT_MS, authorised | event GATE_PASSED with the pulse's id, which is used up |
| closes otherwise | event GATE_PASSED with 0: nobody was let in |

After UNKNOWN the device is HARDWARE_ERROR until a pulse is DONE.
An authorisation begins with its pulse, and ends with a passage or `passage_s` after the pulse.

| fire input | does |
| --- | --- |
| closed for CONTACT_MS | opens and holds, whatever else is; event FIRE_OPENED |
| open for CONTACT_MS | lets go |

The driver of a dead board does nothing: the watchdog resets it, the reset lets the pins go, and the
first act of the next life is to let go of the relay. `gate_door` has the door's contact.
"""

from firmware.debounce import Debounce
from firmware.drivers.gate_door import Door
from firmware.effects import BEGIN_LATER, BEGUN_NOW
from protocol.wire import states
from protocol.wire.ticks import add, diff

PULSE_MS_MAX = 5000
CONTACT_MS = 20

REST = 0
BEGIN = 1
PULSE = 2


class Gate:
    """`relay`: `drive(on, now)`, `tick(now)`, `seen`, `stuck`. `inputs`: {"passed", "door", "fire":
    function}, each optional. `events.happened(kind, tail, now)`; `report(state, detail)`.
    """

    def __init__(self, relay, inputs, begin, end, events, report, now, *, passage_s, held_s):
        self.counts = [0, 0, 0, 0]  # pulses, passed, expired, forced
        self._relay = relay
        self._passed = Debounce(inputs.get("passed", _open), CONTACT_MS)
        self._fire = Debounce(inputs.get("fire", _open), CONTACT_MS)
        self._door = Door(inputs.get("door", _open), CONTACT_MS, held_s * 1000, now)
        self._begin = begin
        self._end = end
        self._events = events
        self._report = report
        self._passage_ms = passage_s * 1000
        self._state = REST
        self._effect_id = 0
        self._duration_ms = 0
        self._off_at = 0
        self._authorised_id = 0
        self._open_until = None  # the door may open until then
        self._opens = None
        self._unseen = False
        self._drive(now)

    @property
    def busy(self):
        return self._state != REST

    def start(self, effect_id, duration_ms, now):
        """One pulse. Only when not `busy`."""
        self._effect_id = effect_id
        self._duration_ms = duration_ms
        self._state = BEGIN

    def feed(self, buf, n, now):
        """A relay board of the basic type says nothing."""

    def tick(self, now):
        self._look_at_fire(now)
        if self._state == PULSE:
            if diff(now, self._off_at) >= 0:
                self._end_pulse(now)
        elif self._state == BEGIN:
            self._try_to_begin(now)
        self._relay.tick(now)
        self._look_at_authorisation(now)
        if self._passed.changed(now) and self._passed.active:
            passed_id, self._authorised_id = self._authorised_id, 0
            self.counts[1] += 1
            self._events.happened(states.GATE_PASSED, passed_id.to_bytes(8, "little"), now)
        event = self._door.look(self._open_until is not None or self._fire.active, now)
        if event:
            self.counts[3] += event == states.DOOR_FORCED
            self._events.happened(event, b"", now)
        self._tell()

    def deadline(self, now):
        """Milliseconds until `tick` has work; the contacts want a sample at every pass anyway."""
        if self._state == PULSE:
            return max(0, diff(self._off_at, now))
        return 0 if self._state == BEGIN else CONTACT_MS

    def _drive(self, now):
        opens = self._state == PULSE or self._fire.active
        if opens != self._opens:
            self._opens = opens
            self._relay.drive(opens, now)

    def _look_at_fire(self, now):
        if self._fire.changed(now):
            self._drive(now)
            if self._fire.active:
                self._events.happened(states.FIRE_OPENED, b"", now)
            else:  # people still stream out
                self._open_until = add(now, self._passage_ms)

    def _look_at_authorisation(self, now):
        if self._open_until is None or self._state == PULSE:
            return
        if diff(now, self._open_until) >= 0:
            self._open_until = None
            self.counts[2] += self._authorised_id != 0
            self._authorised_id = 0

    def _tell(self):
        door, detail = self._door.state
        if self._fire.active:
            self._report(states.USER_ERROR, states.GATE_FIRE)
        elif self._relay.stuck or self._unseen:
            self._report(states.HARDWARE_ERROR, states.DETAIL_STUCK)
        else:
            self._report(door, detail)

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
        self._authorised_id = self._effect_id
        self.counts[0] += 1
        self._drive(now)
        self._off_at = add(now, self._duration_ms)
        self._open_until = add(self._off_at, self._passage_ms)

    def _end_pulse(self, now):
        self._unseen = not self._relay.seen
        self._state = REST
        self._drive(now)
        if not self._unseen:
            self._end(self._effect_id, states.DONE, 0, now)
        else:
            self._end(self._effect_id, states.UNKNOWN, states.DETAIL_STUCK, now)

    def _finish(self, outcome, detail, now):
        self._state = REST
        self._end(self._effect_id, outcome, detail, now)


def build_gate(host, part, relay):
    """The driver of a board's gate, however its relay is driven."""
    effects, events = host.server.effects, host.server.events
    return Gate(
        relay,
        host.pins,
        effects.begin,
        effects.end,
        events,
        host.report,
        host.now,
        passage_s=part["passage_s"],
        held_s=part["held_s"],
    )


def _open():
    """A contact that is not wired."""
    return False
