"""Board messages: `kind u8 | fields | tail`, little-endian, one table for both directions.

Lengths are held on both ways: a message that `pack` makes, `unpack` takes, and nothing else.
"""

import struct

from protocol.wire.frames import MESSAGE_MAX

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview

# from the agent
READ_CARD = 0x10
READ_STOP = 0x11
CARD_OPTIONS = 0x12
SCAN_START = 0x14
SCAN_STOP = 0x15
CASH_ACCEPT = 0x18
CASH_STACK = 0x19
CASH_RETURN = 0x1A
CASH_ACK = 0x1B
SAY = 0x20
HUSH = 0x21
PRINT_DATA = 0x30
PRINT_RUN = 0x31
PULSE = 0x40
EVENT_ACK = 0x50
LAMP = 0x60
HELP_RING = 0x61
HELP_ANSWER = 0x62
EFFECT_QUERY = 0x70
UPDATE_BEGIN = 0x72
UPDATE_DATA = 0x73
UPDATE_ACTIVATE = 0x74
UPDATE_STOP = 0x75
MAINTAIN = 0x78
TRACE_OPEN = 0x7C
TRACE_READ = 0x7D
TRACE_CLOSE = 0x7E
# from the board
CARD = 0x90
CARD_FAULT = 0x91
CARD_REMOVED = 0x92
CARD_FOUND = 0x93
SCAN = 0x94
SCAN_FAULT = 0x95
CARD_ADDRESS = 0x96
CASH_STATE = 0x98
CASH_NOTE = 0x99
CASH_REJECTED = 0x9A
SPEECH = 0xA0
EFFECT_RESULT = 0xB0
EVENT = 0xC0
DEVICE = 0xD0
COUNTERS = 0xD1
UPDATE_STATE = 0xE0
UPDATE_SLOT = 0xE1
TRACE_INFO = 0xE8
TRACE_PART = 0xE9

FIRST_OF_BOARD = 0x80
TEXT_BLOCK_BYTES = 256
ADDRESS_BYTES_MAX = 70
SPEECH_BYTES_MAX = 200
PRINT_CHUNK_BYTES_MAX = MESSAGE_MAX - 11
EVENT_TAIL_BYTES_MAX = 32
SCAN_BYTES_MAX = 1024
COUNTERS_MAX = 8
COUNTER_BYTES = 4
SCAN_PART_BYTES_MAX = MESSAGE_MAX - 7
UPDATE_CHUNK_BYTES_MAX = MESSAGE_MAX - 5
TRACE_PART_BYTES_MAX = MESSAGE_MAX - 3

