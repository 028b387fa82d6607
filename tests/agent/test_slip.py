"""Slips: large print, the printer's own bytes, nothing in the text that steers the printer."""

import pytest
import segno
from escpos.constants import QR_ECLEVEL_M
from escpos.printer import Dummy
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.slip import (
    QR_CHARACTERS_MAX,
    SIZE_MAX,
    SIZE_MIN,
    SLIP_BYTES_MAX,
    Paper,
    SlipError,
    SlipLine,
    SlipQr,
    build_slip,
    module_dots,
    paper_of,
    points,
    wrap,
)
from simulator.paper.cli import print_bytes


def test_nothing_is_under_18_points_and_the_number_is_at_least_three_times_as_large() -> None:
    sizes = {size: round(points(size), 1) for size in range(SIZE_MIN, SIZE_MAX + 1)}
    assert sizes == {2: 25.5, 3: 25.5, 4: 34.0, 5: 42.6, 6: 51.1}
    assert 24 * 2 * 72 / 203 < 18, "twice as high would be 17 points"


def test_a_ticket_comes_out_byte_for_byte() -> None:
    """The ticket of the printer's facts; its text three times as high, lines 16 dots apart."""
    slip = build_slip([SlipLine("A001", 3, "centre"), SlipLine("请到3号窗口", 2, "centre")])
    assert slip == bytes.fromhex(
        "1B401C261B61011D21221B3358413030310A1D21121B3358C7EBB5BD33BAC5B4B0BFDA0A1D21001D564200"
    )


def test_text_size_spacing_and_cut_equal_an_independent_generator() -> None:
    other = Dummy()
    other.hw("INIT")
    other._raw(b"\x1c\x26")  # it has no word for Chinese mode
    other.set(align="center")
    other.set(custom_size=True, width=3, height=3)
    other.line_spacing(88, 180)
    other._raw("A001\n请到3号窗口\n".encode("gb18030"))
    other._raw(b"\x1d\x21\x00")
    other.cut(mode="PART", feed=False)
    lines = [SlipLine("A001", 3, "centre"), SlipLine("请到3号窗口", 3, "centre")]
    assert build_slip(lines) == other.output


@pytest.mark.parametrize("text", ["A001", "TB1/GATE-1/" + "A" * 140])
def test_a_code_equals_an_independent_generator(text: str) -> None:
    other = Dummy()
    other.qr(text, ec=QR_ECLEVEL_M, size=module_dots(len(text)), native=True)
    slip = build_slip([SlipQr(text)])
    quiet = {10: b"\x1b\x64\x02", 5: b"\x1b\x64\x01"}[module_dots(len(text))]
    assert b"\x1b\x32" + quiet + other.output.rstrip(b"\n") + quiet in slip


def test_a_code_has_its_quiet_zone_and_text_after_it_its_spacing() -> None:
    slip = build_slip([SlipLine("一"), SlipQr("A" * 140), SlipLine("二")])
    assert slip.count(b"\x1d\x21\x12\x1b\x33\x58") == 2
    items = print_bytes(slip)[0].items
    assert [type(item).__name__ for item in items[:5]] == ["Line", "Line", "Qr", "Line", "Line"]
    assert items[1].dots >= 4 * items[2].module_dots
    assert items[3].dots >= 4 * items[2].module_dots


@settings(max_examples=40, deadline=None)
@given(st.integers(1, QR_CHARACTERS_MAX))
def test_a_code_is_25_mm_wide_or_more_and_fits_on_narrow_paper(characters: int) -> None:
    side = segno.make_qr("A" * characters, error="m", boost_error=False).symbol_size(border=0)[0]
    dots = side * module_dots(characters)
    assert dots * 25.4 / 203 >= 25
    assert dots + 2 * 4 * module_dots(characters) <= 384


@pytest.mark.parametrize("text", ["", "a", "A" * (QR_CHARACTERS_MAX + 1), "\x1b@", "凭"])
def test_a_code_that_alphanumeric_mode_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(SlipError, match="QR code"):
        build_slip([SlipQr(text)])


