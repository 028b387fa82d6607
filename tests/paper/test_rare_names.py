"""A rare character in a name is on the paper as itself, not as □ and not as 〓."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont

from edge_agent.core.slip import (
    SLIP_BYTES_MAX,
    UNPRINTABLE,
    Bitmap,
    Paper,
    SlipLine,
    build_slip,
    cell_dots,
)
from edge_agent.raster import Rasteriser, installed_rasteriser, rasterise
from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from simulator.devices.paper import Line, Raster
from simulator.paper import render
from simulator.paper.font import FONT_PATH
from simulator.paper.picture import TOP_DOTS
from tests.paper.paper_tools import opened, printed

RARE = ["䶮", "𠮷", "㐂", "\U0002c629"]
"""U+4DAE, U+20BB7, U+3402, U+2C629: none is in GBK, the last three have four bytes in GB18030."""
RAREST = "\U0002c0f0"
"""Noto lacks it; Debian's fonts-hanazono has it."""
SANS_SC = 2


def drawn(path: str, face: int, character: str, width: int, height: int) -> Image.Image:
    """The character by a face of the font file, condensed, in ink on paper."""
    font = ImageFont.truetype(path, height, index=face)
    glyph = Image.new("L", (height, height), 0)
    ImageDraw.Draw(glyph).text((0, round(height * 7 / 8)), character, 255, font, anchor="ls")
    return glyph.resize((width, height)).point(lambda value: 255 if value >= 112 else 0)


