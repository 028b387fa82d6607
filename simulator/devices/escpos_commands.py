"""What ESC/POS commands do: lines, images, codes, cuts, answers; modes are in `escpos_modes`.

One table (`_DO`) from command name to method. A command without a row is taken and does nothing, as
the many settings that a slip of text does not show (motion units, densities, user characters).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from simulator.devices.escpos_lexer import CONTROL, TEXT, Command
from simulator.devices.escpos_modes import MODES
from simulator.devices.escpos_status import Status
from simulator.devices.paper import Barcode, Paper, Qr, Raster

QR_DATA_MAX = 7089
QR_MODULES_GUESS = 29
"""A version 3 code; its real size only changes how long it prints."""
CORRECTIONS = {48: "L", 49: "M", 50: "Q", 51: "H"}
PRINTER_INFO = {65: b"1.00", 66: b"SIMULATED", 67: b"ESCPOS-80", 68: b"00000001", 69: b"GB18030"}
CUTS = {0: "full", 48: "full", 1: "partial", 49: "partial", 65: "full", 66: "partial"}

Reply = Callable[[str, bytes, float], None]
EndSlip = Callable[[str, float], None]


class Engine:
    """Carries commands out on `paper`; answers go to `reply(kind, data, at_ms)`."""

    def __init__(self, paper: Paper, reply: Reply, end_slip: EndSlip) -> None:
        self.paper = paper
        self.size_for_chinese = True
        self._reply = reply
        self._end_slip = end_slip
        self.reset()

    def reset(self) -> None:
        """As after power-up."""
        self.automatic_mask = 0
        self.offline_response = 0

    # --- before: how much paper, is it a cut

    @staticmethod
    def is_cut(command: Command) -> bool:
        """The command moves the cutter."""
        return command.name in ("GS V", "ESC i", "ESC m")

    def dots(self, command: Command) -> int:
        """Paper that the command moves, in dots."""
        name, p, paper = command.name, command.parameters, self.paper
        if name == TEXT:
            return paper.line_dots() if paper.overflows(paper.decode(command.raw)) else 0
        if name == CONTROL:
            return paper.line_dots() if command.raw == b"\n" else 0
        if name == "ESC d":
            return (paper.line_dots() if p[0] else 0) + max(0, p[0] - 1) * paper.spacing_dots
        if name == "ESC J":
            return p[0] + (0 if paper.is_empty else paper.line_dots())
        if name == "GS V" and len(p) > 1:
            return p[1]
        if name == "GS v":
            return p[4] | p[5] << 8
        if name == "GS k":
            return paper.barcode_dots
        if name == "GS ( k" and p[:3] == b"\x31\x51\x30" and paper.qr_data:
            return QR_MODULES_GUESS * paper.module_dots
        return 0

    # --- carrying out

    def execute(self, command: Command, status: Status, at_ms: float) -> None:
        """Let `command` have its effect."""
        if command.name == TEXT:
            self._text(command.raw, at_ms)
        elif command.name == CONTROL:
            self._control(command.raw, at_ms)
        elif command.name in ("GS r", "ESC v"):
            n = command.parameters[0] if command.parameters else 1
            self._reply("status", status.queued(n), at_ms)
        elif command.name == "GS a":
            self.automatic_mask = command.parameters[0]
            if self.automatic_mask:
                self._reply("automatic", status.automatic(), at_ms)
        elif command.name in MODES:
            n = command.parameters[0] if command.parameters else 0
            MODES[command.name](self.paper, n)
        elif command.name in self._DO:
            self._DO[command.name](self, command.parameters, at_ms)

    def _text(self, raw: bytes, at_ms: float) -> None:
        text = self.paper.decode(raw)
        if not text:
            return
        if self.paper.overflows(text):
            self.paper.print_line(at_ms)
        style = self.paper.style
        if self.paper.chinese and not text.isascii() and not self.size_for_chinese:
            self.paper.style = replace(style, width=1, height=1)
        self.paper.add(text)
        self.paper.style = style

    def _control(self, raw: bytes, at_ms: float) -> None:
        if raw == b"\n":
            self.paper.print_line(at_ms)
        elif raw == b"\t":
            self.paper.tab()

    def _feed_lines(self, p: bytes, at_ms: float) -> None:
        for _ in range(p[0]):
            self._blank_or_line(at_ms)

    def _blank_or_line(self, at_ms: float) -> None:
        """A feed on fresh paper shows nothing; otherwise it is a line, perhaps empty."""
        if self.paper.has_content or not self.paper.is_empty:
            self.paper.print_line(at_ms)

    def _feed_dots(self, p: bytes, at_ms: float) -> None:
        if not self.paper.is_empty:
            self.paper.print_line(at_ms)
        self.paper.feed(p[0], at_ms)

    def _cut(self, p: bytes, at_ms: float) -> None:
        if p[0] not in CUTS:
            return
        if not self.paper.is_empty:
            self.paper.print_line(at_ms)
        if len(p) > 1:
            self.paper.feed(p[1], at_ms)
        self._end_slip(CUTS[p[0]], at_ms)

    def _old_full_cut(self, _p: bytes, at_ms: float) -> None:
        self._cut(b"\x00", at_ms)

    def _old_partial_cut(self, _p: bytes, at_ms: float) -> None:
        self._cut(b"\x01", at_ms)

    def _raster(self, p: bytes, at_ms: float) -> None:
        columns, rows = p[2] | p[3] << 8, p[4] | p[5] << 8
        if columns and rows and len(p) == 6 + columns * rows:
            wide, high = 1 + (p[1] & 1), 1 + (p[1] >> 1 & 1)
            raster = Raster(columns, rows, p[6:], self.paper.align, wide, high)
            self._put_block(raster, at_ms)

    def _put_block(self, item: Raster | Qr | Barcode, at_ms: float) -> None:
        if not self.paper.is_empty:
            self.paper.print_line(at_ms)
        self.paper.put(item, at_ms)

    def _barcode(self, p: bytes, at_ms: float) -> None:
        if p[0] <= 6:
            system, data = p[0] + 65, p[1:].rstrip(b"\0")
        else:
            system, data = p[0], p[2:]
        if system == 73 and data[:1] == b"{":
            data = data[2:]  # CODE128 begins with its code set, {A {B or {C
        if data:
            paper = self.paper
            self._put_block(Barcode(system, data, paper.align, paper.barcode_dots), at_ms)

    def _symbol(self, p: bytes, at_ms: float) -> None:
        """GS ( k: p = 31 function parameters; symbols other than QR (31) are not shown."""
        if len(p) < 3 or p[0] != 0x31:
            return
        function, value = p[1], p[2]
        if function == 67 and 1 <= value <= 16:
            self.paper.module_dots = value
        elif function == 69 and value in CORRECTIONS:
            self.paper.correction = CORRECTIONS[value]
        elif function == 80 and len(p) - 3 <= QR_DATA_MAX:
            self.paper.qr_data = p[3:]
        elif function == 81 and self.paper.qr_data:
            paper = self.paper
            qr = Qr(paper.qr_data, paper.module_dots, paper.correction, paper.align)
            self._put_block(qr, at_ms)

    def _response(self, p: bytes, at_ms: float) -> None:
        """GS ( H: function 48 process ID response, 49 offline response."""
        if len(p) == 6 and p[:2] == b"00" and all(0x20 <= byte <= 0x7E for byte in p[2:]):
            self._reply("process_id", b"\x37\x22" + p[2:] + b"\x00", at_ms)
        elif len(p) == 3 and p[:2] == b"10":
            self.offline_response = {1: 1, 49: 1, 2: 2, 50: 2}.get(p[2], 0)

    def _information(self, p: bytes, at_ms: float) -> None:
        """GS I: 1..3 one byte, 65..69 a block 5F text 00."""
        if p[0] in (1, 2, 3, 49, 50, 51):
            self._reply("information", b"\x02", at_ms)
        elif p[0] in PRINTER_INFO:
            self._reply("information", b"\x5f" + PRINTER_INFO[p[0]] + b"\x00", at_ms)

    _DO: ClassVar[dict[str, Callable[["Engine", bytes, float], None]]] = {
        "ESC d": _feed_lines,
        "ESC J": _feed_dots,
        "GS V": _cut,
        "ESC i": _old_full_cut,
        "ESC m": _old_partial_cut,
        "GS v": _raster,
        "GS k": _barcode,
        "GS ( k": _symbol,
        "GS ( H": _response,
        "GS I": _information,
    }
