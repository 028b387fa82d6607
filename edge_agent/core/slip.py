"""Slips as ESC/POS bytes: large print, GB18030, one feed and partial cut at the end.

A character at 1x1 is 3 mm high; slips use at least 2x2 (6 mm, 17 pt), numbers 3x3 (25 pt).
The board adds the process id that proves the print (GS ( H); it is no part of the slip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SIZE_MIN = 2
SIZE_MAX = 3
COLUMNS_80_MM = 48
LINES_MAX = 40
SLIP_BYTES_MAX = 4096
UNPRINTABLE = "〓"
ALIGNS = ("left", "centre", "right")

_START = b"\x1b\x40\x1c\x26"  # initialise, Chinese mode on
_CUT = b"\x1d\x21\x00\x1d\x56\x42\x00"  # normal size, feed and partial cut


class SlipError(Exception):
    """The slip is too long to print; the text says by how much."""


@dataclass(frozen=True)
class SlipLine:
    """One paragraph: it wraps. `size` 2..3 is a factor in both directions."""

    text: str
    size: int = SIZE_MIN
    align: str = "left"


def build_slip(lines: Sequence[SlipLine], columns: int = COLUMNS_80_MM) -> bytes:
    """Bytes for the printer. `columns`: half-width characters a line at 1x1. Raises SlipError."""
    out = bytearray(_START)
    align, size = "left", 1
    count = 0
    for line in lines:
        if line.align != align:
            align = line.align
            out += bytes((0x1B, 0x61, ALIGNS.index(align)))
        if line.size != size:
            size = line.size
            out += bytes((0x1D, 0x21, (size - 1) * 0x11))
        for row in wrap(_printable(line.text), columns // size):
            out += row.encode("gb18030") + b"\n"
            count += 1
    out += _CUT
    if count > LINES_MAX or len(out) > SLIP_BYTES_MAX:
        raise SlipError(
            f"slip of {count} lines and {len(out)} bytes; at most {LINES_MAX} and {SLIP_BYTES_MAX}"
        )
    return bytes(out)


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


def _printable(text: str) -> str:
    """What the printer holds: GB18030's one- and two-byte characters, no control bytes."""
    return "".join(
        character if character == "\n" or _is_printable(character) else UNPRINTABLE
        for character in text
    )


def _is_printable(character: str) -> bool:
    if not character.isprintable():
        return False
    return len(character.encode("gb18030")) <= 2


def _width(text: str) -> int:
    """Half-width columns: a two-byte character takes two."""
    return len(text.encode("gb18030"))


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
