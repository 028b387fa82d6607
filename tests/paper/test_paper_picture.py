"""A slip's picture is what the printer prints, dot by dot, and shows what went wrong."""

import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont

from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from simulator.devices.paper import Slip
from simulator.paper import PICTURE_DOTS_MAX, PaperError, as_picture, render
from simulator.paper.font import BLACK_FROM, FACE, FONT_PATH
from simulator.paper.picture import PAPER_DOTS, PRINT_DOTS, TOP_DOTS
from tests.paper.paper_tools import CUT, HEAD, gb, ink_box, opened, printed, qr, scanned

SPEED_MS_MAX = 150
PROOF = b"TB1/GATE-1/B-017/20261127/GREEN/CITY/NANCHENG/HALL-1/" + b"ABCDEFGH" * 13


def box_of(data: bytes, width_mm: int = 80) -> tuple[int, int, int, int]:
    return ink_box(render(printed(HEAD + data + CUT, width_mm), width_mm))


@pytest.mark.parametrize(("width_mm", "dots"), [(80, 640), (58, 464)])
def test_the_paper_is_as_wide_as_the_roll_at_203_dots_an_inch(width_mm: int, dots: int) -> None:
    slip = printed(HEAD + gb("凭条") + CUT, width_mm)
    picture = as_picture(slip, width_mm)
    assert picture.width == dots == round(width_mm / 25.4 * 203 / 16) * 16
    saved = Image.open(io.BytesIO(render(slip, width_mm)))
    assert round(saved.info["dpi"][0]) == 203


def test_a_character_has_the_dots_of_the_font_times_its_size() -> None:
    """The picture's own glyph: 24 dots of Noto, black and white, each dot three times."""
    face = ImageFont.truetype(str(FONT_PATH), 24, index=FACE)
    glyph = Image.new("L", (24, 24), 0)
    ImageDraw.Draw(glyph).text((0, 21), "通", 255, face, anchor="ls")
    glyph = glyph.point(lambda ink: 0 if ink >= BLACK_FROM else 255).resize((72, 72), 0)
    picture = opened(render(printed(HEAD + b"\x1d\x21\x22" + gb("通") + CUT)))
    left = (640 - 576) // 2
    crop = picture.crop((left, TOP_DOTS, left + 72, TOP_DOTS + 72))
    crop = crop.point(lambda value: 0 if value < 128 else 255)
    assert ImageChops.difference(crop, glyph).getbbox() is None


def test_letters_are_half_as_wide_as_chinese_characters() -> None:
    wide, narrow = box_of(gb("国" * 10)), box_of(gb("H" * 20))
    assert abs((wide[2] - wide[0]) - 240) <= 4
    assert abs((narrow[2] - narrow[0]) - 240) <= 4


@pytest.mark.parametrize(("size", "dots"), [(0x00, 24), (0x11, 48), (0x22, 72), (0x55, 144)])
def test_sizes_multiply_both_ways(size: int, dots: int) -> None:
    left, top, right, bottom = box_of(b"\x1d\x21" + bytes((size,)) + gb("国"))
    assert dots * 0.8 <= right - left <= dots
    assert dots * 0.8 <= bottom - top <= dots


@pytest.mark.parametrize("width_mm", [80, 58])
def test_alignment_puts_text_left_centre_and_right(width_mm: int) -> None:
    edge = (PAPER_DOTS[width_mm] - PRINT_DOTS[width_mm]) // 2
    boxes = [box_of(b"\x1ba" + bytes((n,)) + gb("口口"), width_mm) for n in (0, 1, 2)]
    assert boxes[0][0] - edge <= 4
    assert abs(boxes[1][0] + boxes[1][2] - PAPER_DOTS[width_mm]) <= 4
    assert PAPER_DOTS[width_mm] - edge - boxes[2][2] <= 4


def test_bold_underline_and_reverse_show() -> None:
    def dark(data: bytes) -> int:
        return opened(render(printed(HEAD + data + CUT))).histogram()[32]

    plain = dark(gb("凭条"))
    assert dark(b"\x1bE\x01" + gb("凭条")) > plain * 1.2
    assert plain + 48 <= dark(b"\x1b-\x01" + gb("凭条")) <= plain + 2 * 48
    assert dark(b"\x1dB\x01" + gb("凭条")) == 2 * 24 * 24 - plain


