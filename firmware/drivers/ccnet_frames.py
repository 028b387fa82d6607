"""CCNET frames of a bill acceptor: commands, and a streaming parser of replies.

    02 | address 03 | length of the whole frame | data | CRC low | CRC high

The CRC is CRC-16/KERMIT over everything before it; over a whole frame it is 0.

| the oldest bytes kept are | next | result |
| --- | --- | --- |
| no beginning of a frame (02, 03, length 6..FRAME_BYTES_MAX) | dropped up to the next 02 | |
| a frame that is not whole | more bytes | |
| a whole frame, CRC right | dropped by the next call | FRAME |
| a whole frame, CRC wrong | dropped up to the next 02 | DAMAGED |

So a frame is found behind noise, and behind a beginning of a frame that was none.
"""

ACK = b"\x02\x03\x06\x00\xc2\x82"
NAK = b"\x02\x03\x06\xff\xba\x8d"
RESET = b"\x02\x03\x06\x30\x41\xb3"
POLL = b"\x02\x03\x06\x33\xda\x81"
STACK = b"\x02\x03\x06\x35\xec\xe4"
RETURN = b"\x02\x03\x06\x36\x77\xd6"
IDENTIFICATION = b"\x02\x03\x06\x37\xfe\xc7"
HOLD = b"\x02\x03\x06\x38\x09\x3f"
BILL_TABLE = b"\x02\x03\x06\x41\x4f\xd1"
_ENABLE_HEAD = b"\x02\x03\x0c\x34"

IDENTIFICATION_BYTES = 34
BILL_TABLE_BYTES = 120
BILL_TYPES = 24
FRAME_BYTES_MIN = 6
FRAME_BYTES_MAX = 128
_STX = 0x02
_ADDRESS = 0x03
_DATA_AT = 3
_OVERHEAD = 5

NOTHING = 0
FRAME = 1
DAMAGED = 2

# CRC-16/KERMIT (reflected polynomial 8408, from 0), four bits at a time
_NIBBLES = (
    0x0000,
    0x1081,
    0x2102,
    0x3183,
    0x4204,
    0x5285,
    0x6306,
    0x7387,
    0x8408,
    0x9489,
    0xA50A,
    0xB58B,
    0xC60C,
    0xD68D,
    0xE70E,
    0xF78F,
)


def crc16(buf, end):
    """CRC-16/KERMIT of buf[:end]; 0 over a whole frame with its CRC."""
    crc = 0
    for at in range(end):
        crc ^= buf[at]
        crc = crc >> 4 ^ _NIBBLES[crc & 15]
        crc = crc >> 4 ^ _NIBBLES[crc & 15]
    return crc


def enable_frame():
    """A bytearray for `set_enabled`, made once."""
    frame = bytearray(12)
    frame[:4] = _ENABLE_HEAD
    return frame


def set_enabled(frame, types):
    """Make `frame` ENABLE BILL TYPES for the bits of `types` (bit 0 is type 0), all of them with
    escrow."""
    for at in range(3):
        frame[4 + at] = frame[7 + at] = types >> 8 * (2 - at) & 0xFF
    crc = crc16(frame, 10)
    frame[10] = crc & 0xFF
    frame[11] = crc >> 8


class CcnetReplies:
    """After `take` has answered FRAME: `length` bytes of data, read by `data(at)` until the next
    call.
    """

    def __init__(self):
        self._kept = bytearray(FRAME_BYTES_MAX)
        self._count = 0
        self._done = 0  # bytes of the frame answered last
        self.length = 0
        self.result = NOTHING

    def reset(self):
        """Forget what has come."""
        self._count = 0
        self._done = 0

    def data(self, at):
        return self._kept[_DATA_AT + at]

    def take(self, buf, start, end):
        """Consume buf[start:end] up to the end of the first frame. The position after it; what came
        is in `result`. Call until that is NOTHING.
        """
        self._drop(self._done)
        self._done = 0
        at = start
        while not self._settle() and at < end:
            self._kept[self._count] = buf[at]
            self._count += 1
            at += 1
        return at

    def _settle(self):
        """Whether the kept bytes hold a frame, good or damaged; else they begin one."""
        kept = self._kept
        self.result = NOTHING
        while self._count:
            if not self._begins():
                self._drop_to_next()
            elif self._count < _DATA_AT or self._count < kept[2]:
                return False
            elif crc16(kept, kept[2]):
                self._drop_to_next()
                self.result = DAMAGED
                return True
            else:
                self._done = kept[2]
                self.length = self._done - _OVERHEAD
                self.result = FRAME
                return True
        return False

    def _begins(self):
        kept, count = self._kept, self._count
        return (
            kept[0] == _STX
            and (count < 2 or kept[1] == _ADDRESS)
            and (count < _DATA_AT or FRAME_BYTES_MIN <= kept[2] <= FRAME_BYTES_MAX)
        )

    def _drop_to_next(self):
        at = 1
        while at < self._count and self._kept[at] != _STX:
            at += 1
        self._drop(at)

    def _drop(self, count):
        if count:
            left = self._count - count
            for at in range(left):
                self._kept[at] = self._kept[count + at]
            self._count = left
