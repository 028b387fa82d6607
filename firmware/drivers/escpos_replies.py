"""Telling apart what an ESC/POS printer sends back, byte by byte.

| state | byte | next | result |
| --- | --- | --- | --- |
| FREE | 37 | BLOCK | |
| FREE | 11 / 13 | FREE | XON / XOFF |
| FREE | `b & 93 == 12` | FREE | STATUS, in `value` (answer to DLE EOT) |
| FREE | `b & 93 == 10` | AUTOMATIC | (status of GS a, which this driver never turns on) |
| FREE | 00 03 0C 0F | FREE | PAPER, in `value` (answer to GS r) |
| FREE | anything else | FREE | |
| AUTOMATIC | third byte | FREE | |
| BLOCK | 00 | FREE | BLOCK_END, in `block[:block_bytes]` without the 37 and the 00 |
| BLOCK | one byte too many | FREE | |
"""

NOTHING = 0
STATUS = 1
PAPER = 2
BLOCK_END = 3
XON = 4
XOFF = 5

BLOCK_MAX = 16
_AUTOMATIC_BYTES = 3
_PAPER_ANSWERS = b"\x00\x03\x0c\x0f"  # near end and out, each two bits that are the same

_FREE = 0
_BLOCK = 1
_AUTOMATIC = 2


class EscposReplies:
    def __init__(self):
        self.block = bytearray(BLOCK_MAX)
        self.block_bytes = 0
        self.value = 0
        self._state = _FREE

    def reset(self):
        self._state = _FREE
        self.block_bytes = 0

    def take(self, byte):
        """What this byte completes, or NOTHING."""
        if self._state == _FREE:
            return self._take_free(byte)
        if self._state == _AUTOMATIC:
            self.block_bytes += 1
            if self.block_bytes == _AUTOMATIC_BYTES:
                self.reset()
            return NOTHING
        if byte == 0:
            self._state = _FREE
            return BLOCK_END
        if self.block_bytes == BLOCK_MAX:
            self.reset()
            return NOTHING
        self.block[self.block_bytes] = byte
        self.block_bytes += 1
        return NOTHING

    def _take_free(self, byte):
        self.value = byte
        if byte == 0x37:
            self._state = _BLOCK
            self.block_bytes = 0
            return NOTHING
        if byte == 0x11:
            return XON
        if byte == 0x13:
            return XOFF
        if byte & 0x93 == 0x12:
            return STATUS
        if byte & 0x93 == 0x10:
            self._state = _AUTOMATIC
            self.block_bytes = 0
            return NOTHING
        return PAPER if byte in _PAPER_ANSWERS else NOTHING
