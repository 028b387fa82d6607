"""What a board's flight recorder holds: entries, oldest first.

    entry   kind * 32 + line u8 | ms u16 | n u8 | n bytes

`ms` little-endian, since the entry before, 65535 for longer. `line`: a device of states.py, 0 for
the link. What a card, a slip, a voice or a code says never comes into an entry: only its length.

| kind | bytes |
| --- | --- |
| HEARD, SAID | what came from the device, what went to it; of a pin: number in PIN_NAMES, level |
| HEARD_MASKED, SAID_MASKED | u16: so many bytes that are not kept |
| FILL | u8: what stands for the HEARD_MASKED since the last FILL; a check byte after it fits it |
| MESSAGE_IN, MESSAGE_OUT | a board message without its tail, then the length of the tail u16 |
| MARK | MARK_START, MARK_UP, MARK_DOWN |
"""

HEARD = 0
SAID = 1
HEARD_MASKED = 2
SAID_MASKED = 3
FILL = 4
MESSAGE_IN = 5
MESSAGE_OUT = 6
MARK = 7
KIND_FACTOR = 32

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
