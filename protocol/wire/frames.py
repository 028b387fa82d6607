"""Frames on the board link: `COBS(body | crc32) 00`, CRC little-endian.

COBS after Cheshire and Baker (1999), CRC-32 as IEEE 802.3. The receiver checks the residue over
body and CRC, a constant below 2**30: on a 32-bit board a good frame allocates nothing, not even an
int.

| decoder | byte | next | does |
| --- | --- | --- | --- |
| at a code | 00 | at a code | checks the frame, calls `on_body`; an empty one is none |
| at a code | n | n - 1 data bytes to go | puts the zero of the block before (FF has none) |
| data bytes to go | 00 | at a code | counts cobs_errors |
| data bytes to go | other | one less to go | keeps the byte |
| at a code | n that goes beyond the longest frame | skipping | counts oversize |
| skipping | 00 | at a code | |
| skipping | other | skipping | |

So every kind of damage costs the frames up to the next zero and nothing after it.
"""

from binascii import crc32

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_MAX = 512
HEADER_BYTES = 16
TAG_BYTES = 8
CRC_BYTES = 4
BODY_MIN = HEADER_BYTES + TAG_BYTES
BODY_MAX = BODY_MIN + MESSAGE_MAX
VIEWS_MAX = 16
VIEWS_READY = 33  # payloads of 0 to 32 bytes

_RAW_MAX = BODY_MAX + CRC_BYTES
_BLOCK_BYTES = 254
_SKIPPING = -1
_RESIDUE = 0x2144DF1C


def encoded_max(payload_bytes: int) -> int:
    """The most bytes a frame with this payload takes on the wire, delimiter included."""
    raw = BODY_MIN + payload_bytes + CRC_BYTES
    return raw + raw // _BLOCK_BYTES + 2


FRAME_ENCODED_MAX = encoded_max(MESSAGE_MAX)


class FrameError(Exception):
    """A body that no frame can carry."""


def encode(body: bytes, room: bytearray | None = None) -> bytes:
    """The whole frame of `body`, BODY_MIN to BODY_MAX bytes. Raises FrameError.

    `room`: FRAME_ENCODED_MAX bytes to work in, for who makes one frame after the other.
    """
    if not BODY_MIN <= len(body) <= BODY_MAX:
        raise FrameError("body of %d bytes, not %d to %d" % (len(body), BODY_MIN, BODY_MAX))
    out = bytearray(FRAME_ENCODED_MAX) if room is None else room
    code_at = 0
    end = 1
    for part in (body, crc32(body).to_bytes(CRC_BYTES, "little")):
        for byte in part:
            if end - code_at > _BLOCK_BYTES:  # a full block stands for no zero
                out[code_at] = _BLOCK_BYTES + 1
                code_at = end
                end += 1
            if byte:
                out[end] = byte
            else:
                out[code_at] = end - code_at
                code_at = end
            end += 1
    out[code_at] = end - code_at
    out[end] = 0
    return bytes(memoryview(out)[: end + 1])


class Views:
    """Slices `buffer[start:start + n]`, kept by `n`, because to slice is to allocate.

    Short ones are ready from the start; of the others the first VIEWS_MAX lengths seen are kept.
    """

    def __init__(self, buffer: bytearray, start: int, least: int) -> None:
        self._whole = memoryview(buffer)
        self._start = start
        self._kept = {}
        for n in range(least, least + VIEWS_READY):
            self._kept[n] = self._whole[start : start + n]

    def get(self, n: int) -> memoryview:
        """The view of `n` bytes."""
        view = self._kept.get(n)
        if view is None:
            view = self._whole[self._start : self._start + n]
            if len(self._kept) < VIEWS_READY + VIEWS_MAX:
                self._kept[n] = view
        return view


class FrameDecoder:
    """Finds frames in a stream; calls `on_body(n)` when `self.body[:n]` is a good one, without CRC.

    `body` is overwritten by the next frame. Counted: `crc_errors`, `cobs_errors`, `oversize` and
    `short` (less than BODY_MIN and a CRC).
    """

    def __init__(self, on_body: "Callable[[int], None]") -> None:
        self.body = bytearray(_RAW_MAX + 1)  # a zero is put before it is known to be too much
        self.crc_errors = 0
        self.cobs_errors = 0
        self.oversize = 0
        self.short = 0
        self._on_body = on_body
        self._views = Views(self.body, 0, BODY_MIN + CRC_BYTES)
        self._reset()

    def _reset(self) -> None:
        self._size = 0
        self._left = 0  # data bytes until the next code, or _SKIPPING
        self._zero = False  # the block before stands for a zero, if another block follows

    def feed(self, buf: bytes | bytearray | memoryview, n: int) -> None:
        """Take the first `n` bytes of `buf`, cut anywhere."""
        # One loop with locals, data first: a call or an attribute a byte is too slow on a board.
        body = self.body
        size = self._size
        left = self._left
        for i in range(n):
            byte = buf[i]
            if left > 0 and byte:
                body[size] = byte
                size += 1
                left -= 1
            elif byte == 0:
                self._size = size
                self._left = left
                self._end()
                size = left = 0
            elif left == 0:
                if self._zero:
                    body[size] = 0
                    size += 1
                self._zero = byte != _BLOCK_BYTES + 1
                left = byte - 1
                if size + left > _RAW_MAX:
                    self.oversize += 1
                    left = _SKIPPING
        self._size = size
        self._left = left

    def _end(self) -> None:
        size, left = self._size, self._left
        nothing = size == 0 and left == 0 and not self._zero
        self._reset()
        if left == _SKIPPING or nothing:
            return
        if left:
            self.cobs_errors += 1
        elif size < BODY_MIN + CRC_BYTES:
            self.short += 1
        elif crc32(self._views.get(size)) != _RESIDUE:
            self.crc_errors += 1
        else:
            self._on_body(size - CRC_BYTES)
