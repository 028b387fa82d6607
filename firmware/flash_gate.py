"""When flash may be written: not while bytes come in that a stall would lose.

An erase stalls interrupts for tens of milliseconds; a UART's hardware FIFO (32 bytes on an RP2350,
128 on an ESP32) is all that takes bytes in meanwhile. A short answer of a device fits there, the
text block of a card does not, nor does what an agent may send within the link's window.

| state | event | next | does |
| --- | --- | --- | --- |
| OPEN | somebody asks, a long answer is due | OPEN | "no", for at most WAIT_MS_MAX |
| OPEN | somebody asks | PAUSING | announces a window of 0, "no" |
| PAUSING | asked, link quiet for QUIET_MS, or paused for PAUSE_MS_MAX | PAUSING | "yes" |
| PAUSING | asked otherwise | PAUSING | "no" |
| PAUSING | a pass in which nobody asked | OPEN | announces the window again |
"""

from protocol.wire.ticks import diff

WAIT_MS_MAX = 2000
QUIET_MS = 15
PAUSE_MS_MAX = 200


class FlashGate:
    """`long_answer_due()` tells whether a device is about to send much; `pause(on)` the link."""

    def __init__(self, long_answer_due, pause):
        self._long_answer_due = long_answer_due
        self._pause = pause
        self._paused_at = None
        self._heard = 0
        self._asked = False

    def link_heard(self, now):
        """Bytes came over the link."""
        self._heard = now

    def is_open(self, since, now):
        """May what has waited since `since` be written now? Ask in every pass until it is."""
        if self._long_answer_due() and diff(now, since) < WAIT_MS_MAX:
            return False
        self._asked = True
        if self._paused_at is None:
            self._paused_at = now
            self._pause(True)
            return False
        paused_ms = diff(now, self._paused_at)
        quiet_ms = min(paused_ms, diff(now, self._heard))
        return quiet_ms >= QUIET_MS or paused_ms >= PAUSE_MS_MAX

    def tick(self):
        """The end of a pass."""
        if self._paused_at is not None and not self._asked:
            self._paused_at = None
            self._pause(False)
        self._asked = False
