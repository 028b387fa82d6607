"""What devices say, without what it says of a person: for the flight recorder (trace.py).

What is not known to be harmless is masked: noise and what a damaged frame leaves behind, too.

| line | kept |
| --- | --- |
| card reader | headers, lengths, status, layout byte of a text; check bytes made to fit the mask |
| scanner | replies to commands, the tail of a scan |

Two different cards differ in their FILL, which is a salted digest: no more can be told of them.
"""

from hashlib import sha256

from protocol.wire import trace_entries as te

_HEADER = (0xAA, 0x96, 0x69)
_STATUS_AND_LENGTHS = 7
_LAYOUT_AT = 248
_SCAN_TAIL = 0x0D
_SCAN_FILL = 0x78

_SYNC = 0
_LENGTH_HIGH = 1
_LENGTH_LOW = 2
_BODY = 3


class SdtMask:
    """Replies of a resident ID card reader (frames: drivers/sdt_frames.py)."""

    def __init__(self, trace, line):
        self._trace = trace
        self._line = line
        self._state = _SYNC
        self._seen = 0  # bytes of a header
        self._length = 0  # of the body, check included
        self._at = 0
        self._xor = 0  # of what is masked
        self._masked = 0

    def heard(self, buf, n):
        at = 0
        while at < n:
            if self._state == _BODY:
                at = self._body(buf, at, n)
            elif self._state == _SYNC:
                at = self._sync(buf, at, n)
            else:
                self._trace.put(te.HEARD, self._line, buf, at, at + 1)
                self._take_length(buf[at])
                at += 1

    def _sync(self, buf, at, n):
        """To the end of a header, or of what is one kind of byte."""
        start = at
        is_header = buf[at] in _HEADER
        while at < n and (buf[at] in _HEADER) == is_header:
            byte = buf[at]
            at += 1
            if byte == _HEADER[0]:
                self._seen = min(3, self._seen + 1) if self._seen < 4 else 1
            elif self._seen == 3 and byte == _HEADER[1]:
                self._seen = 4
            elif self._seen == 4 and byte == _HEADER[2]:
                self._seen = 0
                self._state = _LENGTH_HIGH
                break
            else:
                self._seen = 0
        if is_header:
            self._trace.put(te.HEARD, self._line, buf, start, at)
        else:
            self._trace.masked(te.HEARD_MASKED, self._line, at - start)
            self._trace.byte(te.FILL, self._line, 0)
        return at

    def _take_length(self, byte):
        if self._state == _LENGTH_HIGH:
            self._length = byte << 8
            self._state = _LENGTH_LOW
            return
        self._length |= byte
        self._state = _BODY if self._length else _SYNC
        self._at = self._xor = self._masked = 0

    def _body(self, buf, at, n):
        """To the end of a stretch that is kept or masked as a whole."""
        layout = _STATUS_AND_LENGTHS + _LAYOUT_AT
        last = self._length - 1
        place = self._at
        if place == last:
            self._check(buf[at])
            return at + 1
        if place < _STATUS_AND_LENGTHS:
            stretch, kept = min(_STATUS_AND_LENGTHS, last) - place, True
        elif place < layout:
            stretch, kept = min(layout, last) - place, False
        elif place == layout:
            stretch, kept = 1, True
        else:
            stretch, kept = last - place, False
        end = min(n, at + stretch)
        if kept:
            self._trace.put(te.HEARD, self._line, buf, at, end)
        else:
            xor = self._xor
            for spot in range(at, end):
                xor ^= buf[spot]
            self._xor = xor
            self._masked += end - at
            self._trace.masked(te.HEARD_MASKED, self._line, end - at)
        self._at += end - at
        return end

    def _check(self, byte):
        """The check byte, right or wrong by the same bits for the mask as it was for the text."""
        if self._masked:
            fill = sha256(self._trace.salt + bytes((self._xor,))).digest()[0]
            byte ^= self._xor ^ (fill if self._masked & 1 else 0)
            self._trace.byte(te.FILL, self._line, fill)
        self._trace.byte(te.HEARD, self._line, byte)
        self._state = _SYNC


class ScanMask:
    """Replies and scans of a barcode scanner (frames: drivers/gm_frames.py)."""

    def __init__(self, trace, line):
        self._trace = trace
        self._line = line
        self._seen = 0  # bytes of a reply's head
        self._left = 0  # bytes of a reply

    def heard(self, buf, n):
        start = 0
        kept = True
        for at in range(n):
            keeps = self._keeps(buf[at])
            if keeps != kept:
                self._run(buf, start, at, kept)
                start, kept = at, keeps
        self._run(buf, start, n, kept)

    def _keeps(self, byte):
        if self._left:
            self._left -= 1
            return True
        if self._seen == 0:
            self._seen = 1 if byte in (2, 3) else 0
        elif self._seen < 3:
            self._seen = 0 if byte else self._seen + 1
        else:
            self._seen = 0
            if byte in (1, 2):
                self._left = byte + 2
                return True
        return self._seen > 0 or byte == _SCAN_TAIL

    def _run(self, buf, start, end, kept):
        if start == end:
            return
        if kept:
            self._trace.put(te.HEARD, self._line, buf, start, end)
        else:
            self._trace.masked(te.HEARD_MASKED, self._line, end - start)
            self._trace.byte(te.FILL, self._line, _SCAN_FILL)


def mask_of(part, trace, line):
    """The mask of a part's line, None when its device says nothing of a person."""
    if part == "card_reader":
        return SdtMask(trace, line)
    if part == "scanner":
        return ScanMask(trace, line)
    return None
