"""Bytes of python-escpos, written by other people, come out as the right slip."""

import warnings

import pytest
from escpos.printer import Dummy
from PIL import Image

from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.paper import Barcode, Qr, Raster


@pytest.fixture
def printed(line):
    def run(job: Dummy):
        printer = EscposPrinter()
        line(printer).ask(job.output)
        slip = printer.take_slip()
        assert printer.take_slip() is None
        return slip

    return run


def test_text_with_chinese(printed) -> None:
    job = Dummy()
    job.set(align="center", custom_size=True, width=3, height=3)
    job.text("已登记\n")
    job.set(align="left", double_width=True, double_height=True, bold=True)
    job.text("请到3号窗口 A001\n")
    job.cut(mode="PART")
    slip = printed(job)
    first, second = slip.lines[0], slip.lines[1]
    assert (first.text, first.width, first.height, first.align) == ("已登记", 3, 3, "centre")
    assert (second.text, second.width, second.height) == ("请到3号窗口 A001", 2, 2)
    assert second.spans[0].style.bold
    assert (slip.cut, slip.complete) == ("partial", True)


def test_native_qr(printed) -> None:
    job = Dummy()
    job.qr("https://example.org/A001", ec=2, size=6, native=True)
    job.cut()
    slip = printed(job)
    assert Qr(b"https://example.org/A001", 6, "Q") in slip.items
    assert slip.cut == "full"


def test_barcodes(printed) -> None:
    job = Dummy()
    job.barcode("{B4419-0001", "CODE128")
    job.barcode("690123456789", "EAN13", function_type="A")
    job.cut()
    assert [i for i in printed(job).items if isinstance(i, Barcode)] == [
        Barcode(73, b"4419-0001", "centre", 64),
        Barcode(67, b"690123456789", "centre", 64),
    ]


def test_raster_image_keeps_its_pixels(printed) -> None:
    picture = Image.new("1", (24, 9), 1)
    for at in range(9):
        picture.putpixel((at, at), 0)
    job = Dummy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job.image(picture, impl="bitImageRaster")
    job.cut()
    (raster,) = [i for i in printed(job).items if isinstance(i, Raster)]
    assert (raster.columns, raster.rows) == (3, 9)
    rows = [int.from_bytes(raster.data[at : at + 3], "big") for at in range(0, 27, 3)]
    assert rows == [1 << 23 - at for at in range(9)]


@pytest.mark.parametrize("how", ["bitImageColumn", "graphics"])
def test_other_image_commands_are_taken_whole(printed, how: str) -> None:
    job = Dummy()
    job.image(Image.new("1", (40, 30), 0), impl=how)
    job.text("end\n")
    job.cut()
    assert printed(job).text.strip() == "end"


def test_drawer_and_density_leave_no_trace(printed) -> None:
    job = Dummy()
    job.cashdraw(2)
    job.set(density=4, smooth=True, flip=False, underline=1)
    job.text("x\n")
    job.cut(feed=False)
    assert printed(job).text == "x"
