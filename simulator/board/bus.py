"""Records of the bus between a simulated board and its parent: `op u8 | unit u8 | value u16 |
extra u32`, little-endian.

| op | from | unit | value | extra | meaning |
| --- | --- | --- | --- | --- | --- |
| P | both | pin | level | - | an output changed / an input is now |
| U | board | UART | rxbuf bytes | baud (0: off) | a UART was set up |
| W | board | - | - | timeout ms | the watchdog was started |
| F | board | - | - | - | the watchdog was fed |
| R | board | - | - | - | machine.reset(): end the process |
| C | board | - | - | - | the power was cut in mid-write: end the process |
| E, e | board | - | - | - | a flash erase begins, ends |
| H | board | - | - | - | the program ended |
| K | board | - | 1, 0 | - | the console carries bytes, text (with Ctrl-C) again |
| S | board | 1: bytes end it | high 16 bits | us | the firmware waits; in virtual time only |
| X | parent | - | - | writes | cut the power in that flash write from now |
| N | parent | - | high 16 bits | us | the wait is over, and what time it is |
"""

import struct
from enum import IntEnum
from typing import NamedTuple

_FORMAT = struct.Struct("<BBHI")
RECORD_BYTES = _FORMAT.size


class Op(IntEnum):
    PIN = ord("P")
    UART = ord("U")
    WATCHDOG = ord("W")
    FEED = ord("F")
    RESET = ord("R")
    CUT = ord("C")
    ERASE_BEGIN = ord("E")
    ERASE_END = ord("e")
    HALT = ord("H")
    CONSOLE = ord("K")
    SLEEP = ord("S")
    CUT_AFTER = ord("X")
    NOW = ord("N")


class Record(NamedTuple):
    op: Op
    unit: int = 0
    value: int = 0
    extra: int = 0


def pack(record: Record) -> bytes:
    return _FORMAT.pack(*record)


def unpack_all(buffer: bytearray) -> list[Record]:
    """Take every whole record out of `buffer`; the rest of a record stays in it."""
    whole = len(buffer) // RECORD_BYTES * RECORD_BYTES
    records = [
        Record(Op(op), unit, value, extra)
        for op, unit, value, extra in _FORMAT.iter_unpack(bytes(buffer[:whole]))
    ]
    del buffer[:whole]
    return records
