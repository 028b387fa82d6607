"""Draws rows of a slip whose characters the printer's font may lack, such as 䶮 in a name.

Needs pillow and a font with the rare characters: the package noto-cjk-sans-otc, or a Noto Sans Mono
CJK that the system has. They are loaded for the first rare name; where one is missing, nothing is
drawn and the slip does without.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.core.slip import RASTER_REPEAT, Bitmap, cell_dots
from tongban.logs import event, get

if TYPE_CHECKING:
    from PIL import Image, ImageFont

log = get("edge_agent.raster")

FACE_NAME = "Noto Sans Mono CJK SC"
FACES_MAX = 32
SYSTEM_FONTS = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
)
BASELINE = 0.875
BLACK_FROM = 112
NOBODY = "\U0010ffff"
"""No font has a character here, so its picture is that of every character a font lacks."""


def rasterise(text: str, size: int) -> Bitmap | None:
    """One row of a slip; None where it cannot be drawn."""
    rasteriser = installed_rasteriser()
    return rasteriser.draw(text, size) if rasteriser is not None else None


@lru_cache(maxsize=1)
def installed_rasteriser() -> "Rasteriser | None":
    """Draws with what is installed here; None, and a log line that says so, where nothing is."""
    path = _font_path()
    face = _face_index(path) if path is not None else None
    if path is None or face is None:
        event(log, "warning", "raster.no_font", cure="pip install noto-cjk-sans-otc pillow")
        return None
    return Rasteriser(path, face)


class Rasteriser:
    """Rows of text as bitmaps, in the font `path`, `index` in its collection."""

    def __init__(self, path: Path, index: int) -> None:
        self._path = path
        self._index = index
        self._font = lru_cache(maxsize=8)(self._load)

    def draw(self, text: str, size: int) -> Bitmap | None:
        """One row; None when the font lacks a character of it."""
        from PIL import Image  # noqa: PLC0415

        cell_width, height = (dots // RASTER_REPEAT for dots in cell_dots(size))
        if not text or any(self._lacks(character, height) for character in set(text)):
            return None
        cells = [1 if character.isascii() else 2 for character in text]
        row = Image.new("L", (sum(cells) * cell_width, height), 0)
        left = 0
        for character, columns in zip(text, cells, strict=True):
            row.paste(self._glyph(character, columns * cell_width, height), (left, 0))
            left += columns * cell_width
        black = row.point(lambda ink: 255 if ink >= BLACK_FROM else 0).convert("1")
        return Bitmap(row.width, row.height, black.tobytes())

    def _glyph(self, character: str, width: int, height: int) -> "Image.Image":
        """The character in its cell, condensed to the cell's width."""
        from PIL import Image, ImageDraw  # noqa: PLC0415

        natural = height // 2 if character.isascii() else height
        image = Image.new("L", (natural, height), 0)
        baseline = round(height * BASELINE)
        pen = ImageDraw.Draw(image)
        pen.text((0, baseline), character, 255, self._font(height), anchor="ls")
        return image if natural == width else image.resize((width, height))

    def _lacks(self, character: str, height: int) -> bool:
        font = self._font(height)
        return character != " " and bytes(font.getmask(character)) == bytes(font.getmask(NOBODY))

    def _load(self, height: int) -> "ImageFont.FreeTypeFont":
        from PIL import ImageFont  # noqa: PLC0415

        return ImageFont.truetype(str(self._path), height, index=self._index)


def _font_path() -> Path | None:
    try:
        from noto_cjk_sans_otc import (  # type: ignore[import-untyped]  # noqa: PLC0415
            FONT_PATH,
        )
    except ImportError:
        return next((path for path in SYSTEM_FONTS if path.is_file()), None)
    return Path(str(FONT_PATH))


def _face_index(path: Path) -> int | None:
    """Where the monospaced face stands in the collection; None when it cannot be read."""
    try:
        from PIL import ImageFont  # noqa: PLC0415
    except ImportError:
        return None
    for index in range(FACES_MAX):
        try:
            font = ImageFont.truetype(str(path), 24, index=index)
        except OSError:
            return None
        if font.getname()[0] == FACE_NAME:
            return index
    return None