def test_a_character_that_the_printer_lacks_is_an_empty_square() -> None:
    lacks = render(printed(HEAD + gb("\U0002c0f0") + CUT))
    assert lacks == render(printed(HEAD + gb("□") + CUT))


def test_lines_of_a_code_page_keep_letters_narrow() -> None:
    left, _, right, _ = box_of(b"\x1c.\x1bt\x02" + b"\x82" * 10 + b"\n")
    assert right - left <= 120


@pytest.mark.parametrize("width_mm", [80, 58])
@pytest.mark.parametrize("module", [3, 4, 5, 6])
def test_a_scanner_reads_the_qr_code(width_mm: int, module: int) -> None:
    data = HEAD + b"\x1ba\x01" + gb("凭条") + b"\x1bJ\x18" + qr(PROOF, module) + b"\x1bJ\x18" + CUT
    assert scanned(render(printed(data, width_mm), width_mm)) == [("QR Code", PROOF.decode())]


def test_a_qr_code_wider_than_the_paper_is_not_printed() -> None:
    slip = printed(HEAD + gb("国") + qr(PROOF, 16) + CUT, 58)
    assert scanned(render(slip, 58)) == []
    assert ink_box(render(slip, 58))[3] < TOP_DOTS + 30


def test_more_than_any_qr_code_holds_is_not_printed() -> None:
    slip = printed(HEAD + gb("国") + qr(b"x" * 4000) + CUT)
    assert scanned(render(slip)) == []


@pytest.mark.parametrize(
    ("command", "name", "text"),
    [
        (b"\x1dkI\x0b{B4419-0001", "Code 128", "4419-0001"),
        (b"\x1dkC\x0c690123456789", "EAN-13", "6901234567892"),
        (b"\x1dkD\x071234567", "EAN-8", "12345670"),
        (b"\x1dkA\x0b03600029145", "EAN-13", "0036000291452"),  # UPC-A is EAN-13 with a 0
        (b"\x1dkE\x06TB-417", "Code 39", "TB-417"),
        (b"\x1dkF\x0800441900", "ITF", "00441900"),
    ],
)
def test_a_scanner_reads_the_barcode(command: bytes, name: str, text: str) -> None:
    png = render(printed(HEAD + b"\x1ba\x01" + command + b"\x1bJ\x20" + CUT))
    assert scanned(png) == [(name, text)]


@pytest.mark.parametrize("command", [b"\x1dkG\x05A123B", b"\x1dkF\x03123", b"\x1dkC\x03abc"])
def test_a_barcode_that_cannot_be_drawn_shows_its_text_in_a_frame(command: bytes) -> None:
    png = render(printed(HEAD + command + CUT))
    assert scanned(png) == []
    left, top, _, bottom = ink_box(png)
    assert (left, top, bottom) == (32, TOP_DOTS, TOP_DOTS + 162)


def test_a_raster_image_keeps_its_dots_and_its_place() -> None:
    image = b"\x1dv0\x00\x02\x00\x03\x00" + b"\xff\xff\x80\x01\xff\xff"
    assert box_of(image) == (32, TOP_DOTS, 48, TOP_DOTS + 3)
    assert box_of(b"\x1ba\x01" + image) == (312, TOP_DOTS, 328, TOP_DOTS + 3)
    doubled = image.replace(b"v0\x00", b"v0\x03")
    assert box_of(doubled) == (32, TOP_DOTS, 64, TOP_DOTS + 6)


# ---- what went wrong


def edge_heights(slip: Slip) -> set[int]:
    """Where the paper ends at the bottom, over its width."""
    image = Image.open(io.BytesIO(render(slip))).convert("RGBA")
    alpha = image.getchannel("A")
    column = [alpha.crop((x, 0, x + 1, alpha.height)).getbbox() for x in range(2, 638)]
    return {box[3] for box in column if box is not None}


def test_a_full_cut_is_straight_a_partial_cut_leaves_a_bridge_a_torn_end_is_ragged() -> None:
    text = HEAD + gb("凭条")
    assert len(edge_heights(printed(text + b"\x1dV\x00"))) == 1
    bridge, cut = max(edge_heights(printed(text + CUT))), min(edge_heights(printed(text + CUT)))
    assert 4 <= bridge - cut <= 12
    assert len(edge_heights(printed(text))) >= 6


