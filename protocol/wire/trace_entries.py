"""What a board's flight recorder holds: entries, oldest first.

    entry   kind * 32 + line u8 | ms u16 | n u8 | n bytes

`ms` little-endian, since the entry before, 65535 for longer. `line`: a device of states.py, for its
pins PIN_LINE more, 0 for the link. What a card, a slip, a voice or a code says never comes into an
entry: only its length.

| kind | bytes |
| --- | --- |
| HEARD, SAID | what came from the device, went to it; of a pin: place in PIN_NAMES, 1 active |
| HEARD_MASKED, SAID_MASKED | u16: so many bytes that are not kept |
| FILL | u8: what stands for the HEARD_MASKED since the last FILL; a check byte after it fits it |
| MESSAGE_IN, MESSAGE_OUT | a board message without its tail, then the length of the tail u16 |
| MARK | MARK_START, MARK_UP, MARK_DOWN |
"""

import struct

from protocol.wire import messages

HEARD = 0
SAID = 1
HEARD_MASKED = 2
SAID_MASKED = 3
FILL = 4
MESSAGE_IN = 5
MESSAGE_OUT = 6
MARK = 7
KIND_FACTOR = 32
PIN_LINE = 16

MARK_START = 0
MARK_UP = 1
MARK_DOWN = 2

ENTRY_HEAD_BYTES = 4
ENTRY_BYTES_MAX = 255
GAP_MS_MAX = 0xFFFF
PIN_NAMES = (
    "relay",
    "passed",
    "door",
    "fire",
    "button",
    "lamp",
    "bell",
    "answer",
    "feedback",
)

_CRC_OF_PRINT_RUN = 11  # of what is printed: who knows the form could find the name by it


def message_record(view: "messages.Bytes") -> bytearray:
    """The bytes of MESSAGE_IN and MESSAGE_OUT: fields, and of the tail the length."""
    head = min(len(view), 1 + struct.calcsize(messages.FORMS.get(view[0], "<")))
    record = bytearray(head + 2)
    record[:head] = view[:head]
    if view[0] == messages.PRINT_RUN:
        for at in range(_CRC_OF_PRINT_RUN, head):
            record[at] = 0
    record[head] = (len(view) - head) & 0xFF
    record[head + 1] = (len(view) - head) >> 8
    return record
