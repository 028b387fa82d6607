"""Helpers of the paper tests: bytes to slips to pictures, and what a scanner reads from them."""

import io

import zxingcpp
from PIL import Image

from simulator.devices.paper import Slip
from simulator.paper.cli import print_bytes

DOT = 255
_BLACK_BELOW = 128


def printed(data: bytes, width_mm: int = 80, *, clone: bool = False) -> Slip:
    """The one slip that these bytes print."""
    (slip,) = print_bytes(data, width_mm, clone=clone)
    return slip


def opened(png: bytes) -> Image.Image:
    """The picture as a person sees it: what is cut away lies on white."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, image).convert("L")


def scanned(png: bytes) -> list[tuple[str, str]]:
    """(format, text) of every code that a scanner finds."""
    return [(str(code.format), code.text) for code in zxingcpp.read_barcodes(opened(png))]


def ink_box(png: bytes) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is printed; the paper's edges are paler."""
    box = opened(png).point(lambda value: 255 if value < _BLACK_BELOW else 0).getbbox()
    assert box is not None, "nothing is printed"
    return box


def gb(text: str) -> bytes:
    return text.encode("gb18030") + b"\n"


def qr(data: bytes, module: int = 5, level: bytes = b"1") -> bytes:
    """GS ( k: model 2, module size, correction M, store, print."""
    size = (len(data) + 3).to_bytes(2, "little")
    return (
        b"\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C"
        + bytes((module,))
        + b"\x1d(k\x03\x001E"
        + level
        + b"\x1d(k"
        + size
        + b"1P0"
        + data
        + b"\x1d(k\x03\x001Q0"
    )


HEAD = b"\x1b@\x1c&"
CUT = b"\x1d\x56\x42\x00"