def test_paper_that_ran_out_shows_the_end_of_the_roll_and_the_rest_begins_ragged() -> None:
    printer = EscposPrinter(timing=PrinterTiming(line_ms=0, cut_ms=0, lines_until_out=2))
    printer.faults.add("paper_out_mid_job")
    printer.receive(HEAD + gb("一") + gb("二") + gb("三") + gb("四") + CUT, 0)
    printer.change_roll()
    printer.poll(1)
    first, second = printer.slips
    assert (first.cut, first.text) == ("roll_end", "一\n二")
    reds = as_picture(first).convert("RGB").getpixel((5, as_picture(first).height - 40))
    assert reds[0] > reds[1] + 80, "the red stripes of the last hand's breadth"
    assert "continued" in second.faults
    top = as_picture(second).convert("RGBA")
    alpha = Image.open(io.BytesIO(render(second))).convert("RGBA").getchannel("A")
    assert {alpha.getpixel((x, 1)) for x in range(top.width)} == {0, 255}


def test_print_fades_under_a_hot_head() -> None:
    slip = printed(HEAD + gb("国") * 12 + CUT)
    sharp = render(slip)
    slip.faults.append("head_hot")
    box = ink_box(sharp)
    faded = opened(render(slip))
    top = faded.crop((box[0], box[1], box[2], box[1] + 24)).getextrema()[0]
    bottom = faded.crop((box[0], box[3] - 24, box[2], box[3])).getextrema()[0]
    assert top < 60
    assert 110 < bottom < 200


def test_a_slip_longer_than_a_metre_is_drawn_that_far_and_ends_torn() -> None:
    slip = printed(HEAD + gb("国") * 400 + CUT)
    assert as_picture(slip).height == PICTURE_DOTS_MAX
    assert len(edge_heights(slip)) >= 6


def test_an_empty_slip_is_a_piece_of_paper() -> None:
    assert as_picture(Slip(cut="partial")).size == (640, TOP_DOTS + 40)


def test_a_width_that_no_roll_has_is_refused() -> None:
    with pytest.raises(PaperError, match="choose 80 or 58"):
        render(Slip(), 57)


# ---- the picture itself


def test_the_same_slip_gives_the_same_bytes() -> None:
    data = HEAD + gb("凭条 B-017") + qr(PROOF) + CUT
    assert render(printed(data)) == render(printed(data))


def test_a_slip_is_drawn_in_time_for_a_live_page() -> None:
    """Time of the processor: other work on this machine does not count."""
    slips = [
        printed(HEAD + gb(f"第{n}号 请到{n}号窗口") * 8 + qr(PROOF + b"%d" % n) + CUT)
        for n in range(5)
    ]
    times = []
    for slip in slips:
        begun = time.process_time()
        render(slip)
        times.append((time.process_time() - begun) * 1000)
    assert min(times) < SPEED_MS_MAX, times


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([80, 58]))
def test_whatever_is_printed_can_be_drawn(data: bytes, width_mm: int) -> None:
    printer = EscposPrinter(timing=PrinterTiming(line_ms=0, cut_ms=0), columns=48)
    printer.receive(HEAD + data, 0)
    printer.tear_off()
    for slip in printer.slips:
        picture = as_picture(slip, width_mm)
        assert picture.width == PAPER_DOTS[width_mm]
        assert picture.height <= PICTURE_DOTS_MAX


# ---- a code that was not treated well


@pytest.mark.parametrize("width_mm", [80, 58])
@pytest.mark.parametrize("harm", ["faded", "dead dots", "coffee", "creased", "torn below"])
def test_a_scanner_reads_a_code_that_is_a_little_damaged(width_mm: int, harm: str) -> None:
    data = HEAD + b"\x1ba\x01" + gb("凭条") + b"\x1bJ\x18" + qr(PROOF) + b"\x1bJ\x18"
    slip = printed(data + (b"" if harm == "torn below" else CUT), width_mm)
    if harm == "faded":
        slip.faults.append("head_hot")
    image = opened(render(slip, width_mm))
    left, _, right, bottom = ink_box(render(slip, width_mm))
    draw = ImageDraw.Draw(image)
    if harm == "dead dots":  # a burnt element of the head leaves a white line
        draw.rectangle(((left + right) // 2, 0, (left + right) // 2 + 2, image.height), 250)
    elif harm == "coffee":
        draw.ellipse((right - 70, bottom - 95, right - 45, bottom - 70), 90)
    elif harm == "creased":
        draw.line((left, bottom - 60, right, bottom - 110), 240, 4)
    file = io.BytesIO()
    image.save(file, "PNG")
    assert scanned(file.getvalue()) == [("QR Code", PROOF.decode())]
