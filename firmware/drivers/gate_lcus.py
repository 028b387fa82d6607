"""A gate's relay on a LCUS board with a UART: `A0 | channel | 01 on, 00 off | low byte of the sum`.

The board answers nothing. With a second contact of the relay wired back (`feedback`), a command is
repeated until the contact follows; without it each command goes out REPEATS times.

| feedback | event | does |
| --- | --- | --- |
| none | REPEAT_MS after a command, fewer than REPEATS | sends it again |
| wired | differs REPEAT_MS after a command | sends it again |
| wired | differs after TRIES_MAX | `stuck`; goes on sending every STUCK_EVERY_MS |
| wired | is as it should be | not `stuck` |

A board that loses its power or resets in mid-pulse leaves this relay on: the first act of the next
life is to switch it off, some seconds later.
"""

from firmware.drivers.gate import build_gate
from firmware.drivers.sender import Sender
from protocol.wire.ticks import add, diff

REPEAT_MS = 60
REPEATS = 3
TRIES_MAX = 5
STUCK_EVERY_MS = 500


class LcusRelay:
    """`feedback()` samples the contact, or None. `held` as in `gate_relay`."""

    def __init__(self, port, channel, feedback, held, now):
        self._sender = Sender(port)
        self._on = bytes((0xA0, channel, 1, (0xA1 + channel) & 0xFF))
        self._off = bytes((0xA0, channel, 0, (0xA0 + channel) & 0xFF))
        self._feedback = feedback
        self._held = held
        self._wants = False
        self._tries = 0
        self._next = now
        self.stuck = False
        self.seen = feedback is None

    def drive(self, opens, now):
        self._wants = opens != self._held
        self._tries = 0
        if opens:
            self.seen = self._feedback is None
        self._send(now)

    def tick(self, now):
        self._sender.pump()
        if self._feedback is None:
            if self._tries < REPEATS and diff(now, self._next) >= 0:
                self._send(now)
            return
        if self._feedback() == self._wants:
            self.stuck = False
            self.seen = True
            self._tries = 0
            self._next = add(now, REPEAT_MS)
        elif diff(now, self._next) >= 0:
            self.stuck = self._tries >= TRIES_MAX
            self._send(now)

    def _send(self, now):
        self._tries = min(self._tries + 1, TRIES_MAX)
        self._next = add(now, STUCK_EVERY_MS if self.stuck else REPEAT_MS)
        self._sender.drop()
        self._sender.send(memoryview(self._on if self._wants else self._off))


def build(host, part):
    """The driver of a board's gate."""
    relay = LcusRelay(
        host.port,
        part["channel"],
        host.pins.get("feedback"),
        bool(part["fail_safe"]),
        host.now,
    )
    return build_gate(host, part, relay)
