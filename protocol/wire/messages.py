"""Board messages: one byte of kind, fixed fields, and for some a tail of bytes.

Fields are little-endian. `pack` and `unpack` follow one table; docs/architecture.md shows it to
people.
"""

import struct

from protocol.wire.frames import MESSAGE_MAX

READ_CARD = 0x10
READ_STOP = 0x11
SAY = 0x20
HUSH = 0x21
PRINT_DATA = 0x30
PRINT_RUN = 0x31
PULSE = 0x40
EVENT_ACK = 0x50
LAMP = 0x60
EFFECT_QUERY = 0x70
CARD = 0x90
CARD_FAULT = 0x91
CARD_REMOVED = 0x92
SPEECH = 0xA0
EFFECT_RESULT = 0xB0
EVENT = 0xC0
DEVICE = 0xD0

TEXT_BLOCK_BYTES = 256
SPEECH_BYTES_MAX = 200

# kind -> (struct of the fields, least tail, greatest tail)
_FORMS = {
    READ_CARD: ("<HH", 0, 0),
    READ_STOP: ("<H", 0, 0),
    SAY: ("<HBB", 1, SPEECH_BYTES_MAX),
    HUSH: ("<", 0, 0),
    PRINT_DATA: ("<QH", 1, MESSAGE_MAX - 11),
    PRINT_RUN: ("<QHI", 0, 0),
    PULSE: ("<QH", 0, 0),
    EVENT_ACK: ("<I", 0, 0),
    LAMP: ("<BB", 0, 0),
    EFFECT_QUERY: ("<Q", 0, 0),
    CARD: ("<HB", TEXT_BLOCK_BYTES, TEXT_BLOCK_BYTES),
    CARD_FAULT: ("<HB", 0, 0),
    CARD_REMOVED: ("<H", 0, 0),
    SPEECH: ("<HB", 0, 0),
    EFFECT_RESULT: ("<QBB", 0, 0),
    EVENT: ("<IBI", 0, 64),
    DEVICE: ("<BBB", 0, 0),
}
_FIELD_MAX = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF, "Q": 0xFFFFFFFFFFFFFFFF}
KINDS = tuple(sorted(_FORMS))


class MessageError(Exception):
    """A message of an unknown kind, or of a length that its kind cannot have."""


def pack(kind: int, *fields: int, tail: bytes | bytearray | memoryview = b"") -> bytes:
    """The bytes of a message. MessageError when it would not be understood."""
    form, least, most = _form(kind)
    if not least <= len(tail) <= most:
        raise MessageError("kind 0x%02X: %d bytes of tail" % (kind, len(tail)))
    # MicroPython's struct cuts what does not fit, so the limits are held here.
    if len(fields) != len(form) - 1:
        raise MessageError("kind 0x%02X: %d fields" % (kind, len(fields)))
    for i, value in enumerate(fields):
        if not 0 <= value <= _FIELD_MAX[form[i + 1]]:
            raise MessageError("kind 0x%02X: field %d is %d" % (kind, i, value))
    return bytes((kind,)) + struct.pack(form, *fields) + bytes(tail)


def unpack(view: bytes | bytearray | memoryview) -> tuple[int, tuple[int, ...], memoryview]:
    """(kind, tuple of fields, memoryview of the tail) of a message. Raises MessageError only."""
    if not len(view):
        raise MessageError("empty message")
    kind = view[0]
    form, least, most = _form(kind)
    head = 1 + struct.calcsize(form)
    if not head + least <= len(view) <= head + most:
        raise MessageError("kind 0x%02X: %d bytes" % (kind, len(view)))
    return kind, struct.unpack_from(form, view, 1), memoryview(view)[head:]


def _form(kind: int) -> tuple[str, int, int]:
    form = _FORMS.get(kind)
    if form is None:
        raise MessageError("unknown kind 0x%02X" % kind)
    return form
