"""`time` of a board whose clock runs BOARD_CLOCK_RATE times too fast: tests of long time limits.

Shadows the built-in module under MicroPython only.
"""

import os

import utime
from utime import *  # noqa: F403 - everything but what follows stays as it is

_RATE = float(os.getenv("BOARD_CLOCK_RATE"))
_START_US = utime.ticks_us()


def ticks_us():
    return int(utime.ticks_diff(utime.ticks_us(), _START_US) * _RATE)


def ticks_ms():
    return ticks_us() // 1000


def sleep_us(us):
    utime.sleep_us(int(us / _RATE))


def sleep_ms(ms):
    sleep_us(ms * 1000)


def sleep(seconds):
    sleep_us(int(seconds * 1_000_000))
