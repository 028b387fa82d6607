"""A slip as it looks: 203 dots an inch, thermal black on white paper, with every fault it bears.

Only what `simulator.devices.paper` says is on the slip is drawn. A code that is wider than the
paper is left out, as printers do. Faults show as they do in life: a torn edge, the red stripes at
the end of a roll, a print that fades under a hot head, □ for what the font does not hold. The same
slip gives the same bytes.
"""

import io
from functools import lru_cache

import segno
from PIL import Image, ImageDraw, ImageOps

from simulator.devices.paper import Barcode, Feed, Item, Line, Qr, Raster, Slip
from simulator.paper.barcodes import modules
from simulator.paper.font import DOTS, cell

DPI = 203
PAPER_DOTS = {80: 640, 58: 464}
"""Width of the roll in mm -> in dots."""
PRINT_DOTS = {80: 576, 58: 384}
"""What of it the head reaches."""
PICTURE_DOTS_MAX = 8_000
"""A metre of paper. A longer slip is drawn this far and ends in a torn edge."""
TOP_DOTS = 56
"""Paper between head and knife that every slip begins with."""
BOTTOM_DOTS = 40
MODULE_DOTS = (3, 2)
"""Widths of a barcode's module: the first that fits."""
CODES_KEPT = 256
FADED_TO = 96

_INK, _PAPER = (32, 30, 40), (253, 252, 246)
_RAMP = 240  # palette 0 to 239: paper to ink
_CLEAR, _STRIPE, _EDGE = 240, 241, 242
_COLOURS = {_CLEAR: (255, 255, 255), _STRIPE: (226, 96, 110), _EDGE: (196, 196, 190)}
_TEETH = (5, 9, 3, 11, 6, 2, 10, 4, 8, 1, 7, 12)
_TOOTH_DOTS = 9
_BRIDGE_DOTS, _BRIDGE_DEPTH = 14, 8
_STRIPE_DOTS, _STRIPE_HEIGHT = 18, 150


class PaperError(Exception):
    """A slip cannot be drawn like this; the text says what would do."""


def render(slip: Slip, width_mm: int = 80) -> bytes:
    """The picture as PNG. Raises PaperError for a width that no printer has."""
    file = io.BytesIO()
    picture = as_picture(slip, width_mm)
    picture.save(file, "PNG", dpi=(DPI, DPI), transparency=_CLEAR, compress_level=6)
    return file.getvalue()


