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

# kind: name, struct of the fields, least and most bytes of tail
TABLE = {
    READ_CARD: ("READ_CARD", "<HH", 0, 0),
    READ_STOP: ("READ_STOP", "<H", 0, 0),
    CARD_OPTIONS: ("CARD_OPTIONS", "<B", 0, 0),
    SCAN_START: ("SCAN_START", "<HH", 0, 0),
    SCAN_STOP: ("SCAN_STOP", "<H", 0, 0),
    CASH_ACCEPT: ("CASH_ACCEPT", "<IB", 0, 0),
    CASH_STACK: ("CASH_STACK", "<Q", 0, 0),
    CASH_RETURN: ("CASH_RETURN", "<Q", 0, 0),
    CASH_ACK: ("CASH_ACK", "<Q", 0, 0),
    SAY: ("SAY", "<HBB", 1, SPEECH_BYTES_MAX),
    HUSH: ("HUSH", "<", 0, 0),
    PRINT_DATA: ("PRINT_DATA", "<QH", 1, PRINT_CHUNK_BYTES_MAX),
    PRINT_RUN: ("PRINT_RUN", "<QHI", 0, 0),
    PULSE: ("PULSE", "<QH", 0, 0),
    EVENT_ACK: ("EVENT_ACK", "<I", 0, 0),
    LAMP: ("LAMP", "<BB", 0, 0),
    HELP_RING: ("HELP_RING", "<II", 0, 0),
    HELP_ANSWER: ("HELP_ANSWER", "<I", 0, 0),
    EFFECT_QUERY: ("EFFECT_QUERY", "<Q", 0, 0),
    UPDATE_BEGIN: ("UPDATE_BEGIN", "<QIH", 0, 0),
    UPDATE_DATA: ("UPDATE_DATA", "<I", 1, UPDATE_CHUNK_BYTES_MAX),
    UPDATE_ACTIVATE: ("UPDATE_ACTIVATE", "<Q", 0, 0),
    UPDATE_STOP: ("UPDATE_STOP", "<Q", 0, 0),
    MAINTAIN: ("MAINTAIN", "<", 0, 0),
    TRACE_OPEN: ("TRACE_OPEN", "<", 0, 0),
    TRACE_READ: ("TRACE_READ", "<H", 0, 0),
    TRACE_CLOSE: ("TRACE_CLOSE", "<", 0, 0),
    CARD: ("CARD", "<HB", TEXT_BLOCK_BYTES, TEXT_BLOCK_BYTES),
    CARD_FAULT: ("CARD_FAULT", "<HB", 0, 0),
    CARD_REMOVED: ("CARD_REMOVED", "<H", 0, 0),
    CARD_FOUND: ("CARD_FOUND", "<H", 0, 0),
    SCAN: ("SCAN", "<HHH", 1, SCAN_PART_BYTES_MAX),
    SCAN_FAULT: ("SCAN_FAULT", "<HB", 0, 0),
    CARD_ADDRESS: ("CARD_ADDRESS", "<HB", 0, ADDRESS_BYTES_MAX),
    CASH_STATE: ("CASH_STATE", "<IBB", 0, 0),
    CASH_NOTE: ("CASH_NOTE", "<QIHBBB", 0, 0),
    CASH_REJECTED: ("CASH_REJECTED", "<IB", 0, 0),
    SPEECH: ("SPEECH", "<HB", 0, 0),
    EFFECT_RESULT: ("EFFECT_RESULT", "<QBB", 0, 0),
    EVENT: ("EVENT", "<IBI", 0, EVENT_TAIL_BYTES_MAX),
    DEVICE: ("DEVICE", "<BBB", 0, 0),
    COUNTERS: ("COUNTERS", "<B", COUNTER_BYTES, COUNTERS_MAX * COUNTER_BYTES),
    UPDATE_STATE: ("UPDATE_STATE", "<QBBI", 0, 0),
    UPDATE_SLOT: ("UPDATE_SLOT", "<BBIQQB", 0, 0),
    TRACE_INFO: ("TRACE_INFO", "<HII", 0, 0),
    TRACE_PART: ("TRACE_PART", "<H", 1, TRACE_PART_BYTES_MAX),
}
_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}


class MessageError(Exception):
    """Bytes or fields that are no board message; the text names the kind and what is wrong."""


def pack(kind: int, *fields: int, tail: "Bytes" = b"") -> bytes:
    """A whole message. Raises MessageError for what `unpack` would refuse or cut."""
    name, form, least, most = _entry(kind)
    if len(fields) != len(form) - 1:
        raise MessageError("%s: %d fields, not %d" % (name, len(fields), len(form) - 1))
    for at, value in enumerate(fields):
        # MicroPython's struct.pack cuts a number that is too long.
        if value < 0 or value >> _BITS[form[at + 1]]:
            raise MessageError("%s: field %d out of range" % (name, at))
    if not least <= len(tail) <= most:
        raise MessageError("%s: tail of %d bytes, not %d to %d" % (name, len(tail), least, most))
    return bytes((kind,)) + struct.pack(form, *fields) + bytes(tail)


def unpack(view: "Bytes") -> "tuple[int, tuple[int, ...], memoryview]":
    """(kind, fields, view of the tail within `view`). Raises MessageError."""
    if len(view) == 0:
        raise MessageError("empty message")
    kind = view[0]
    name, form, least, most = _entry(kind)
    tail_at = 1 + struct.calcsize(form)
    if not tail_at + least <= len(view) <= tail_at + most:
        raise MessageError("%s: %d bytes" % (name, len(view)))
    return kind, struct.unpack_from(form, view, 1), memoryview(view)[tail_at:]


def _entry(kind: int) -> "tuple[str, str, int, int]":
    entry = TABLE.get(kind)
    if entry is None:
        raise MessageError("unknown kind %d" % kind)
    return entry