def test_size_and_align_are_sent_when_they_change_only() -> None:
    slip = build_slip([SlipLine("一"), SlipLine("二"), SlipLine("三", 3, "right")])
    assert slip.count(b"\x1d\x21\x12") == 1
    assert slip.count(b"\x1d\x21\x22") == 1
    assert slip.count(b"\x1b\x61") == 1


@pytest.mark.parametrize(
    ("number", "columns", "size"),
    [
        ("B-017", 48, 6),
        ("B-017", 32, 6),
        ("AB-00017", 48, 6),
        ("AB-00017", 32, 4),
        ("9" * 12, 48, 4),
    ],
)
def test_a_number_gets_smaller_before_it_breaks(number: str, columns: int, size: int) -> None:
    slip = build_slip([SlipLine(number, 6)], Paper(columns * 12))
    assert bytes((0x1D, 0x21, (size - 1) * 0x11)) in slip
    assert number.encode() + b"\n" in slip


def test_lines_wrap_at_the_width_of_the_paper() -> None:
    assert wrap("一二三四五六七八九十", 12) == ["一二三四五六", "七八九十"]
    assert wrap("Terminal gate-1 at the door", 12) == ["Terminal", "gate-1 at", "the door"]
    assert wrap("2026-11-24 09:14", 24) == ["2026-11-24 09:14"]
    assert wrap("x" * 30, 12) == ["x" * 12, "x" * 12, "x" * 6]
    assert wrap("", 12) == [""]


def test_a_rare_character_becomes_one_that_the_printer_holds() -> None:
    assert "〓先生".encode("gb18030") in build_slip([SlipLine("𠮷先生")])


@pytest.mark.parametrize("clone", [False, True])
@pytest.mark.parametrize("dots", [384, 576])
def test_without_a_font_chinese_is_enlarged_by_fs_where_gs_is_ignored(
    clone: bool, dots: int
) -> None:
    data = build_slip([SlipLine("请等候A号", 3), SlipLine("B-017", 6)], Paper(dots, fs_size=True))
    (slip,) = print_bytes(data, {384: 58, 576: 80}[dots], clone=clone)
    chinese, number = [line for line in slip.lines if line.spans]
    assert {(span.style.width, span.style.height) for span in chinese.spans} == {(2, 2)}
    assert (number.width, number.height) == (6, 6)
    assert data.endswith(b"\x1c\x21\x00\x1c\x57\x00\x1d\x21\x00\x1d\x56\x42\x00")


@pytest.mark.parametrize(
    ("info", "paper"),
    [
        ({}, Paper(576)),
        ({"printer.dots": "384", "printer.fs_size": "1"}, Paper(384, fs_size=True)),
        ({"printer.dots": "512", "printer.fs_size": "0"}, Paper(512)),
        ({"printer.dots": "wide"}, Paper(576)),
        ({"printer.dots": "8"}, Paper(576)),
    ],
)
def test_the_paper_is_what_the_boards_hello_says(info: dict[str, str], paper: Paper) -> None:
    assert paper_of(info) == paper


def test_a_slip_that_is_too_long_is_refused() -> None:
    with pytest.raises(SlipError, match="at most"):
        build_slip([SlipLine("测" * 12)] * 41)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(2, 3), st.sampled_from([32, 48]))
def test_no_text_steers_the_printer(text: str, size: int, columns: int) -> None:
    line = SlipLine(text, size)
    head = bytes([0x1B, 0x40, 0x1C, 0x26, 0x1D, 0x21, {2: 0x12, 3: 0x22}[size], 0x1B, 0x33, 88])
    try:
        slip = build_slip([line], Paper(columns * 12))
    except SlipError:
        return
    assert len(slip) <= SLIP_BYTES_MAX
    body = slip.removeprefix(head).removesuffix(b"\x1d\x21\x00\x1d\x56\x42\x00")
    assert all(byte >= 0x20 or byte == 0x0A for byte in body)
    for row in body.decode("gb18030").split("\n"):
        assert sum(1 if character < "\x7f" else 2 for character in row) <= columns // size
