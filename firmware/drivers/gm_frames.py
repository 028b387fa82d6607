"""Frames of Grow barcode scanners (GM65, GM812), and scans, which have none.

    host     7E 00 | type | n | zone u16 | data .. | crc u16      type 07 read, 08 write, 0A beat
    scanner  02 00 | 00 | n | data .. | crc u16                   03 instead of 02 in some firmware

Big-endian; CRC-16/XMODEM over type .. data, of a reply over status .. data; AB CD is no check.
A scan is bare bytes and TAIL; any byte may stand in it, also 02 and 7E. Source: Grow GM65 and GM812
manuals.
"""

READ = 0x07
WRITE = 0x08
BEAT = 0x0A
ZONE_TRIGGER = 0x0002
ZONE_BAUD = 0x002A
TAIL = 0x0D
SCAN_MAX = 1024
SILENCE_MS = 50  # ends a scan that has no tail
_HEAD_BYTES = 4
_CRC_BYTES = 2
REPLY_MAX = _HEAD_BYTES + 2 + _CRC_BYTES
_REPLY_LENGTHS = (REPLY_MAX - 1, REPLY_MAX)
_ROOM = SCAN_MAX + 1 + REPLY_MAX
_HEADS = (2, 3)
_CLOCK = 3_000_000  # the scanner's UART divides it

NOTHING = 0
REPLY = 1
SCAN = 2


def command(kind, zone, data):
    """A whole command. For READ `data` is the count of bytes to read, as one byte."""
    body = bytes((kind, 1 if kind == READ else len(data), zone >> 8, zone & 0xFF)) + data
    crc = crc16(body, 0, len(body))
    return b"\x7e\x00" + body + bytes((crc >> 8, crc & 0xFF))


def divisor(baud):
    """What ZONE_BAUD holds for a speed: u16, its low byte first."""
    return (2 * _CLOCK // baud + 1) // 2


def crc16(data, start, end):
    """CRC-16/XMODEM: polynomial 1021, from 0."""
    crc = 0
    for at in range(start, end):
        crc ^= data[at] << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


class GmStream:
    """The bytes of a scanner, sorted: `take` each, `pause` after SILENCE_MS without one.

    | awaits a reply | event | gives |
    | --- | --- | --- |
    | yes | the last bytes are a reply of the awaited length | REPLY; it is taken out |
    | yes | TAIL | nothing: it may be a byte of the reply |
    | no | TAIL | SCAN |
    | yes | pause, a reply with a scan within | REPLY, then the scan |
    | any | pause, a whole reply in front | it is dropped: it came too late |
    | yes | pause, a damaged or cut reply in front | it is dropped |
    | any | pause | SCAN: what is left |

    `scan_end` tells where the first scan ends, `drop` takes it away.
    """

    def __init__(self):
        self.data = bytearray(_ROOM)
        self.count = 0
        self.value = 0  # of the last reply, low byte first
        self.too_long = False
        self._awaited = 0  # bytes of the reply

    def expect(self, data_bytes):
        """A reply with so many bytes of data is due; 0: none."""
        self._awaited = _HEAD_BYTES + data_bytes + _CRC_BYTES if data_bytes else 0

    def take(self, byte):
        if self.count == _ROOM:
            self.too_long = True
            return NOTHING
        self.data[self.count] = byte
        self.count += 1
        if self._awaited:
            return self._look_for_reply()
        return SCAN if byte == TAIL else NOTHING

    def pause(self):
        """REPLY when a reply was found around a scan, else NOTHING."""
        found = NOTHING
        if self._awaited and self._join_around_scan():
            found = REPLY
        else:
            self._drop_damaged_reply()
        return found

    def scan_end(self, paused):
        """How many bytes the first scan has; -1 when it has not ended."""
        self._drop_late_replies()
        for at in range(self.count):
            if self.data[at] == TAIL:
                return at
        return self.count if paused and self.count else -1

    def has_tail(self, count):
        """Whether TAIL follows the first `count` bytes."""
        return count < self.count and self.data[count] == TAIL

    def drop(self, count):
        """Take the first `count` bytes away, and the tail behind them."""
        if self.has_tail(count):
            count += 1
        self._cut(0, count)

    def drop_noise(self):
        """Take away what stands behind the last tail: nothing can have been read."""
        while self.count and self.data[self.count - 1] != TAIL:
            self.count -= 1

    def clear(self):
        self.count = 0
        self.too_long = False

    def _look_for_reply(self):
        start = self.count - self._awaited
        if start < 0 or not self._is_reply(start, self._awaited):
            return NOTHING
        self._found(start)
        self.count = start
        return REPLY

    def _found(self, start):
        self.value = self.data[start + _HEAD_BYTES]
        if self.data[start + 3] == 2:
            self.value |= self.data[start + _HEAD_BYTES + 1] << 8
        self._awaited = 0

    def _is_reply(self, start, length):
        data = self.data
        if data[start] not in _HEADS or data[start + 1] or data[start + 2]:
            return False
        if data[start + 3] != length - _HEAD_BYTES - _CRC_BYTES:
            return False
        end = start + length - _CRC_BYTES
        crc = data[end] << 8 | data[end + 1]
        return crc == 0xABCD or crc == crc16(data, start + 2, end)

    def _join_around_scan(self):
        """Whether the bytes are a reply in two parts with a scan between; it is taken out."""
        length = self._awaited
        if self.count < length:
            return False
        for first in range(1, length):
            rest = length - first
            # move the second part to the first for a look
            whole = self.data[:first] + self.data[self.count - rest : self.count]
            kept = self.data[first:length]
            self.data[:length] = whole
            if self._is_reply(0, length):
                self._found(0)
                self.data[first:length] = kept
                self._cut(0, first)
                self.count -= rest
                return True
            self.data[first:length] = kept
        return False

    def _drop_late_replies(self):
        for length in _REPLY_LENGTHS:
            while self.count >= length and self._is_reply(0, length):
                self._cut(0, length)

    def _drop_damaged_reply(self):
        if not self._awaited or self.data[0] not in _HEADS:
            return
        head = (self.data[0], 0, 0, self._awaited - _HEAD_BYTES - _CRC_BYTES)
        for at in range(min(self.count, _HEAD_BYTES)):
            if self.data[at] != head[at]:
                return
        self._cut(0, min(self._awaited, self.count))

    def _cut(self, start, end):
        left = self.count - end
        self.data[start : start + left] = self.data[end : self.count]
        self.count = start + left
