"""When flash may be written: not while a long answer of a device is coming in.

An erase stalls interrupts for tens of milliseconds; a UART's hardware FIFO (32 bytes on an RP2350)
is all that takes bytes in meanwhile. A short answer fits there, the text block of a card does not.
Nothing waits longer than WAIT_MS_MAX.
"""

from protocol.wire.ticks import diff

WAIT_MS_MAX = 2000


class FlashGate:
    """`long_answer_due()` tells whether such an answer is coming."""

    def __init__(self, long_answer_due):
        self._long_answer_due = long_answer_due

    def is_open(self, since, now):
        """May what has waited since `since` be written now?"""
        return not self._long_answer_due() or diff(now, since) >= WAIT_MS_MAX
