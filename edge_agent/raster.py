"""Draws rows of a slip whose characters the printer's font may lack, such as 䶮 in a name.

Needs pillow and a font with the rare characters: the package noto-cjk-sans-otc or Debian's
fonts-noto-cjk, and for those that these lack too (𬃰) Debian's fonts-hanazono. They are loaded for
the first rare name; what no font here holds is not drawn, and the slip does without.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.core.slip import RASTER_REPEAT, Bitmap, cell_dots
from tongban.logs import event, get

if TYPE_CHECKING:
    from PIL import Image, ImageFont

log = get("edge_agent.raster")

MONO_FACE = "Noto Sans Mono CJK SC"
FACES_MAX = 32
"""Faces looked at in a collection of fonts."""
SYSTEM_FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/hanazono/HanaMinA.ttf"),
    Path("/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"),
)
BASELINE = 0.875
BLACK_FROM = 112
HEIGHTS_KEPT = 8
NOBODY = "\U0010ffff"
"""No font has a character here, so its picture is that of every character a font lacks."""


def rasterise(text: str, size: int) -> Bitmap | None:
    """One row of a slip; None where it cannot be drawn."""
    rasteriser = installed_rasteriser()
    return rasteriser.draw(text, size) if rasteriser is not None else None


@lru_cache(maxsize=1)
def installed_rasteriser() -> "Rasteriser | None":
    """Draws with what is installed here; None, and a log line that says so, where nothing is."""
    faces = [face for path in _font_paths() if (face := _face(path)) is not None]
    if not faces:
        event(log, "warning", "raster.no_font", cure="pip install noto-cjk-sans-otc pillow")
        return None
    return Rasteriser(faces)


class Rasteriser:
    """Rows of text as bitmaps. `faces`: files and places in them; the first that has a character
    draws it."""

    def __init__(self, faces: Sequence[tuple[Path, int]]) -> None:
        self._faces = faces
        self._fonts = lru_cache(maxsize=HEIGHTS_KEPT)(self._load)

    def draw(self, text: str, size: int) -> Bitmap | None:
        """One row; None when the font lacks a character of it."""
        from PIL import Image  # noqa: PLC0415

        cell_width, height = (dots // RASTER_REPEAT for dots in cell_dots(size))
        fonts = {character: self._font_of(character, height) for character in set(text)}
        if not text or None in fonts.values():
            return None
        cells = [1 if character.isascii() else 2 for character in text]
        row = Image.new("L", (sum(cells) * cell_width, height), 0)
        left = 0
        for character, columns in zip(text, cells, strict=True):
            row.paste(_glyph(character, fonts[character], columns * cell_width, height), (left, 0))
            left += columns * cell_width
        black = row.point(lambda ink: 255 if ink >= BLACK_FROM else 0).convert("1")
        return Bitmap(row.width, row.height, black.tobytes())

    def _font_of(self, character: str, height: int) -> "ImageFont.FreeTypeFont | None":
        """The first font that has this character."""
        for font, nothing in self._fonts(height):
            if character == " " or bytes(font.getmask(character)) != nothing:
                return font
        return None

    def _load(self, height: int) -> "list[tuple[ImageFont.FreeTypeFont, bytes]]":
        """Each font with the picture it shows for what it lacks."""
        from PIL import ImageFont  # noqa: PLC0415

        fonts = [ImageFont.truetype(str(path), height, index=index) for path, index in self._faces]
        return [(font, bytes(font.getmask(NOBODY))) for font in fonts]


def _glyph(
    character: str, font: "ImageFont.FreeTypeFont | None", width: int, height: int
) -> "Image.Image":
    """The character in its cell, condensed to the cell's width."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    natural = height // 2 if character.isascii() else height
    image = Image.new("L", (natural, height), 0)
    ink = 255
    ImageDraw.Draw(image).text((0, round(height * BASELINE)), character, ink, font, anchor="ls")
    return image if natural == width else image.resize((width, height))


def _font_paths() -> list[Path]:
    """Font files that are here, the best first."""
    paths = [path for path in SYSTEM_FONTS if path.is_file()]
    try:
        from noto_cjk_sans_otc import (  # type: ignore[import-untyped]  # noqa: PLC0415
            FONT_PATH,
        )
    except ImportError:
        return paths
    return [Path(str(FONT_PATH)), *paths]


def _face(path: Path) -> tuple[Path, int] | None:
    """The monospaced face of a collection, or the only one; None when it cannot be read."""
    try:
        from PIL import ImageFont  # noqa: PLC0415
    except ImportError:
        return None
    for index in range(FACES_MAX):
        try:
            font = ImageFont.truetype(str(path), 24, index=index)
        except OSError:  # no such file, or no more faces
            return (path, 0) if index == 1 else None
        if font.getname()[0] == MONO_FACE:
            return path, index
    return None
