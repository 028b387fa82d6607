"""`machine` of the simulated board: UART, Pin, WDT and reset over file descriptors that the parent
process holds.

Runs under MicroPython (shadows the built-in module) and, unchanged, under CPython. Every UART is a
bare non-blocking socket: baud, FIFO and overflow are the parent's work. Everything else goes over
one bus of 8-byte records `op u8 | unit u8 | value u16 | extra u32`, little-endian, the same table
as in `simulator/board/bus.py`.
"""

import io
import os
import select
import struct
import time

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_FORMAT = "<BBHI"
_RECORD_BYTES = 8
_FEEDS_A_TIMEOUT = 8
_MP_STREAM_POLL = 3
_MP_STREAM_GET_FILENO = 10
_POLL_READ = 1
_POLL_WRITE = 4


class _Bus:
    def __init__(self, fd):
        self.file = open(fd, "r+b", buffering=0)
        self.fd = fd
        self.room = bytearray(_RECORD_BYTES)
        self.levels = {}
        self.cut_after = 0
        self.now_us = int(os.getenv("BOARD_NOW_US") or 0)

    def send(self, op, index=0, value=0, extra=0):
        record = struct.pack(_FORMAT, ord(op), index, value, extra)
        while not self._write(record):
            time.sleep(0.001)

    def _write(self, record):
        try:
            return self.file.write(record)
        except OSError as error:
            if error.errno in (32, 104):  # EPIPE, ECONNRESET: the simulator has ended
                _die()
            raise

    def drain(self):
        """Take in what the parent sent: input levels and orders for the flash."""
        while True:
            count = self.file.readinto(self.room)
            if count is None:
                return
            if count == 0:
                _die()
            op, index, value, extra = struct.unpack(_FORMAT, self.room)
            if op == 80:  # P
                self.levels[index] = value
            elif op == 88:  # X
                self.cut_after = extra
            elif op == 78:  # N
                self.now_us = value << 32 | extra


def _die():
    # Nothing in the firmware may catch this: a board without power runs no `except`.
    os.system("kill -9 $PPID")
    halt_for_ever()


def halt_for_ever():
    while True:
        time.sleep(1)


bus = _Bus(int(os.getenv("BOARD_BUS_FD")))


class Pin:
    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2

    def __init__(self, id, mode=-1, pull=None, *, value=None):
        self.id = id
        self.mode = self.IN
        self.rest = 0
        self.level = 0
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=None, *, value=None):
        if mode != -1:
            self.mode = mode
        if pull is not None:
            self.rest = 1 if pull == self.PULL_UP else 0
        if value is not None and self.mode != self.IN:
            self.value(value)
        elif self.mode != self.IN:
            self.value(self.level)

    def value(self, x=None):
        if x is not None:
            self.level = 1 if x else 0
            bus.send("P", self.id, self.level)
            return None
        if self.mode != self.IN:
            return self.level
        bus.drain()
        return bus.levels.get(self.id, self.rest)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class UART(io.IOBase):  # so that it can be polled, as on a board
    def __init__(self, id, baudrate=9600, **options):
        fd = os.getenv("BOARD_UART_%d_FD" % id)
        if fd is None:
            raise ValueError("UART(%d) does not exist on this board" % id)
        self.id = id
        self.fd = int(fd)
        self.file = open(self.fd, "r+b", buffering=0)
        self.poller = select.poll()
        self.poller.register(self.file, _POLL_READ)
        self.init(baudrate, **options)

    def init(
        self,
        baudrate=9600,
        bits=8,
        parity=None,
        stop=1,
        *,
        rxbuf=256,
        txbuf=256,
        timeout=0,
        timeout_char=0,
        tx=None,
        rx=None,
    ):
        if bits != 8 or parity is not None or stop != 1 or timeout != 0:
            raise ValueError("the simulated UART is 8N1 and never waits")
        bus.send("U", self.id, rxbuf, baudrate)

    def any(self):
        return 1 if self.poller.poll(0) else 0

    def read(self, count=256):
        return self.file.read(count)

    def readinto(self, buf, count=-1):
        if count < 0 or count >= len(buf):
            return self.file.readinto(buf)
        return self.file.readinto(memoryview(buf)[:count])

    def write(self, buf):
        try:
            return self.file.write(buf)
        except OSError as error:
            if error.errno == 11:  # EAGAIN: the transmit buffer is full
                return None
            raise

    def fileno(self):
        return self.fd

    def ioctl(self, request, argument):
        if request == _MP_STREAM_GET_FILENO:
            return self.fd
        if request == _MP_STREAM_POLL:
            return argument & (_POLL_WRITE | (_POLL_READ if self.any() else 0))
        return -1

    def deinit(self):
        bus.send("U", self.id, 0, 0)


class WDT:
    """Cannot be stopped. The parent ends the process `timeout` ms (at most an eighth more) after
    the last feed."""

    def __init__(self, id=0, timeout=5000):
        self.gap_ms = timeout // _FEEDS_A_TIMEOUT
        self.told_ms = time.ticks_ms()
        bus.send("W", 0, 0, timeout)

    def feed(self):
        # An eighth of slack saves one message a loop pass.
        now = time.ticks_ms()
        if time.ticks_diff(now, self.told_ms) >= self.gap_ms:
            self.told_ms = now
            bus.send("F")


def reset():
    bus.send("R")
    halt_for_ever()


def reset_cause():
    return int(os.getenv("BOARD_RESET_CAUSE"))


def unique_id():
    return bytes.fromhex(os.getenv("BOARD_UNIQUE_ID"))


def freq(hz=None):
    return 240000000


def idle():
    time.sleep(0.001)


def disable_irq():
    return 0


def enable_irq(state):
    return None
