"""Slips as ESC/POS bytes: print for weak eyes, GB18030, one feed and partial cut at the end.

At 203 dots an inch a character of 24 dots is 8.5 pt high, twice as high 17.0, three times 25.5. So
nothing on a slip is under three times as high: size 2 is two times as wide and three times as high,
so that 12 Chinese characters fit on 80 mm; the sizes above multiply both ways (25.5 pt to 51 pt).
What is larger than 3 is meant for a number: it gets smaller before it breaks.

A character that the printer's font may lack is drawn: its line goes out as a raster image, if the
caller has a way to draw (`rasterise`) and the job has room; else it is printed as a geta mark, and
the slip says what the mark means (`note`). The board adds the process id that proves the print
(GS ( H); it is no part of the slip.

A printer that ignores GS ! for Chinese (`Paper.fs_size`) enlarges it by FS ! and FS W, twice at
most: 17 pt. So its Chinese rows are drawn as well, as long as the job has room: all at 18.4 pt
first, then the largest as large as anywhere.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SIZE_MIN = 2
SIZE_WRAPS_MAX = 3
SIZE_MAX = 6
DOTS_80_MM, DOTS_58_MM = 576, 384
LINES_MAX = 40
SLIP_BYTES_MAX = 6400
UNPRINTABLE = "〓"
ALIGNS = ("left", "centre", "right")

CELL_DOTS = 24
DOTS_PER_INCH = 203
LEADING_DOTS = 16
SIXTH_INCH_DOTS = 30
"""A line after ESC 2: 30 dots or a little more, whatever unit of motion the printer counts in."""
LEAST_DRAWN = 1
"""The smallest size of a drawn row: as wide as size 2, 18.4 pt high."""
LEAST_DRAWN_DOTS = 52
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
_FS_TWICE = b"\x1c\x21\x0c\x1c\x57\x01"
_FS_ONCE = b"\x1c\x21\x00\x1c\x57\x00"
_GS_TWICE = 0x11
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


@dataclass(frozen=True)
class Paper:
    """`dots`: the width that the printer prints. `fs_size`: it enlarges Chinese by FS, not GS."""

    dots: int = DOTS_80_MM
    fs_size: bool = False

    @property
    def columns(self) -> int:
        """Half-width characters a line at 1x1."""
        return self.dots // (CELL_DOTS // 2)


PAPER_80_MM = Paper()
DOTS_KEY, FS_SIZE_KEY = "printer.dots", "printer.fs_size"


def paper_of(info: Mapping[str, str]) -> Paper:
    """What a board's HELLO says of its printer; 80 mm where it says nothing that can be."""
    dots = info.get(DOTS_KEY, "")
    known = dots.isdecimal() and DOTS_58_MM <= int(dots) <= DOTS_80_MM
    return Paper(int(dots) if known else DOTS_80_MM, info.get(FS_SIZE_KEY) == "1")


class Bitmap(NamedTuple):
    """`width` and `height` in dots; `data`: rows of whole bytes, most significant bit left."""

    width: int
    height: int
    data: bytes


STATE_BYTES = 24
"""At most so many bytes of settings does an image in place of a row add."""
Rasterise = Callable[[str, int], Bitmap | None]
"""Draws one row of text in a size, a RASTER_REPEAT-th of its dots each way: a half-width character
is `cell_dots(size)` by that. None when it lacks a character."""


def cell_dots(size: int) -> tuple[int, int]:
    """Width and height in dots of a half-width character of this size."""
    if size == LEAST_DRAWN:
        return CELL_DOTS, LEAST_DRAWN_DOTS
    width, height = _factors(size)
    return width * CELL_DOTS // 2, height * CELL_DOTS


def points(size: int) -> float:
    """Height of a size in points, at 203 dots an inch."""
    return cell_dots(size)[1] * 72 / DOTS_PER_INCH


def build_slip(
    lines: Sequence[SlipLine | SlipQr],
    paper: Paper = PAPER_80_MM,
    rasterise: Rasterise | None = None,
    note: str = "",
) -> bytes:
    """Bytes for the printer. `note`: what a geta mark means, printed last if there is one. Raises
    SlipError."""
    items = [item for line in lines for item in _items(line, paper)]
    rows = [item for item in items if isinstance(item, _Row)]
    images = _images(rows, paper, rasterise, SLIP_BYTES_MAX - len(_bytes(items, {}, paper)))
    if note and any(UNPRINTABLE in _printable(row.text) for row in rows if row not in images):
        noted = _rows(SlipLine(note), paper)
        items, rows = [*items, *noted], rows + noted
    out = _bytes(items, images, paper)
    if len(rows) > LINES_MAX or len(out) > SLIP_BYTES_MAX:
        raise SlipError(
            f"slip of {len(rows)} lines and {len(out)} bytes; "
            f"at most {LINES_MAX} and {SLIP_BYTES_MAX}"
        )
    return out


