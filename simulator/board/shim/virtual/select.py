"""`select` of a board in virtual time: waiting for bytes hands the processor to the simulator.

Shadows the built-in module under MicroPython only.
"""

import time

import uselect


class poll:  # noqa: N801 - as in select
    def __init__(self):
        self._poll = uselect.poll()
        self.register = self._poll.register
        self.poll = self._poll.poll  # who asks without waiting

    def ipoll(self, timeout):
        """Wait; what is readable is not told."""
        for _ in self._poll.ipoll(0):
            return
        time.park(timeout * 1000, 1)
