"""SDT frames of a resident ID card reader (SAM_V module): commands, and a streaming parser of
replies.

    host -> reader   AA AA AA 96 69 | length u16 | command parameter            | check
    reader -> host   AA AA AA 96 69 | length u16 | SW1 SW2 SW3 | data           | check

Big-endian; `length` counts what follows it with `check`; `check` is the XOR of everything from
`length` on.

| parser state | byte | next |
| --- | --- | --- |
| SYNC | AA, third or later | SYNC, armed (a run of AA may be longer than three) |
| SYNC | 96 when armed | SYNC_LAST |
| SYNC | anything else | SYNC, run forgotten |
| SYNC_LAST | 69 | LENGTH |
| SYNC_LAST | anything else | SYNC |
| LENGTH | second byte, length 4..LENGTH_MAX | BODY |
| LENGTH | second byte, another length | SYNC |
| BODY | last byte, XOR zero | SYNC, `REPLY` |
| BODY | last byte, XOR not zero | SYNC, `DAMAGED` |

Only the status and the first KEPT_BYTES of the data are kept: a photo never stays in memory.
"""

FIND = b"\xaa\xaa\xaa\x96\x69\x00\x03\x20\x01\x22"
SELECT = b"\xaa\xaa\xaa\x96\x69\x00\x03\x20\x02\x21"
READ = b"\xaa\xaa\xaa\x96\x69\x00\x03\x30\x01\x32"
READ_ADDRESS = b"\xaa\xaa\xaa\x96\x69\x00\x03\x30\x03\x30"
STATUS = b"\xaa\xaa\xaa\x96\x69\x00\x03\x11\xff\xed"

SW_DONE = 0x90
SW_FOUND = 0x9F
SW_NO_ITEM = 0x91
SW_BAD_CHECKSUM = 0x10
SW_BAD_LENGTH = 0x11
SW_BAD_COMMAND = 0x21
SW_UNKNOWN_CARD = 0x40
SW_SELFTEST = 0x60
SW_UNAUTHORISED = 0x66
SW_NO_CARD = 0x80

TEXT_BYTES = 256
LENGTH_MAX = 4096
_STATUS_BYTES = 3
_LENGTHS_BYTES = 4
KEPT_BYTES = _LENGTHS_BYTES + TEXT_BYTES

NOTHING = 0
REPLY = 1
DAMAGED = 2

_SYNC = 0
_SYNC_LAST = 1
_LENGTH = 2
_BODY = 3


class SdtReplies:
    """After `take` has answered REPLY: `sw3`, `data_bytes`, `data` (the first
    KEPT_BYTES of it), and for a text reply `text` (both valid until the next byte).
    """

    def __init__(self):
        self._kept = bytearray(KEPT_BYTES)
        self.data = memoryview(self._kept)
        self.text = self.data[_LENGTHS_BYTES:]
        self.sw3 = 0
        self.result = NOTHING
        self.data_bytes = 0
        self.reset()

    def reset(self):
        """Forget a frame that has begun, and everything kept."""
        self._state = _SYNC
        self._run = 0
        self._at = 0
        self._length = 0
        self._check = 0
        self.forget()

    def forget(self):
        """Overwrite what was kept: it is personal data."""
        kept = self._kept
        for at in range(KEPT_BYTES):
            kept[at] = 0

    @property
    def in_frame(self):
        """A header was seen and its frame is not complete."""
        return self._state >= _LENGTH

    @property
    def has_text(self):
        """The reply carries a text block of 256 bytes, and its lengths agree with the frame's."""
        kept = self._kept
        text = kept[0] << 8 | kept[1]
        photo = kept[2] << 8 | kept[3]
        return text == TEXT_BYTES and self.data_bytes == _LENGTHS_BYTES + text + photo

    def take(self, buf, start, end):
        """Consume buf[start:end] up to the end of the first frame. The position after it; what came
        is in `result`.
        """
        self.result = NOTHING
        at = start
        while at < end:
            if self._state == _BODY:
                at = self._take_body(buf, at, end)
                if self.result != NOTHING:
                    return at
            else:
                self._take_head(buf[at])
                at += 1
        return at

    def _take_head(self, byte):
        if self._state == _SYNC:
            if byte == 0xAA:
                self._run += 1
            else:
                if byte == 0x96 and self._run >= 3:
                    self._state = _SYNC_LAST
                self._run = 0
        elif self._state == _SYNC_LAST:
            self._state = _LENGTH if byte == 0x69 else _SYNC
            self._run = 1 if byte == 0xAA else 0
            self._at = 0
        elif self._at == 0:
            self._length = byte << 8
            self._check = byte
            self._at = 1
        else:
            self._length |= byte
            self._check ^= byte
            self._at = 0
            self._run = 0
            self._state = _BODY if 4 <= self._length <= LENGTH_MAX else _SYNC

    def _take_body(self, buf, at, end):
        body_at = self._at
        last = min(end, at + self._length - body_at)
        check = self._check
        kept = self._kept
        while at < last:
            byte = buf[at]
            check ^= byte
            if body_at < _STATUS_BYTES:
                self.sw3 = byte
            elif body_at < _STATUS_BYTES + KEPT_BYTES:
                kept[body_at - _STATUS_BYTES] = byte
            body_at += 1
            at += 1
        self._check = check
        self._at = body_at
        if body_at == self._length:
            self.data_bytes = self._length - _STATUS_BYTES - 1
            self.result = REPLY if check == 0 else DAMAGED
            self._state = _SYNC
            if check:
                self.forget()
        return last
