"""Slips: large print, the printer's own bytes, nothing in the text that steers the printer."""

import pytest
from escpos.printer import Dummy
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.slip import SLIP_BYTES_MAX, SlipError, SlipLine, build_slip, wrap


def test_the_ticket_of_the_manual_comes_out_byte_for_byte() -> None:
    slip = build_slip([SlipLine("A001", 3, "centre"), SlipLine("请到3号窗口", 2, "centre")])
    assert slip == bytes.fromhex(
        "1B401C261B61011D2122413030310A1D2111C7EBB5BD33BAC5B4B0BFDA0A1D21001D564200"
    )


def test_text_size_and_cut_equal_an_independent_generator() -> None:
    other = Dummy()
    other.hw("INIT")
    other._raw(b"\x1c\x26")  # it has no word for Chinese mode
    other.set(align="center")
    other.set(custom_size=True, width=3, height=3)
    other._raw("A001\n请到3号窗口\n".encode("gb18030"))
    other._raw(b"\x1d\x21\x00")
    other.cut(mode="PART", feed=False)
    lines = [SlipLine("A001", 3, "centre"), SlipLine("请到3号窗口", 3, "centre")]
    assert build_slip(lines) == other.output


def test_size_and_align_are_sent_when_they_change_only() -> None:
    slip = build_slip([SlipLine("一"), SlipLine("二"), SlipLine("三", 3, "right")])
    assert slip.count(b"\x1d\x21\x11") == 1
    assert slip.count(b"\x1d\x21\x22") == 1
    assert slip.count(b"\x1b\x61") == 1


def test_lines_wrap_at_the_width_of_the_paper() -> None:
    assert wrap("一二三四五六七八九十", 12) == ["一二三四五六", "七八九十"]
    assert wrap("Terminal gate-1 at the door", 12) == ["Terminal", "gate-1 at", "the door"]
    assert wrap("2026-11-24 09:14", 24) == ["2026-11-24 09:14"]
    assert wrap("x" * 30, 12) == ["x" * 12, "x" * 12, "x" * 6]
    assert wrap("", 12) == [""]


def test_a_rare_character_becomes_one_that_the_printer_holds() -> None:
    assert "〓先生".encode("gb18030") in build_slip([SlipLine("𠮷先生")])


def test_a_slip_that_is_too_long_is_refused() -> None:
    with pytest.raises(SlipError, match="at most"):
        build_slip([SlipLine("测" * 12)] * 41)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(2, 3), st.sampled_from([32, 48]))
def test_no_text_steers_the_printer(text: str, size: int, columns: int) -> None:
    line = SlipLine(text, size)
    head = bytes([0x1B, 0x40, 0x1C, 0x26, 0x1D, 0x21, (size - 1) * 0x11])
    try:
        slip = build_slip([line], columns)
    except SlipError:
        return
    assert len(slip) <= SLIP_BYTES_MAX
    body = slip.removeprefix(head).removesuffix(b"\x1d\x21\x00\x1d\x56\x42\x00")
    assert all(byte >= 0x20 or byte == 0x0A for byte in body)
    for row in body.decode("gb18030").split("\n"):
        assert sum(1 if character < "\x7f" else 2 for character in row) <= columns // size
