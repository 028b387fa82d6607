"""The printer's font: 12x24 and 24x24 dots, drawn once from Noto Sans Mono CJK SC and kept.

A printer has no outlines: a character of size 3 is its 24 dots, each three times. So glyphs are cut
to black and white at 24 dots and enlarged by repeating dots.
"""

from functools import lru_cache

from noto_cjk_sans_otc import FONT_PATH  # type: ignore[import-untyped]
from PIL import Image, ImageChops, ImageDraw, ImageFont

DOTS = 24
FACE = 7
"""Noto Sans Mono CJK SC in the collection: a letter is half as wide as a Chinese character."""
BASELINE, BASELINE_ASCII = 21, 19
"""From the top; letters stand higher, so that what goes below the line is whole."""
BLACK_FROM = 104
GLYPHS_KEPT = 4096
UNDERLINE_DOTS = 2


@lru_cache(maxsize=1)
def _face() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_PATH), DOTS, index=FACE)


@lru_cache(maxsize=GLYPHS_KEPT)
def cell(
    character: str,
    columns: int,
    width: int,
    height: int,
    *,
    bold: bool = False,
    underline: bool = False,
    reverse: bool = False,
) -> Image.Image:
    """One character as ink (255) on paper (0). `columns`: 1 or 2 half-width cells at 1x1."""
    cell_width = columns * DOTS // 2
    image = Image.new("L", (cell_width, DOTS), 0)
    left = max(0.0, (cell_width - _face().getlength(character)) / 2)
    baseline = BASELINE_ASCII if character.isascii() else BASELINE
    ImageDraw.Draw(image).text((left, baseline), character, 255, _face(), anchor="ls")
    image = image.point(lambda ink: 255 if ink >= BLACK_FROM else 0)
    if bold:
        image = ImageChops.lighter(image, ImageChops.offset(image, 1, 0))
    image = image.resize((cell_width * width, DOTS * height), Image.Resampling.NEAREST)
    if underline:
        top = image.height - UNDERLINE_DOTS * height
        image.paste(255, (0, top, image.width, image.height))
    return ImageChops.invert(image) if reverse else image
