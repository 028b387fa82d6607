"""Milliseconds that wrap, as MicroPython's `time.ticks_ms` does (docs.micropython.org, `time`).

All `now` on the board and in the link are milliseconds masked with TICKS_MASK: 30 bits, so that a
32-bit board never allocates for them. Differences are right up to 149 hours apart.
"""

TICKS_MASK = 0x3FFFFFFF
_HALF = 0x20000000


def diff(a: int, b: int) -> int:
    """a - b in ms, signed; right while the two are less than half the period apart."""
    return ((a - b + _HALF) & TICKS_MASK) - _HALF


def add(a: int, ms: int) -> int:
    """`ms` (may be negative) after `a`."""
    return (a + ms) & TICKS_MASK
