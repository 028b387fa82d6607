"""ESC/POS commands that set how the next characters look: one function each, one table.

A function gets the paper and the command's parameter byte (0 for a command without one).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from simulator.devices.paper import DOTS_A_LINE, Paper

_ALIGNMENTS = {0: "left", 48: "left", 1: "centre", 49: "centre", 2: "right", 50: "right"}


def _initialise(paper: Paper, _n: int) -> None:
    paper.initialise()


def _print_mode(paper: Paper, n: int) -> None:
    paper.style = replace(
        paper.style,
        width=1 + bool(n & 0x20),
        height=1 + bool(n & 0x10),
        bold=bool(n & 0x08),
        underline=bool(n & 0x80),
    )


def _size(paper: Paper, n: int) -> None:
    paper.style = replace(paper.style, width=(n >> 4 & 7) + 1, height=(n & 7) + 1)


def _bold(paper: Paper, n: int) -> None:
    paper.style = replace(paper.style, bold=bool(n & 1))


def _underline(paper: Paper, n: int) -> None:
    paper.style = replace(paper.style, underline=n in (1, 2, 49, 50))


def _reverse(paper: Paper, n: int) -> None:
    paper.style = replace(paper.style, reverse=bool(n & 1))


def _align(paper: Paper, n: int) -> None:
    if paper.is_empty:  # it counts only at the beginning of a line
        paper.align = _ALIGNMENTS.get(n, paper.align)


def _chinese_on(paper: Paper, _n: int) -> None:
    paper.chinese = True


def _chinese_off(paper: Paper, _n: int) -> None:
    paper.chinese = False


def _chinese_mode(paper: Paper, n: int) -> None:
    paper.kanji_width = 1 + bool(n & 4)
    paper.kanji_height = 1 + bool(n & 8)
    paper.kanji_underline = bool(n & 0x80)


def _chinese_double(paper: Paper, n: int) -> None:
    paper.kanji_width = paper.kanji_height = 1 + (n & 1)


def _code_page(paper: Paper, n: int) -> None:
    paper.code_page = n


def _spacing(paper: Paper, n: int) -> None:
    paper.spacing_dots = n


def _default_spacing(paper: Paper, _n: int) -> None:
    paper.spacing_dots = DOTS_A_LINE


def _barcode_height(paper: Paper, n: int) -> None:
    paper.barcode_dots = n


MODES: Mapping[str, Callable[[Paper, int], None]] = {
    "ESC @": _initialise,
    "ESC !": _print_mode,
    "GS !": _size,
    "ESC E": _bold,
    "ESC G": _bold,
    "ESC -": _underline,
    "GS B": _reverse,
    "ESC a": _align,
    "FS &": _chinese_on,
    "FS .": _chinese_off,
    "FS !": _chinese_mode,
    "FS W": _chinese_double,
    "ESC t": _code_page,
    "ESC 3": _spacing,
    "ESC 2": _default_spacing,
    "GS h": _barcode_height,
}