FORMS = {
    READ_CARD: "<HH",
    READ_STOP: "<H",
    CARD_OPTIONS: "<B",
    SCAN_START: "<HH",
    SCAN_STOP: "<H",
    CASH_ACCEPT: "<IB",
    CASH_STACK: "<Q",
    CASH_RETURN: "<Q",
    CASH_ACK: "<Q",
    SAY: "<HBB",
    HUSH: "<",
    PRINT_DATA: "<QH",
    PRINT_RUN: "<QHI",
    PULSE: "<QH",
    EVENT_ACK: "<I",
    LAMP: "<BB",
    HELP_RING: "<II",
    HELP_ANSWER: "<I",
    EFFECT_QUERY: "<Q",
    UPDATE_BEGIN: "<QIH",
    UPDATE_DATA: "<I",
    UPDATE_ACTIVATE: "<Q",
    UPDATE_STOP: "<Q",
    MAINTAIN: "<",
    TRACE_OPEN: "<",
    TRACE_READ: "<H",
    TRACE_CLOSE: "<",
    CARD: "<HB",
    CARD_FAULT: "<HB",
    CARD_REMOVED: "<H",
    CARD_FOUND: "<H",
    SCAN: "<HHH",
    SCAN_FAULT: "<HB",
    CARD_ADDRESS: "<HB",
    CASH_STATE: "<IBB",
    CASH_NOTE: "<QIHBBB",
    CASH_REJECTED: "<IB",
    SPEECH: "<HB",
    EFFECT_RESULT: "<QBB",
    EVENT: "<IBI",
    DEVICE: "<BBB",
    COUNTERS: "<B",
    UPDATE_STATE: "<QBBI",
    UPDATE_SLOT: "<BBIQQB",
    TRACE_INFO: "<HII",
    TRACE_PART: "<H",
}
"""The struct of the fields of each kind."""
TAILS = {
    SAY: (1, SPEECH_BYTES_MAX),
    PRINT_DATA: (1, PRINT_CHUNK_BYTES_MAX),
    UPDATE_DATA: (1, UPDATE_CHUNK_BYTES_MAX),
    CARD: (TEXT_BLOCK_BYTES, TEXT_BLOCK_BYTES),
    SCAN: (1, SCAN_PART_BYTES_MAX),
    CARD_ADDRESS: (0, ADDRESS_BYTES_MAX),
    EVENT: (0, EVENT_TAIL_BYTES_MAX),
    COUNTERS: (COUNTER_BYTES, COUNTERS_MAX * COUNTER_BYTES),
    TRACE_PART: (1, TRACE_PART_BYTES_MAX),
}
"""Least and most bytes of the tail of each kind that has one."""
NAMES = {
    READ_CARD: "READ_CARD",
    READ_STOP: "READ_STOP",
    CARD_OPTIONS: "CARD_OPTIONS",
    SCAN_START: "SCAN_START",
    SCAN_STOP: "SCAN_STOP",
    CASH_ACCEPT: "CASH_ACCEPT",
    CASH_STACK: "CASH_STACK",
    CASH_RETURN: "CASH_RETURN",
    CASH_ACK: "CASH_ACK",
    SAY: "SAY",
    HUSH: "HUSH",
    PRINT_DATA: "PRINT_DATA",
    PRINT_RUN: "PRINT_RUN",
    PULSE: "PULSE",
    EVENT_ACK: "EVENT_ACK",
    LAMP: "LAMP",
    HELP_RING: "HELP_RING",
    HELP_ANSWER: "HELP_ANSWER",
    EFFECT_QUERY: "EFFECT_QUERY",
    UPDATE_BEGIN: "UPDATE_BEGIN",
    UPDATE_DATA: "UPDATE_DATA",
    UPDATE_ACTIVATE: "UPDATE_ACTIVATE",
    UPDATE_STOP: "UPDATE_STOP",
    MAINTAIN: "MAINTAIN",
    TRACE_OPEN: "TRACE_OPEN",
    TRACE_READ: "TRACE_READ",
    TRACE_CLOSE: "TRACE_CLOSE",
    CARD: "CARD",
    CARD_FAULT: "CARD_FAULT",
    CARD_REMOVED: "CARD_REMOVED",
    CARD_FOUND: "CARD_FOUND",
    SCAN: "SCAN",
    SCAN_FAULT: "SCAN_FAULT",
    CARD_ADDRESS: "CARD_ADDRESS",
    CASH_STATE: "CASH_STATE",
    CASH_NOTE: "CASH_NOTE",
    CASH_REJECTED: "CASH_REJECTED",
    SPEECH: "SPEECH",
    EFFECT_RESULT: "EFFECT_RESULT",
    EVENT: "EVENT",
    DEVICE: "DEVICE",
    COUNTERS: "COUNTERS",
    UPDATE_STATE: "UPDATE_STATE",
    UPDATE_SLOT: "UPDATE_SLOT",
    TRACE_INFO: "TRACE_INFO",
    TRACE_PART: "TRACE_PART",
}
"""For people; no board reads it, so none keeps it."""
_NO_TAIL = (0, 0)
_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}


class MessageError(Exception):
    """Bytes or fields that are no board message; the text has the kind and what is wrong."""


def pack(kind: int, *fields: int, tail: "Bytes" = b"") -> bytes:
    """A whole message. Raises MessageError for what `unpack` would refuse or cut."""
    form = _form(kind)
    if len(fields) != len(form) - 1:
        raise MessageError("message %02x: %d fields, not %d" % (kind, len(fields), len(form) - 1))
    for at, value in enumerate(fields):
        # MicroPython's struct.pack cuts a number that is too long.
        if value < 0 or value >> _BITS[form[at + 1]]:
            raise MessageError("message %02x: field %d out of range" % (kind, at))
    least, most = TAILS.get(kind, _NO_TAIL)
    if not least <= len(tail) <= most:
        raise MessageError(
            "message %02x: tail of %d bytes, not %d to %d" % (kind, len(tail), least, most)
        )
    return bytes((kind,)) + struct.pack(form, *fields) + bytes(tail)


def unpack(view: "Bytes") -> "tuple[int, tuple[int, ...], memoryview]":
    """(kind, fields, view of the tail within `view`). Raises MessageError."""
    if len(view) == 0:
        raise MessageError("empty message")
    kind = view[0]
    form = _form(kind)
    least, most = TAILS.get(kind, _NO_TAIL)
    tail_at = 1 + struct.calcsize(form)
    if not tail_at + least <= len(view) <= tail_at + most:
        raise MessageError("message %02x: %d bytes" % (kind, len(view)))
    return kind, struct.unpack_from(form, view, 1), memoryview(view)[tail_at:]


def _form(kind: int) -> str:
    form = FORMS.get(kind)
    if form is None:
        raise MessageError("unknown kind %d" % kind)
    return form
