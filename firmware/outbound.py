"""What waits to go to the agent: device states (only the newest of each) and messages, in order,
bounded.

| event | does |
| --- | --- |
| `report` of a changed state | marked; sent as DEVICE when the link has room |
| link up | every device is marked |
| `emit` while the link is down | nothing: the agent asks again for what it needs |
| `emit` when MESSAGES_MAX wait | `overflowed`: the link starts again, its peer lost track |
"""

from protocol.wire import messages
from protocol.wire.states import DEVICE_COUNT, NO_DEVICE

MESSAGES_MAX = 16


class Outbound:
    def __init__(self):
        self._states = bytearray([NO_DEVICE] * DEVICE_COUNT)
        self._details = bytearray(DEVICE_COUNT)
        self._marked = bytearray(DEVICE_COUNT)
        self._messages = []
        self.up = False
        self.overflowed = False

    @property
    def waiting(self):
        """How many messages wait for the link."""
        return len(self._messages)

    def report(self, device, state, detail):
        """`device` counts from 1."""
        at = device - 1
        if self._states[at] != state or self._details[at] != detail:
            self._states[at] = state
            self._details[at] = detail
            self._marked[at] = 1

    def emit(self, kind, *fields, tail=b""):
        """Queue one board message."""
        if not self.up:
            return
        if len(self._messages) >= MESSAGES_MAX:
            self.overflowed = True
            return
        self._messages.append(messages.pack(kind, *fields, tail=tail))

    def link_up(self):
        self.up = True
        for at in range(DEVICE_COUNT):
            self._marked[at] = 1

    def link_down(self):
        self.up = False
        self.overflowed = False
        self._messages.clear()

    def pump(self, send):
        """Hand over what `send(message) -> bool` takes."""
        while self._messages:
            if not send(self._messages[0]):
                return
            self._messages.pop(0)
        for at in range(DEVICE_COUNT):
            if self._marked[at]:
                if not send(
                    messages.pack(messages.DEVICE, at + 1, self._states[at], self._details[at])
                ):
                    return
                self._marked[at] = 0
