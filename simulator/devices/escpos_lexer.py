"""ESC/POS bytes to commands: what belongs together, nothing of what it means.

The lexer takes bytes out of a receive buffer as they come and keeps a command that is not whole
yet, so that a long image needs no long receive buffer. Lengths follow the Epson ESC/POS reference;
for an unknown ESC/FS/GS function two bytes are taken, as most printers do.
"""

from dataclasses import dataclass

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10
DATA_BYTES_MAX = 1 << 17
"""Longest data of one command; what claims more is taken as far as this and ignored."""
NUL_ENDED_MAX = 255

TEXT, CONTROL, UNKNOWN = "text", "control", "unknown"


@dataclass(frozen=True)
class Command:
    """`name`: TEXT, CONTROL, UNKNOWN or the letters of the sequence, as `GS v 0` or `GS ( H`.

    `raw` is all bytes; `parameters` what follows the name.
    """

    name: str
    raw: bytes
    parameters: bytes = b""


_ESC_FIXED = {
    **dict.fromkeys(b"@2LSvimfO<", 0),
    **dict.fromkeys(b" !%-3=?EGJKMRTUVadrtu{A+", 1),
    **dict.fromkeys(b"$\\cB", 2),
    **dict.fromkeys(b"p", 3),
    **dict.fromkeys(b"W", 8),
}
_GS_FIXED = {
    **dict.fromkeys(b":c", 0),
    **dict.fromkeys(b"!/BEHITabfhrw|", 1),
    **dict.fromkeys(b"$LPW\\", 2),
    **dict.fromkeys(b"^", 3),
}
_FS_FIXED = {
    **dict.fromkeys(b"&.", 0),
    **dict.fromkeys(b"!-CWr", 1),
    **dict.fromkeys(b"Sp?", 2),
    **dict.fromkeys(b"2", 74),
}
_FIXED = {ESC: _ESC_FIXED, GS: _GS_FIXED, FS: _FS_FIXED}
_FAMILY = {ESC: "ESC", GS: "GS", FS: "FS"}
_DLE_FIXED = {0x04: 1, 0x05: 1}


def _word(raw: bytes, at: int) -> int:
    return raw[at] | raw[at + 1] << 8


def _is_lead(byte: int) -> bool:
    return 0x81 <= byte <= 0xFE


def _chinese_size(raw: bytes) -> int:
    """Bytes of the GB18030 character that begins here; 1 when the second byte cannot follow."""
    if len(raw) == 1:
        return 2
    second = raw[1]
    if 0x30 <= second <= 0x39:
        return 4
    return 2 if 0x40 <= second <= 0xFE and second != 0x7F else 1


def _nul_ended(raw: bytes, head: int) -> int:
    ended = len(raw) > head and raw[-1] == 0
    return len(raw) if ended or len(raw) - head >= NUL_ENDED_MAX else len(raw) + 1


def _bit_image_size(raw: bytes) -> int:
    """ESC * m nL nH: one byte a column for m = 0, 1; three for 32, 33."""
    if len(raw) < 5:
        return 5
    return 5 + _word(raw, 3) * (3 if raw[2] >= 32 else 1)


def _user_characters_size(raw: bytes) -> int:
    """ESC & y c1 c2 [x d1..d(y*x)] for each character from c1 to c2."""
    if len(raw) < 5:
        return 5
    size, height = 5, raw[2]
    for _ in range(max(0, raw[4] - raw[3] + 1)):
        if len(raw) <= size:
            return size + 1
        size += 1 + height * raw[size]
    return size


def _barcode_size(raw: bytes) -> int:
    """GS k: by NUL up to system 6, by a length byte from 65 on."""
    if len(raw) < 3:
        return 3
    if raw[2] <= 6:
        return _nul_ended(raw, 3)
    return 4 if len(raw) < 4 else 4 + raw[3]


def _gs_size(raw: bytes) -> int:
    kind = raw[1]
    if kind == ord("V"):
        return 3 if len(raw) < 3 or raw[2] < 65 else 4
    if kind == ord("k"):
        return _barcode_size(raw)
    if kind == ord("v"):
        return 8 if len(raw) < 8 else 8 + _word(raw, 4) * _word(raw, 6)
    if kind == ord("*"):
        return 4 if len(raw) < 4 else 4 + raw[2] * raw[3] * 8
    if kind == ord("8"):
        return 7 if len(raw) < 7 else 7 + int.from_bytes(raw[3:7], "little")
    return 2 + _GS_FIXED.get(kind, 0)


def _dle_size(raw: bytes) -> int:
    if len(raw) < 2:
        return 2
    if raw[1] == 0x14:
        return 3 if len(raw) < 3 else {1: 5, 2: 5, 8: 10}.get(raw[2], 3)
    return 2 + _DLE_FIXED.get(raw[1], -1)


def _size(raw: bytes, chinese: bool) -> int:
    """How many bytes the command that begins with `raw` has, as far as can be told yet."""
    first = raw[0]
    if first == DLE:
        return _dle_size(raw)
    if first not in _FAMILY:
        return _chinese_size(raw) if chinese and _is_lead(first) else 1
    if len(raw) < 2:
        return 2
    kind = raw[1]
    if kind == ord("("):
        return 5 if len(raw) < 5 else 5 + _word(raw, 3)
    if first == GS:
        return _gs_size(raw)
    if first == ESC and kind == ord("*"):
        return _bit_image_size(raw)
    if first == ESC and kind == ord("&"):
        return _user_characters_size(raw)
    if first == ESC and kind == ord("D"):
        return _nul_ended(raw, 2)
    return 2 + _FIXED[first].get(kind, 0)


def _command(raw: bytes) -> Command:
    first = raw[0]
    if first == DLE:
        return Command("DLE", raw, raw[1:])
    if first not in _FAMILY:
        return Command(CONTROL if first < 0x20 else TEXT, raw)
    kind = raw[1]
    family = _FAMILY[first]
    if kind == ord("("):
        return Command(f"{family} ( {chr(raw[2])}", raw, raw[5:])
    known = kind in _FIXED[first] or (first, kind) in _VARIABLE
    name = f"{family} {chr(kind)}" if known else UNKNOWN
    return Command(name, raw, raw[2:])


_VARIABLE = {(ESC, k) for k in b"*&D"} | {(GS, k) for k in b"Vkv*8"}


class Lexer:
    """Cuts a stream into commands; `chinese` is the printer's Chinese mode at that point."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._wanted = 1

    @property
    def is_inside(self) -> bool:
        """Part of a command is here, the rest is still to come."""
        return bool(self._raw)

    def clear(self) -> None:
        """Forget the part of a command."""
        self._raw.clear()
        self._wanted = 1

    def next(self, buffer: bytearray, chinese: bool) -> Command | None:
        """Take the next command off the front of `buffer`; None when it is not whole yet."""
        while True:
            missing = self._wanted - len(self._raw)
            self._raw += buffer[:missing]
            del buffer[:missing]
            if len(self._raw) < self._wanted:
                return None
            size = _size(bytes(self._raw), chinese)
            if size <= len(self._raw):
                break
            self._wanted = min(size, DATA_BYTES_MAX)
            if self._wanted <= len(self._raw):
                break
        if size < len(self._raw):  # a lead byte without its second: that byte is its own
            buffer[:0] = self._raw[size:]
            del self._raw[size:]
        command = _command(bytes(self._raw))
        self.clear()
        return command
