"""What stands on paper: slips, their lines, images and codes; and the head that puts it there."""

from dataclasses import dataclass, field, replace

DOTS_A_LINE = 30
"""Line spacing after power-up: 1/6 inch at 180 steps; 203 dpi heads use nearly the same."""
CHARACTER_DOTS = 24
BARCODE_DOTS = 162
"""Height of a barcode after power-up."""
REPLACEMENT = "\u25a1"
"""Printed for a character that the printer's font does not hold."""
SLIP_ITEMS_MAX = 10_000
"""More on one slip is fed out unseen: a printer without a cut in sight."""
DAMAGE = frozenset(("roll_end", "continued", "cleared", "buffer_overrun", "power_off"))
"""Faults after which something is missing on a slip, or something of another job is on it."""
CODE_PAGES = {0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858"}


@dataclass(frozen=True)
class Style:
    """How characters look. `width` and `height` are multipliers 1..8 of the 12x24 / 24x24 font.

    `narrow`: characters beyond ASCII are of a code page, as wide as a letter.
    """

    width: int = 1
    height: int = 1
    bold: bool = False
    underline: bool = False
    reverse: bool = False
    narrow: bool = False


@dataclass(frozen=True)
class Span:
    """Characters of one style."""

    text: str
    style: Style


@dataclass(frozen=True)
class Line:
    """One printed line. `align` is 'left', 'centre' or 'right'; `dots`: how far it moved paper."""

    spans: tuple[Span, ...]
    align: str = "left"
    dots: int = DOTS_A_LINE

    @property
    def text(self) -> str:
        """The characters without their style."""
        return "".join(span.text for span in self.spans)

    @property
    def width(self) -> int:
        """Largest width multiplier on the line."""
        return max((span.style.width for span in self.spans), default=1)

    @property
    def height(self) -> int:
        """Largest height multiplier on the line."""
        return max((span.style.height for span in self.spans), default=1)


@dataclass(frozen=True)
class Raster:
    """A bit image as it came: `columns` bytes a row, `rows` rows, most significant bit left.

    `width`, `height`: how often a dot is repeated, 1 or 2.
    """

    columns: int
    rows: int
    data: bytes
    align: str = "left"
    width: int = 1
    height: int = 1


@dataclass(frozen=True)
class Qr:
    """A QR code. `module_dots` 1..16, `correction` 'L', 'M', 'Q' or 'H'."""

    data: bytes
    module_dots: int
    correction: str
    align: str = "left"


@dataclass(frozen=True)
class Barcode:
    """A one-dimensional code; `system` as in GS k (65..79; 0..6 are turned into 65..71)."""

    system: int
    data: bytes
    align: str = "left"
    dots: int = BARCODE_DOTS


@dataclass(frozen=True)
class Feed:
    """Blank paper between two things that are printed."""

    dots: int


Item = Line | Raster | Qr | Barcode | Feed


@dataclass
class Slip:
    """One piece of paper. `cut`: 'full', 'partial', 'torn' (by hand) or 'roll_end'."""

    items: list[Item] = field(default_factory=list)
    cut: str = ""
    faults: list[str] = field(default_factory=list)
    started_ms: float = 0.0
    ended_ms: float = 0.0

    @property
    def lines(self) -> list[Line]:
        """The text lines, empty ones too."""
        return [item for item in self.items if isinstance(item, Line)]

    @property
    def text(self) -> str:
        """All text, one line each."""
        return "\n".join(line.text for line in self.lines)

    @property
    def codes(self) -> list[bytes]:
        """What scanners read from the slip: QR codes and barcodes."""
        return [item.data for item in self.items if isinstance(item, Qr | Barcode)]

    @property
    def complete(self) -> bool:
        """Cut by the printer, with all that belongs on it and nothing else."""
        return self.cut in ("full", "partial") and not DAMAGE.intersection(self.faults)


class Paper:
    """The print head and the slip below it: composes a line and puts it on the slip."""

    def __init__(self, columns: int = 48, chinese_at_start: bool = True) -> None:
        self.columns = columns
        self._chinese_at_start = chinese_at_start
        self.slip = Slip()
        self.fed_dots = 0
        self.initialise()

    def initialise(self) -> None:
        """ESC @: drop the line in the print buffer, set all modes back."""
        self.style = Style()
        self.kanji_width = self.kanji_height = 1
        self.kanji_underline = False
        self.align = "left"
        self.chinese = self._chinese_at_start
        self.code_page = 0
        self.spacing_dots = DOTS_A_LINE
        self.barcode_dots = BARCODE_DOTS
        self.module_dots = 3
        self.correction = "L"
        self.qr_data = b""
        self.clear_line()

    def clear_line(self) -> None:
        """Drop what is composed and not printed."""
        self._spans: list[Span] = []
        self._used = 0

    @property
    def is_empty(self) -> bool:
        """Nothing is composed for the next line."""
        return not self._spans

    @property
    def has_content(self) -> bool:
        """Something is printed on the slip below the head."""
        return bool(self.slip.items)

    def line_dots(self) -> int:
        """Paper that printing the composed line moves."""
        height = max((span.style.height for span in self._spans), default=1)
        return max(self.spacing_dots, height * CHARACTER_DOTS)

    def style_of(self, text: str) -> Style:
        """The style that the next character gets; Chinese characters have their own sizes too."""
        if text.isascii():
            return self.style
        if not self.chinese:
            return replace(self.style, narrow=True)
        return replace(
            self.style,
            width=max(self.style.width, self.kanji_width),
            height=max(self.style.height, self.kanji_height),
            underline=self.style.underline or self.kanji_underline,
        )

    def columns_of(self, text: str) -> int:
        """Columns of font A that one character takes."""
        return self.style_of(text).width * (1 if text.isascii() or not self.chinese else 2)

    def overflows(self, text: str) -> bool:
        """The character does not fit on the composed line."""
        return bool(self._spans) and self._used + self.columns_of(text) > self.columns

    def add(self, text: str) -> None:
        """Compose one character; the caller has printed the line if it overflowed."""
        style = self.style_of(text)
        self._used += self.columns_of(text)
        if self._spans and self._spans[-1].style == style:
            self._spans[-1] = Span(self._spans[-1].text + text, style)
        else:
            self._spans.append(Span(text, style))

    def tab(self) -> None:
        """To the next of the tab stops, which are 8 columns apart."""
        for _ in range(8 - self._used % 8):
            if not self.overflows(" "):
                self.add(" ")

    def print_line(self, now_ms: float) -> None:
        """Put the composed line (perhaps an empty one) on the slip."""
        dots = self.line_dots()
        self.fed_dots += dots
        self.put(Line(tuple(self._spans), self.align, dots), now_ms)
        self.clear_line()

    def feed(self, dots: int, now_ms: float) -> None:
        """Move paper without printing; on a fresh slip it shows nothing."""
        self.fed_dots += dots
        if self.has_content and dots:
            self.put(Feed(dots), now_ms)

    def put(self, item: Item, now_ms: float) -> None:
        """Put one thing on the slip."""
        if not self.slip.items:
            self.slip.started_ms = now_ms
        if len(self.slip.items) < SLIP_ITEMS_MAX:
            self.slip.items.append(item)

    def decode(self, raw: bytes) -> str:
        """One character of the stream as the printer's font shows it.

        Chinese fonts hold the one- and two-byte area of GB18030; a four-byte character comes out as
        replacements.
        """
        if raw[0] < 0x80:
            return raw.decode("ascii") if raw != b"\x7f" else ""
        if not self.chinese:
            page = CODE_PAGES.get(self.code_page)
            return REPLACEMENT if page is None else raw.decode(page, "replace")
        if len(raw) != 2:
            return REPLACEMENT
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            return REPLACEMENT

    def finish(self, cut: str, now_ms: float) -> Slip:
        """End the slip below the head and begin the next."""
        slip = self.slip
        slip.cut, slip.ended_ms = cut, now_ms
        self.slip = Slip(started_ms=now_ms)
        self.fed_dots = 0
        return slip

    def blame(self, fault: str) -> None:
        """Note on the slip what went wrong while it was made, once each."""
        if fault not in self.slip.faults:
            self.slip.faults.append(fault)
