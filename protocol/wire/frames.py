"""Frames on the board link: COBS (Cheshire and Baker 1999), zero-delimited, CRC-32 (IEEE 802.3).

On the wire: COBS(body | crc32 little-endian) 00. The CRC is checked by its residue over body and
CRC: a fixed number below 2**30, so that a good frame allocates nothing on a 32-bit board.

| decoder | byte | next | does |
| --- | --- | --- | --- |
| at a code | 00 | at a code | the frame ends: check, give it up to `on_body` |
| at a code | n | in data for n - 1 bytes | a zero first when the last block was short |
| in data | 00 | at a code | cut short: counted, dropped |
| in data | n | in data | kept |
| any | frame too long | skipping | counted |
| skipping | 00 | at a code | |
"""

import binascii

try:
    from typing import TYPE_CHECKING
except ImportError:  # MicroPython
    TYPE_CHECKING = False  # type: ignore[misc]

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_MAX = 512
HEADER_BYTES = 12
TAG_BYTES = 8
CRC_BYTES = 4
BODY_MAX = HEADER_BYTES + MESSAGE_MAX + TAG_BYTES
BODY_MIN = HEADER_BYTES + TAG_BYTES
_RAW_MAX = BODY_MAX + CRC_BYTES
FRAME_ENCODED_MAX = _RAW_MAX + _RAW_MAX // 254 + 2
VIEWS_MAX = 64
_RESIDUE = 0x2144DF1C
_BLOCK = 255


class Views:
    """Slices of one buffer from `start`, by length; kept, because a slice is an allocation."""

    def __init__(self, buffer: bytearray, start: int) -> None:
        self._whole = memoryview(buffer)
        self._start = start
        self._kept: dict[int, memoryview] = {}

    def get(self, n: int) -> memoryview:
        """The `n` bytes from `start`."""
        view = self._kept.get(n)
        if view is None:
            view = self._whole[self._start : self._start + n]
            if len(self._kept) < VIEWS_MAX:
                self._kept[n] = view
        return view


def encode(body: bytes | bytearray | memoryview) -> bytes:
    """The whole frame of `body` (BODY_MIN to BODY_MAX bytes), CRC and delimiter included."""
    raw = bytes(body)
    raw += binascii.crc32(raw).to_bytes(CRC_BYTES, "little")
    out = bytearray(len(raw) + len(raw) // 254 + 2)
    code_at = 0
    at = 1
    for byte in raw:
        if byte:
            out[at] = byte
            at += 1
        if not byte or at - code_at == _BLOCK:
            out[code_at] = at - code_at
            code_at = at
            at += 1
    out[code_at] = at - code_at
    out[at] = 0
    return bytes(memoryview(out)[: at + 1])


class FrameDecoder:
    """Finds frames in a stream of bytes. `on_body(buffer, n)` gets each good body in `buffer[:n]`.

    The buffer is used again for the next frame. Nothing is allocated for a frame whose length was
    seen before. Damage is counted in `crc_errors`, `cobs_errors`, `oversize` and costs one frame.
    """

    def __init__(self, on_body: "Callable[[bytearray, int], None]") -> None:
        self.body = bytearray(_RAW_MAX)
        self.crc_errors = 0
        self.cobs_errors = 0
        self.oversize = 0
        self._on_body = on_body
        self._views = Views(self.body, 0)
        self._reset()

    def _reset(self) -> None:
        self._n = 0
        self._left = 0  # data bytes until the next code
        self._zero = False  # a zero stands before the next block
        self._skip = False

    def feed(self, buf: bytes | bytearray | memoryview, n: int) -> None:
        """Take `n` bytes of `buf`."""
        for i in range(n):
            byte = buf[i]
            if not byte:
                self._end()
            elif self._skip:
                pass
            elif self._left:
                self._put(byte)
                self._left -= 1
            else:
                if self._zero:
                    self._put(0)
                self._left = byte - 1
                self._zero = byte != _BLOCK

    def _put(self, byte: int) -> None:
        if self._n == _RAW_MAX:
            self.oversize += 1
            self._skip = True
            return
        self.body[self._n] = byte
        self._n += 1

    def _end(self) -> None:
        n, left, skip = self._n, self._left, self._skip
        self._reset()
        if skip or (n == 0 and left == 0):
            return
        if left:
            self.cobs_errors += 1
        elif n < BODY_MIN + CRC_BYTES or binascii.crc32(self._views.get(n)) != _RESIDUE:
            self.crc_errors += 1
        else:
            self._on_body(self.body, n - CRC_BYTES)