@dataclass(frozen=True, eq=False)
class _Row:
    """What stands on one line of paper."""

    text: str
    size: int
    align: str


def _items(line: SlipLine | SlipQr, paper: Paper) -> "list[_Row | SlipQr]":
    if isinstance(line, SlipLine):
        return list(_rows(line, paper))
    if _ALPHANUMERIC.fullmatch(line.text) is None:
        raise SlipError(
            f"a QR code of {len(line.text)} characters: it takes 1 to {QR_CHARACTERS_MAX} of "
            "0-9, A-Z, space and $%*+-./:"
        )
    return [line]


def _rows(line: SlipLine, paper: Paper) -> list[_Row]:
    text, size = _visible(line.text), line.size
    while size > SIZE_WRAPS_MAX and _width(text) > paper.columns // size:
        size -= 1
    rows = wrap(text, paper.columns // _factors(size)[0])
    return [_Row(row, size, line.align) for row in rows]


def _images(
    rows: Sequence[_Row], paper: Paper, rasterise: Rasterise | None, room: int
) -> dict[_Row, bytes]:
    """The rows that are drawn: those with rare characters, then what the printer cannot enlarge.
    First each as small as it may be; what is left of `room` makes them as large as they should."""
    images: dict[_Row, bytes] = {}
    if rasterise is None:
        return images
    rare = [row for row in rows if not _is_in_every_font(row.text)]
    small = [row for row in rows if paper.fs_size and row not in rare and not row.text.isascii()]
    small.sort(key=lambda row: -row.size)
    for own_size in (False, True):
        for row in [*rare, *small]:
            size = row.size if own_size else LEAST_DRAWN
            if own_size and paper.fs_size and size == SIZE_MIN:
                continue  # as large as it is meant to be
            bitmap = rasterise(row.text, size)
            if bitmap is None:
                continue
            image = _raster(bitmap) + bytes((0x1B, 0x4A, LEADING_DOTS))
            more = len(image) - len(images[row]) if row in images else len(image) + STATE_BYTES
            if more <= room:
                room -= more
                images[row] = image
            elif own_size:
                break  # the rows of one paragraph look alike
    return images


def _bytes(items: "Sequence[_Row | SlipQr]", images: Mapping[_Row, bytes], paper: Paper) -> bytes:
    slip = _Slip(paper)
    for item in items:
        slip.set_align(item.align)
        if isinstance(item, SlipQr):
            slip.add_qr(item.text)
        elif item in images:
            slip.out += images[item]
        else:
            slip.add_row(item)
    return bytes(slip.out) + slip.end()


class _Slip:
    """The bytes so far, and what the printer is set to at their end."""

    def __init__(self, paper: Paper) -> None:
        self.out = bytearray(_START)
        self._paper = paper
        self._align, self._size = "left", b""
        self._enlarged = False

    def set_align(self, align: str) -> None:
        """For the lines that follow."""
        if align != self._align:
            self._align = align
            self.out += bytes((0x1B, 0x61, ALIGNS.index(align)))

    def add_qr(self, text: str) -> None:
        """The code with its quiet zone."""
        module = module_dots(len(text))
        quiet = bytes((0x1B, 0x64, -(-QR_QUIET_MODULES * module // SIXTH_INCH_DOTS)))
        self.out += _SIXTH_INCH + quiet + _qr(text.encode("ascii"), module) + quiet
        self._size = b""  # the spacing of lines is not that of any size now

    def add_row(self, row: _Row) -> None:
        """The row as characters of the printer's font."""
        text = _printable(row.text)
        if self._paper.fs_size and not text.isascii():
            self._set_size(_GS_TWICE, 2 * CELL_DOTS)
            self.out += b"" if self._enlarged else _FS_TWICE
            self._enlarged = True
        else:
            width, height = _factors(row.size)
            self._set_size((width - 1) << 4 | height - 1, height * CELL_DOTS)
        self.out += text.encode("gbk") + b"\n"

    def end(self) -> bytes:
        """Sizes as at first, and the cut."""
        return (_FS_ONCE if self._enlarged else b"") + _CUT

    def _set_size(self, factors: int, height_dots: int) -> None:
        size = bytes((0x1D, 0x21, factors, 0x1B, 0x33, height_dots + LEADING_DOTS))
        if size != self._size:
            self._size = size
            self.out += size


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
    """What every Chinese printer holds; a geta mark for the rest."""
    return "".join(c if _is_in_every_font(c) else UNPRINTABLE for c in text)


def _is_in_every_font(text: str) -> bool:
    """GBK; what GB18030 adds in two bytes many printers show as an empty box."""
    try:
        text.encode("gbk")
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
