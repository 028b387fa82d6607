"""`time` of a board in virtual time (simulator/board/virtual_time.py): it stands while the firmware
works, and who sleeps hands the processor back to the simulator until the time has come.

Shadows the built-in module under MicroPython only.
"""

import os

import machine
import uselect
from utime import *  # noqa: F403 - everything but what follows stays as it is

_START_US = int(os.getenv("BOARD_NOW_US"))
_RATE = float(os.getenv("BOARD_CLOCK_RATE"))
_answer = uselect.poll()


def ticks_us():
    return int((machine.bus.now_us - _START_US) * _RATE)


def ticks_ms():
    return ticks_us() // 1000


def park(us, wakes):
    """Rest for `us` of the firmware's clock, or until a line has bytes if these wake it."""
    bus = machine.bus
    _answer.register(bus.file, uselect.POLLIN)  # here: `machine` is still loading above
    us = int(us / _RATE)
    bus.now_us = None
    bus.send("S", wakes, us >> 32, us & 0xFFFFFFFF)
    while bus.now_us is None:
        _answer.ipoll(-1)
        bus.drain()


def sleep_us(us):
    park(us, 0)


def sleep_ms(ms):
    park(ms * 1000, 0)


def sleep(seconds):
    park(seconds * 1_000_000, 0)
