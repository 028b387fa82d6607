"""`tongban sim paper`: raw ESC/POS bytes in, the slip as a picture out. Says on stderr what it saw.

Exit codes: 0 drawn; 2 the file holds nothing to draw, cannot be read, or the options are wrong.
"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from simulator.devices.paper import Slip
from simulator.paper.picture import PRINT_DOTS, PaperError, render

FILE_BYTES_MAX = 1 << 20
EXIT_DRAWN, EXIT_NOT_DRAWN = 0, 2
_NO_TIME = PrinterTiming(line_ms=0, cut_ms=0)
_COLUMN_DOTS = 12


def print_bytes(data: bytes, width_mm: int = 80, *, clone: bool = False) -> list[Slip]:
    """What a printer in good order makes of `data`; what is not cut is torn off. A `clone` ignores
    GS ! for Chinese.

    Raises PaperError when that is nothing, or the width is none.
    """
    if width_mm not in PRINT_DOTS:
        raise PaperError(f"paper of {width_mm} mm: choose 80 or 58")
    columns = PRINT_DOTS[width_mm] // _COLUMN_DOTS
    printer = EscposPrinter(
        timing=_NO_TIME,
        columns=columns,
        buffer_bytes=FILE_BYTES_MAX,
        gs_sizes_chinese=not clone,
    )
    printer.receive(data, 0)
    printer.tear_off()
    if not printer.slips:
        raise PaperError("nothing is printed by these bytes. Is it a file of ESC/POS commands?")
    return printer.slips


def paper(
    file: Path,
    *,
    out: Path,
    width: Annotated[int, Parameter(help="Width of the roll in mm: 80 or 58.")] = 80,
    clone: Annotated[bool, Parameter(help="A printer that ignores GS ! for Chinese.")] = False,
    slip: Annotated[int, Parameter(help="Which slip, when the bytes print several.")] = 1,
) -> int:
    """Draw what a receipt printer makes of raw ESC/POS bytes.

    Parameters
    ----------
    file
        The bytes, as they would go to the printer.
    out
        The PNG file to write.
    """
    try:
        with file.open("rb") as source:
            data = source.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise PaperError(f"{file}: over {FILE_BYTES_MAX} bytes. Draw it in parts.")
        slips = print_bytes(data, width, clone=clone)
        if not 1 <= slip <= len(slips):
            raise PaperError(f"--slip {slip}: these bytes print {len(slips)}. Choose 1 or more.")
        out.write_bytes(render(slips[slip - 1], width))
    except (PaperError, OSError) as error:
        print(f"tongban sim paper: {error}", file=sys.stderr)
        return EXIT_NOT_DRAWN
    print(f"slip {slip} of {len(slips)} in {out}", file=sys.stderr)
    return EXIT_DRAWN