def as_picture(slip: Slip, width_mm: int = 80) -> Image.Image:
    """The picture as palette image, one pixel a dot, at most PICTURE_DOTS_MAX high."""
    if width_mm not in PAPER_DOTS:
        raise PaperError(f"paper of {width_mm} mm: choose 80 or 58")
    whole = TOP_DOTS + sum(map(_height, slip.items)) + BOTTOM_DOTS
    height = min(whole, PICTURE_DOTS_MAX)
    ink = Image.new("L", (PAPER_DOTS[width_mm], height), 0)
    _print(ink, slip.items, PRINT_DOTS[width_mm])
    if "head_hot" in slip.faults:
        ink = _faded(ink)
    picture = ink.point([value * (_RAMP - 1) // 255 for value in range(256)])
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(_palette())
    _draw_edges(picture, slip, is_whole=height == whole)
    return picture


# ---- what is printed


def _height(item: Item) -> int:
    match item:
        case Line():
            return max(item.dots, item.height * DOTS) if item.spans else item.dots
        case Feed():
            return item.dots
        case Raster():
            return item.rows * item.height
        case Qr():
            image = _qr(item.data, item.module_dots, item.correction)
            return image.height if image is not None else 0
        case Barcode():
            return max(item.dots, DOTS)


def _print(ink: Image.Image, items: list[Item], print_dots: int) -> None:
    """Put everything on `ink`, as far as the picture goes."""
    margin = (ink.width - print_dots) // 2
    top = TOP_DOTS
    for item in items:
        if top >= ink.height:
            return
        image = _image(item, print_dots)
        if image is not None and image.width <= print_dots:
            left = margin + _shift(item, print_dots - image.width)
            ink.paste(image, (left, top))
        top += _height(item)


def _shift(item: Item, room: int) -> int:
    align = "left" if isinstance(item, Feed) else item.align
    return {"left": 0, "centre": room // 2, "right": room}[align]


def _image(item: Item, print_dots: int) -> Image.Image | None:
    match item:
        case Line() if item.spans:
            return _line(item, print_dots)
        case Raster():
            return _raster(item)
        case Qr():
            return _qr(item.data, item.module_dots, item.correction)
        case Barcode():
            return _barcode(item, print_dots)
    return None


def _line(line: Line, print_dots: int) -> Image.Image:
    """The characters side by side, standing on one ground."""
    cells = [
        cell(
            character,
            1 if character.isascii() or span.style.narrow else 2,
            span.style.width,
            span.style.height,
            bold=span.style.bold,
            underline=span.style.underline,
            reverse=span.style.reverse,
        )
        for span in line.spans
        for character in span.text
    ]
    height = line.height * DOTS
    image = Image.new("L", (min(sum(c.width for c in cells), print_dots), height), 0)
    left = 0
    for glyph in cells:
        image.paste(glyph, (left, height - glyph.height))
        left += glyph.width
    return image


def _raster(item: Raster) -> Image.Image:
    size = (item.columns * 8, item.rows)
    image = Image.frombytes("1", size, item.data).convert("L")
    if (item.width, item.height) == (1, 1):
        return image
    return image.resize((size[0] * item.width, size[1] * item.height), Image.Resampling.NEAREST)


@lru_cache(maxsize=CODES_KEPT)
def _qr(data: bytes, module_dots: int, correction: str) -> Image.Image | None:
    """The code without a quiet zone, as printers make it; None when no code holds so much."""
    try:
        code = segno.make_qr(data, error=correction, boost_error=False)
    except segno.DataOverflowError:
        return None
    rows = [bytes(255 if module else 0 for module in row) for row in code.matrix]
    image = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows))
    side = len(rows) * module_dots
    return image.resize((side, side), Image.Resampling.NEAREST)


def _barcode(item: Barcode, print_dots: int) -> Image.Image | None:
    pattern = modules(item.system, item.data)
    height = max(item.dots, DOTS)
    if pattern is None:
        return _framed(f"[{item.system}] {item.data.decode('ascii', 'replace')}", height)
    fitting = [dots for dots in MODULE_DOTS if len(pattern) * dots <= print_dots]
    if not fitting:
        return None
    row = Image.frombytes("L", (len(pattern), 1), bytes(255 * (bit == "1") for bit in pattern))
    return row.resize((len(pattern) * fitting[0], height), Image.Resampling.NEAREST)


def _framed(text: str, height: int) -> Image.Image:
    """What this picture cannot draw, by its text."""
    glyphs = [cell(character, 1, 1, 1) for character in text[:40]]
    image = Image.new("L", ((len(glyphs) + 2) * DOTS // 2, height), 0)
    for at, glyph in enumerate(glyphs, 1):
        image.paste(glyph, (at * DOTS // 2, (height - DOTS) // 2))
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, height - 1), outline=255, width=2)
    return image


# ---- how the paper looks


def _palette() -> list[int]:
    """_RAMP steps from paper to ink, then the colours that are no print."""
    colours = [
        tuple(p + (i - p) * step // (_RAMP - 1) for p, i in zip(_PAPER, _INK, strict=True))
        for step in range(_RAMP)
    ]
    colours += [_COLOURS.get(index, (0, 0, 0)) for index in range(_RAMP, 256)]
    return [value for colour in colours for value in colour]


def _faded(ink: Image.Image) -> Image.Image:
    """Paler the further down: what a head does that is switched off and on for its heat."""
    strength = ImageOps.invert(Image.linear_gradient("L")).resize(ink.size)
    strength = strength.point([FADED_TO + value * (255 - FADED_TO) // 255 for value in range(256)])
    return Image.composite(strength, Image.new("L", ink.size, 0), ink)


def _draw_edges(picture: Image.Image, slip: Slip, *, is_whole: bool) -> None:
    draw = ImageDraw.Draw(picture)
    right, bottom = picture.width - 1, picture.height - 1
    if slip.cut == "roll_end":
        _draw_stripes(draw, picture.width, bottom)
    draw.line((0, 0, 0, bottom), _EDGE)
    draw.line((right, 0, right, bottom), _EDGE)
    if "continued" in slip.faults:
        _tear(draw, picture.width, 0, 1)
    else:
        draw.line((0, 0, right, 0), _EDGE)
    if slip.cut == "full" and is_whole:
        draw.line((0, bottom, right, bottom), _EDGE)
    elif slip.cut == "partial" and is_whole:
        _draw_partial_cut(draw, right, bottom)
    else:
        _tear(draw, picture.width, bottom, -1)


def _draw_partial_cut(draw: ImageDraw.ImageDraw, right: int, bottom: int) -> None:
    """The knife leaves a bridge in the middle, which the hand tears."""
    left_end, right_end = (right - _BRIDGE_DOTS) // 2, (right + _BRIDGE_DOTS) // 2
    cut = bottom - _BRIDGE_DEPTH
    draw.rectangle((0, cut + 1, left_end, bottom), _CLEAR)
    draw.rectangle((right_end, cut + 1, right, bottom), _CLEAR)
    draw.line((0, cut, left_end, cut, left_end, bottom - 3), _EDGE)
    draw.line((right_end, bottom, right_end, cut, right, cut), _EDGE)


def _draw_stripes(draw: ImageDraw.ImageDraw, width: int, bottom: int) -> None:
    """The red that the last hand's breadth of a roll carries along its sides."""
    top = max(0, bottom - _STRIPE_HEIGHT)
    draw.rectangle((0, top, _STRIPE_DOTS, bottom), _STRIPE)
    draw.rectangle((width - 1 - _STRIPE_DOTS, top, width - 1, bottom), _STRIPE)


def _tear(draw: ImageDraw.ImageDraw, width: int, edge: int, inward: int) -> None:
    """A ragged edge at `edge`; `inward` is +1 at the top and -1 at the bottom."""
    count = width // _TOOTH_DOTS + 2
    points = [(at * _TOOTH_DOTS, edge + inward * _TEETH[at % len(_TEETH)]) for at in range(count)]
    draw.polygon([(0, edge), *points, (points[-1][0], edge)], _CLEAR)
    draw.line(points, _EDGE)
