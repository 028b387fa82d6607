"""What the devices of this board have done since it started, told to the agent now and then.

| event | does |
| --- | --- |
| link up | all are due |
| EVERY_MS after the last round | all are due |
| one is due and nothing else waits for the link | COUNTERS of that device |

A driver counts in its list `counts`, in the order of `states.COUNTER_NAMES`.
"""

import struct

from protocol.wire.messages import COUNTERS
from protocol.wire.ticks import add, diff

EVERY_MS = 60_000


class Counters:
    def __init__(self, outbound):
        self._outbound = outbound
        self._devices = []
        self._next = 0
        self._round_at = 0

    def add(self, device, counts):
        self._devices.append((device, counts))

    def link_up(self, now):
        self._begin(now)

    def tick(self, now):
        """At most one message a pass."""
        if not self._outbound.up or self._outbound.waiting:
            return
        if self._next < len(self._devices):
            device, counts = self._devices[self._next]
            self._next += 1
            tail = struct.pack("<%dI" % len(counts), *counts)
            self._outbound.emit(COUNTERS, device, tail=tail)
        elif diff(now, self._round_at) >= 0:
            self._begin(now)

    def _begin(self, now):
        self._next = 0
        self._round_at = add(now, EVERY_MS)
