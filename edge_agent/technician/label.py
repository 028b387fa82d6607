"""The label of a terminal: its name and its board, for eyes and for a scanner.

As a picture for a label printer, or as a slip of the terminal's own printer.
"""

from pathlib import Path

from edge_agent.core.slip import SlipLine, SlipQr, build_slip
from edge_agent.technician.trouble import TroubleError

WIDTH, HEIGHT, MARGIN = 640, 256, 24
DOTS_PER_INCH = 203
_NAME_DOTS, _SMALL_DOTS, _LEAST_DOTS = 44, 26, 10


def code_text(terminal: str, board_id: str) -> str:
    """What the code says, in QR's alphanumeric mode."""
    return f"TONGBAN:{terminal}:{board_id}".upper()


def label_slip(terminal: str, unit: str, board_id: str) -> bytes:
    """Bytes for the terminal's printer."""
    lines = [SlipLine(terminal, 3, "centre"), SlipLine(unit), SlipLine(board_id)]
    return build_slip([*lines, SlipQr(code_text(terminal, board_id), "centre")])


def draw_label(path: Path, terminal: str, unit: str, board_id: str) -> None:
    """A PNG of 80 mm x 32 mm at 203 dots an inch. Raises TroubleError without pillow or segno."""
    try:
        import segno  # noqa: PLC0415 - an extra
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TroubleError("no_tool", tool=error.name or "pillow") from error
    picture = Image.new("1", (WIDTH, HEIGHT), 1)
    draw = ImageDraw.Draw(picture)
    code = segno.make_qr(code_text(terminal, board_id), error="m")
    rows = list(code.matrix_iter(border=0))
    dots = (HEIGHT - 2 * MARGIN) // len(rows)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                left, top = MARGIN + x * dots, MARGIN + y * dots
                draw.rectangle((left, top, left + dots - 1, top + dots - 1), fill=0)
    left = HEIGHT + MARGIN
    room = WIDTH - left - MARGIN
    for top, text, size in (
        (MARGIN, terminal, _NAME_DOTS),
        (MARGIN + 84, unit, _SMALL_DOTS),
        (MARGIN + 140, board_id, _SMALL_DOTS),
    ):
        sizes = range(size, _LEAST_DOTS, -2)
        fonts = (ImageFont.load_default(dots) for dots in sizes)
        font = next((f for f in fonts if draw.textlength(text, font=f) <= room), None)
        draw.text((left, top), text, font=font, fill=0)
    picture.save(path, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
