"""Milliseconds that wrap, as MicroPython's `time.ticks_ms` gives them.

Every `now` on the board and in the link is masked with TICKS_MASK: 30 bits, so that no 32-bit board
allocates for one. `diff` is right while two instants lie less than 149 hours apart.
"""

TICKS_MASK = 0x3FFFFFFF
_HALF = 0x20000000


def diff(a: int, b: int) -> int:
    """`a` - `b` in ms, negative when `a` is the earlier."""
    # The mask comes before the half is added: no step leaves 30 bits.
    ms = (a - b) & TICKS_MASK
    return ms if ms < _HALF else ms - TICKS_MASK - 1


def add(a: int, ms: int) -> int:
    """The instant `ms` after `a`; `ms` may be negative."""
    # From below zero when it goes up: a sum over 30 bits is an allocated int on a 32-bit board.
    return ((a - TICKS_MASK - 1 if ms > 0 else a) + ms) & TICKS_MASK
