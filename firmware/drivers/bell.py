"""The bell in the hall, for as long as a call for help waits.

| since `start` | does |
| --- | --- |
| BELL_MS_MAX | RING_MS on, PAUSE_MS off, again and again |
| longer | RING_MS on, once every REMIND_MS |
"""

from protocol.wire.ticks import add, diff

RING_MS = 1000
PAUSE_MS = 2000
BELL_MS_MAX = 60_000
REMIND_MS = 60_000


class Bell:
    """`drive(on)` is the output."""

    def __init__(self, drive):
        self._drive = drive
        self._rings = False
        self._on = False
        self._since = 0
        self._next = 0
        drive(False)

    def start(self, now):
        """From the beginning, also when it rings already."""
        self._rings = True
        self._since = now
        self._turn(True, RING_MS, now)

    def stop(self):
        self._rings = False
        if self._on:
            self._on = False
            self._drive(False)

    def tick(self, now):
        if not self._rings or diff(now, self._next) < 0:
            return
        if not self._on:
            self._turn(True, RING_MS, now)
        elif diff(now, self._since) < BELL_MS_MAX:
            self._turn(False, PAUSE_MS, now)
        else:
            self._turn(False, REMIND_MS - RING_MS, now)

    def _turn(self, on, ms, now):
        self._on = on
        self._next = add(now, ms)
        self._drive(on)
