"""The one place that reads the time: milliseconds since the start, masked as `protocol.wire.ticks`
counts them.
"""

import time

from protocol.wire.ticks import TICKS_MASK

if hasattr(time, "ticks_ms"):

    def now_ms():
        return time.ticks_ms() & TICKS_MASK  # type: ignore[operator]

    def sleep_ms(ms):
        time.sleep_ms(ms)

else:  # CPython, where no MicroPython is at hand

    def now_ms():
        return time.monotonic_ns() // 1_000_000 & TICKS_MASK  # type: ignore[attr-defined]

    def sleep_ms(ms):
        time.sleep(ms / 1000)