def on_paper(character: str, size: int) -> Image.Image:
    """What the slip shows in the first cell, one pixel for the 2x2 dots that an image repeats."""
    slip = printed(build_slip([SlipLine(character, size)], rasterise=rasterise))
    width, height = cell_dots(size)
    cell = (32, TOP_DOTS, 32 + 2 * width, TOP_DOTS + height)
    shown = opened(render(slip)).crop(cell).point(lambda value: 255 if value < 128 else 0)
    return shown.resize((width, height // 2), Image.Resampling.NEAREST)


def unlike(one: Image.Image, other: Image.Image) -> float:
    """Share of the black dots of both that are not the same: 0 equal, 1 nothing in common."""
    wrong = ImageChops.difference(one, other).histogram()[255]
    return wrong / (one.histogram()[255] + other.histogram()[255])


@pytest.mark.parametrize("size", [2, 3, 6])
@pytest.mark.parametrize("character", RARE)
def test_the_paper_shows_the_rare_character_itself(character: str, size: int) -> None:
    shown = on_paper(character, size)
    for other in (character, "□", UNPRINTABLE, *(c for c in RARE if c != character)):
        as_font = drawn(str(FONT_PATH), SANS_SC, other, *shown.size)
        assert (unlike(shown, as_font) < 0.02) == (other == character), other


def test_a_character_that_the_first_font_lacks_comes_from_the_next() -> None:
    font = Path("/usr/share/fonts/truetype/hanazono/HanaMinB.ttf")
    shown = on_paper(RAREST, 3)
    if font.is_file():
        assert unlike(shown, drawn(str(font), 0, RAREST, *shown.size)) < 0.02
    else:
        geta = printed(build_slip([SlipLine(UNPRINTABLE, 3)]))
        assert printed(build_slip([SlipLine(RAREST, 3)], rasterise=rasterise)).text == geta.text


def test_only_the_row_with_the_rare_character_is_drawn() -> None:
    lines = [SlipLine("姓名"), SlipLine("样例䶮"), SlipLine("样例甲")]
    slip = printed(build_slip(lines, rasterise=rasterise))
    kinds = [type(item) for item in slip.items if isinstance(item, Line | Raster)]
    assert kinds[:3] == [Line, Raster, Line]


def test_a_drawn_row_stands_where_its_text_would() -> None:
    plain = printed(build_slip([SlipLine("样例甲", 3, "centre")], Paper(384)), 58)
    rare = printed(build_slip([SlipLine("样例䶮", 3, "centre")], Paper(384), rasterise), 58)
    (line,) = [item for item in plain.items if isinstance(item, Line) and item.spans]
    (row,) = [item for item in rare.items if isinstance(item, Raster)]
    assert row.align == "centre"
    assert (row.columns * 8 * row.width) // 8 * 8 >= 3 * 72 > (row.columns - 1) * 8 * row.width
    assert row.rows * row.height + 16 == line.dots


def test_a_row_is_drawn_as_wide_as_the_paper_and_no_wider() -> None:
    for columns, dots in ((48, 576), (32, 384)):
        slip = build_slip([SlipLine("䶮" * 12)], Paper(columns * 12), rasterise)
        rows = [i for i in printed(slip, 80).items if isinstance(i, Raster)]
        assert rows[0].columns * 8 * 2 == dots
        assert len(slip) <= SLIP_BYTES_MAX


def test_what_the_job_has_no_room_to_draw_is_a_mark_that_the_slip_explains() -> None:
    data = build_slip([SlipLine("䶮" * 120)], rasterise=rasterise, note="〓：打印机没有这个字")
    slip = printed(data)
    assert len(data) <= SLIP_BYTES_MAX
    drawn = len([item for item in slip.items if isinstance(item, Raster)])
    assert drawn >= 6
    assert slip.text.count("〓" * 12) == 10 - drawn > 0
    assert slip.lines[-1].text == "〓：打印机没有这个字"


def test_the_mark_is_explained_only_where_it_stands() -> None:
    note = "〓：打印机没有这个字"
    for line, explained in (("样例甲", False), ("样例䶮", False), ("样例\U00012345", True)):
        text = printed(build_slip([SlipLine(line)], rasterise=rasterise, note=note)).text
        assert (note in text) == explained


def test_where_nothing_can_be_drawn_a_geta_mark_is_printed() -> None:
    for cannot in (None, lambda _text, _size: None):
        slip = printed(build_slip([SlipLine("样例\U0002c0f0")], rasterise=cannot))
        assert slip.lines[0].text == "样例〓"


def test_a_character_that_the_font_lacks_too_is_not_drawn() -> None:
    assert rasterise("样例\U00012345", 2) is None
    slip = printed(build_slip([SlipLine("样例\U00012345")], rasterise=rasterise))
    assert slip.lines[0].text == "样例〓"


def test_a_missing_font_is_no_reason_not_to_print(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("edge_agent.raster._font_paths", lambda: [tmp_path / "no.ttc"])
    installed_rasteriser.cache_clear()
    try:
        assert rasterise("䶮", 2) is None
    finally:
        installed_rasteriser.cache_clear()


def test_a_control_byte_is_never_drawn_nor_sent() -> None:
    seen: list[str] = []

    def watch(text: str, _size: int) -> Bitmap:
        seen.append(text)
        return Bitmap(8, 1, b"\xff")

    build_slip([SlipLine("䶮\x1b@\x10\x04\x01")], rasterise=watch)
    assert set(seen) == {"䶮〓@〓〓〓"}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([0x10, 0x04, 0x05, 0x14, 0x02, 0x01, 0x08]), min_size=8))
def test_no_picture_steers_the_printer(dots: list[int]) -> None:
    """DLE EOT, DLE ENQ and DLE DC4 act on a printer also inside an image."""
    data = bytes(dots[: len(dots) // 8 * 8])
    bitmap = Bitmap(64, len(data) // 8, data)
    printer = EscposPrinter(timing=PrinterTiming(line_ms=0, cut_ms=0))
    printer.receive(build_slip([SlipLine("䶮")], rasterise=lambda _text, _size: bitmap), 0)
    assert printer.poll(1) == b"", "it answered to a dot"
    (row,) = [item for item in printer.slips[0].items if isinstance(item, Raster)]
    lost = int.from_bytes(data, "big") & ~int.from_bytes(row.data, "big")
    assert lost == 0, "a dot is added, never taken away"


def test_the_font_is_loaded_once_for_each_height() -> None:
    rasteriser = installed_rasteriser()
    assert isinstance(rasteriser, Rasteriser)
    assert rasteriser is installed_rasteriser()
