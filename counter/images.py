"""Codes in a picture of a slip: a photograph, a scan, a screenshot."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

IMAGE_BYTES_MAX = 20 * 1024 * 1024
PIXELS_MAX = 50_000_000


class ImageError(Exception):
    """No code can be read from the picture; the text says what to do."""


def read_codes(path: Path) -> list[str]:
    """The texts of the QR codes in a picture. Raises ImageError when there is none."""
    try:
        import zxingcpp  # noqa: PLC0415
        from PIL import Image  # noqa: PLC0415
    except ImportError as error:
        raise ImageError(
            "reading pictures needs two packages: pip install zxing-cpp pillow. "
            "Or scan the code and give its text instead of --image."
        ) from error
    try:
        if path.stat().st_size > IMAGE_BYTES_MAX:
            raise ImageError(f"{path}: over {IMAGE_BYTES_MAX} bytes. Give a smaller picture.")
        with Image.open(path) as image:
            if image.width * image.height > PIXELS_MAX:
                raise ImageError(f"{path}: over {PIXELS_MAX} dots. Give a smaller picture.")
            grey = _on_white(image)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: no picture that can be read ({error}).") from error
    found = zxingcpp.read_barcodes(grey)
    codes = [code.text for code in found if code.format == zxingcpp.BarcodeFormat.QRCode]
    if not codes:
        raise ImageError(f"{path}: no QR code to be seen. Take the picture nearer and sharper.")
    return codes


def _on_white(image: "Image.Image") -> "Image.Image":
    """Grey; what is transparent is paper."""
    from PIL import Image  # noqa: PLC0415

    colours = image.convert("RGBA")
    ground = Image.new("RGBA", colours.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, colours).convert("L")
