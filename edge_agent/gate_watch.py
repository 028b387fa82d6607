"""What the board tells of its gate beyond passages: a forced door, a door held open, a fire.

| the board's event | record, once | people |
| --- | --- | --- |
| door forced | device.state fraudAttempt, door forced | - |
| door held open | device.state userError, door open | hear that the door is to be freed |
| opened by fire input | device.state userError, fire input | hear and see that they shall leave |

The board keeps an event until its record is durable here; the same event told again is the same
record. What the gate is like now comes as its state; while that is fire, the screen says so.
"""

import hashlib
from collections.abc import Callable

from edge_agent.core.board_events import Happened, LinkUp
from edge_agent.core.board_session import BoardSession
from edge_agent.devices import Devices
from protocol.wire import states
from tongban.logs import event, get

SPEAKER = "gate"
FIRE_TEXT = "gate.fire"
HELD_TEXT = "gate.held_open"
STATE_OF = {
    states.DOOR_FORCED: (states.FRAUD_ATTEMPT, states.GATE_FORCED),
    states.DOOR_HELD: (states.USER_ERROR, states.GATE_DOOR_OPEN),
    states.FIRE_OPENED: (states.USER_ERROR, states.GATE_FIRE),
}
_SAID = {states.DOOR_HELD: HELD_TEXT, states.FIRE_OPENED: FIRE_TEXT}

log = get("edge_agent.gate_watch")


class GateWatch:
    """`say(speaker, text)` speaks; `alarm(text)` shows a text before anything else, "" ends it;
    `changed()`: the board has something to hear.
    """

    def __init__(
        self,
        devices: Devices,
        session: BoardSession,
        *,
        say: Callable[[str, str], None],
        alarm: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._devices = devices
        self._session = session
        self._say = say
        self._alarm = alarm
        self._changed = changed
        self._board = b""
        self._fire = False

    def board_is_up(self, said: LinkUp) -> None:
        """Whose events are told."""
        self._board = said.info.get("id", "").encode()

    def on_event(self, said: Happened) -> None:
        """An event of STATE_OF."""
        name = states.EVENT_NAMES[said.kind]
        event(log, "warning", "gate.event", event_no=said.event_no, what=name, age_ms=said.age_ms)
        own = b"gate" + self._board + said.event_no.to_bytes(4, "big") + bytes((said.kind,))
        intent = hashlib.sha256(own).digest()[:16]

        def recorded(durable: bool) -> None:
            if durable:
                self._session.acknowledge(said.event_no)
                self._changed()

        self._devices.happened(intent, states.GATE, *STATE_OF[said.kind], recorded)
        if said.kind in _SAID:
            self._say(SPEAKER, _SAID[said.kind])

    def on_state(self, state: int, detail: int) -> None:
        """What the gate is like now."""
        fire = (state, detail) == STATE_OF[states.FIRE_OPENED]
        if fire != self._fire:
            self._fire = fire
            self._alarm(FIRE_TEXT if fire else "")
