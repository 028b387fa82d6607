"""Slips as ESC/POS bytes: print for weak eyes, GB18030, one feed and partial cut at the end.

At 203 dots an inch a character of 24 dots is 8.5 pt high, twice as high 17.0, three times 25.5. So
nothing on a slip is under three times as high: size 2 is two times as wide and three times as high,
so that 12 Chinese characters fit on 80 mm; the sizes above multiply both ways (25.5 pt to 51 pt).
What is larger than 3 is meant for a number: it gets smaller before it breaks.

A character that the printer's font may lack is drawn: its line goes out as a raster image, if the
caller has a way to draw (`rasterise`); else it is printed as a geta mark. The board adds the
process id that proves the print (GS ( H); it is no part of the slip.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SIZE_MIN = 2
SIZE_WRAPS_MAX = 3
SIZE_MAX = 6
COLUMNS_80_MM = 48
LINES_MAX = 40
SLIP_BYTES_MAX = 4096
UNPRINTABLE = "〓"
ALIGNS = ("left", "centre", "right")

CELL_DOTS = 24
DOTS_PER_INCH = 203
LEADING_DOTS = 16
SIXTH_INCH_DOTS = 30
"""A line after ESC 2: 30 dots or a little more, whatever unit of motion the printer counts in."""
RASTER_REPEAT = 2
"""A raster image is sent with half the dots both ways, and the printer repeats each."""

QR_SIDE_DOTS_MIN = 200  # 25 mm
QR_MODULE_DOTS_MIN = 4  # 0.5 mm
QR_QUIET_MODULES = 4
QR_CHARACTERS_M = (20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600)
"""Characters of alphanumeric mode that versions 1, 2, ... hold at level M (ISO/IEC 18004)."""
QR_CHARACTERS_MAX = QR_CHARACTERS_M[-1]
"""The largest of these that fits on 58 mm with its quiet zone."""

_START = b"\x1b\x40\x1c\x26"  # initialise, Chinese mode on
_SIXTH_INCH = b"\x1b\x32"
_CUT = b"\x1d\x21\x00\x1d\x56\x42\x00"  # normal size, feed and partial cut
_ALPHANUMERIC = re.compile(rf"[0-9A-Z $%*+\-./:]{{1,{QR_CHARACTERS_MAX}}}")
# A printer acts on DLE EOT, DLE ENQ and DLE DC4 wherever they stand, also inside an image.
_REAL_TIME = re.compile(rb"\x10(?=[\x04\x05\x14])")
_NOT_REAL_TIME = b"\x18"  # one dot more


class SlipError(Exception):
    """The slip cannot be printed; the text says why, and by how much it is too long."""


@dataclass(frozen=True)
class SlipLine:
    """One paragraph: it wraps. `size` SIZE_MIN..SIZE_MAX, as the head of this file says."""

    text: str
    size: int = SIZE_MIN
    align: str = "left"


@dataclass(frozen=True)
class SlipQr:
    """A QR code, 25 mm wide or more. `text`: 1 to QR_CHARACTERS_MAX of alphanumeric mode."""

    text: str
    align: str = "left"


class Bitmap(NamedTuple):
    """`width` and `height` in dots; `data`: rows of whole bytes, most significant bit left."""

    width: int
    height: int
    data: bytes


Rasterise = Callable[[str, int], Bitmap | None]
"""Draws one row of text in a size, a RASTER_REPEAT-th of its dots each way: a half-width character
is `cell_dots(size)` by that. None when it lacks a character."""


def cell_dots(size: int) -> tuple[int, int]:
    """Width and height in dots of a half-width character of this size."""
    width, height = _factors(size)
    return width * CELL_DOTS // 2, height * CELL_DOTS


def points(size: int) -> float:
    """Height of a size in points, at 203 dots an inch."""
    return cell_dots(size)[1] * 72 / DOTS_PER_INCH


def build_slip(
    lines: Sequence[SlipLine | SlipQr],
    columns: int = COLUMNS_80_MM,
    rasterise: Rasterise | None = None,
) -> bytes:
    """Bytes for the printer. `columns`: half-width characters a line at 1x1. Raises SlipError."""
    slip = _Slip(columns, rasterise)
    for line in lines:
        if isinstance(line, SlipQr):
            slip.add_qr(line)
        else:
            slip.add_line(line)
    out = bytes(slip.out) + _CUT
    if slip.rows > LINES_MAX or len(out) > SLIP_BYTES_MAX:
        raise SlipError(
            f"slip of {slip.rows} lines and {len(out)} bytes; "
            f"at most {LINES_MAX} and {SLIP_BYTES_MAX}"
        )
    return out


class _Slip:
    """The bytes so far, and what the printer is set to at their end."""

    def __init__(self, columns: int, rasterise: Rasterise | None) -> None:
        self.out = bytearray(_START)
        self.rows = 0
        self._columns = columns
        self._rasterise = rasterise
        self._align, self._size = "left", 1

    def add_line(self, line: SlipLine) -> None:
        self._set_align(line.align)
        text = line.text if self._rasterise else _printable(line.text)
        size = line.size
        while size > SIZE_WRAPS_MAX and _width(text) > self._columns // size:
            size -= 1
        for row in wrap(text, self._columns // _factors(size)[0]):
            self._add_row(row, size)
            self.rows += 1

    def add_qr(self, qr: SlipQr) -> None:
        if _ALPHANUMERIC.fullmatch(qr.text) is None:
            raise SlipError(
                f"a QR code of {len(qr.text)} characters: it takes 1 to {QR_CHARACTERS_MAX} of "
                "0-9, A-Z, space and $%*+-./:"
            )
        self._set_align(qr.align)
        module = module_dots(len(qr.text))
        quiet = bytes((0x1B, 0x64, -(-QR_QUIET_MODULES * module // SIXTH_INCH_DOTS)))
        self.out += _SIXTH_INCH + quiet + _qr(qr.text.encode("ascii"), module) + quiet
        self._size = 0  # the spacing of lines is not that of any size now

    def _add_row(self, row: str, size: int) -> None:
        bitmap = None
        if self._rasterise is not None and not _is_in_every_font(row):
            bitmap = self._rasterise(_visible(row), size)
        if bitmap is not None:
            self.out += _raster(bitmap) + bytes((0x1B, 0x4A, LEADING_DOTS))
            return
        self._set_size(size)
        self.out += _printable(row).encode("gb18030") + b"\n"

    def _set_align(self, align: str) -> None:
        if align != self._align:
            self._align = align
            self.out += bytes((0x1B, 0x61, ALIGNS.index(align)))

    def _set_size(self, size: int) -> None:
        if size != self._size:
            self._size = size
            width, height = _factors(size)
            self.out += bytes((0x1D, 0x21, (width - 1) << 4 | height - 1))
            self.out += bytes((0x1B, 0x33, height * CELL_DOTS + LEADING_DOTS))


def module_dots(characters: int) -> int:
    """Dots of a QR module, so that a code of so many characters is 25 mm wide or more."""
    version = next(n for n, most in enumerate(QR_CHARACTERS_M, 1) if characters <= most)
    modules = 17 + 4 * version
    return max(QR_MODULE_DOTS_MIN, -(-QR_SIDE_DOTS_MIN // modules))


def _factors(size: int) -> tuple[int, int]:
    """How often a dot is repeated, in width and height."""
    return size, max(size, SIZE_WRAPS_MAX)


def _qr(data: bytes, module: int) -> bytes:
    """GS ( k: model 2, module size, level M, data, print."""
    store = (len(data) + 3).to_bytes(2, "little") + b"\x31\x50\x30" + data
    parts = (
        b"\x04\x00\x31\x41\x32\x00",
        b"\x03\x00\x31\x43" + bytes((module,)),
        b"\x03\x00\x31\x45\x31",
        store,
        b"\x03\x00\x31\x51\x30",
    )
    return b"".join(b"\x1d\x28\x6b" + part for part in parts)


def _raster(bitmap: Bitmap) -> bytes:
    """GS v 0, each dot repeated both ways."""
    columns = -(-bitmap.width // 8)
    data = _REAL_TIME.sub(_NOT_REAL_TIME, bitmap.data)
    size = columns.to_bytes(2, "little") + bitmap.height.to_bytes(2, "little")
    return b"\x1d\x76\x30\x03" + size + data


def wrap(text: str, columns: int) -> list[str]:
    """`text` in rows of at most `columns` half-width characters, broken at spaces where it can."""
    rows = []
    for paragraph in text.split("\n"):
        row = ""
        for word in _words(paragraph):
            if _width(row + word) > columns and row:
                rows.append(row.rstrip())
                row = ""
            row += word if row or not word.isspace() else ""
            while _width(row) > columns:
                head = _fitting(row, columns)
                rows.append(row[:head])
                row = row[head:]
        rows.append(row.rstrip())
    return rows


def _visible(text: str) -> str:
    """`text` without what is no character to be seen, such as a control byte."""
    return "".join(c if c == "\n" or c.isprintable() else UNPRINTABLE for c in text)


def _printable(text: str) -> str:
    """What the printer holds: GB18030's one- and two-byte characters, no control bytes."""
    return "".join(
        character if character == "\n" or _is_printable(character) else UNPRINTABLE
        for character in text
    )


def _is_printable(character: str) -> bool:
    return character.isprintable() and len(character.encode("gb18030")) <= 2


def _is_in_every_font(row: str) -> bool:
    """GBK, which every Chinese printer holds; what GB18030 adds in two bytes many do not."""
    try:
        row.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def _width(text: str) -> int:
    """Half-width columns: ASCII takes one, everything else two."""
    return sum(1 if character.isascii() else 2 for character in text)


def _words(text: str) -> list[str]:
    """Pieces that stay together: runs of narrow characters, spaces, single wide characters."""
    words: list[str] = []
    for character in text:
        glue = words and _width(character) == 1 == _width(words[-1][-1])
        if glue and character.isspace() == words[-1].isspace():
            words[-1] += character
        else:
            words.append(character)
    return words


def _fitting(text: str, columns: int) -> int:
    """How many characters of `text` fit, at least one."""
    width = 0
    for index, character in enumerate(text):
        width += _width(character)
        if width > columns:
            return max(index, 1)
    return len(text)
