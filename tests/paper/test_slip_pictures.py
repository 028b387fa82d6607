"""Each shipped slip as it lies in the outlet: large, one instruction on top, a code that scans.

The pictures are kept in $TONGBAN_ARTEFACTS, or build/pages, under slips/.
"""

import os
from pathlib import Path

import pytest

from edge_agent.catalogue import load_service, load_texts
from edge_agent.core.slip import cell_dots
from edge_agent.core.texts import LANGUAGES
from edge_agent.raster import rasterise
from edge_agent.settings import Settings
from edge_agent.slips import Slips, prover
from protocol.keys import DeviceKey
from protocol.slip_proof import open_slip
from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from simulator.devices.paper import Line, Qr
from simulator.paper import render
from tests.paper.paper_tools import printed, scanned

ROOT = Path(__file__).resolve().parents[2]
KEEP = Path(os.environ.get("TONGBAN_ARTEFACTS", ROOT / "build" / "pages")) / "slips"
KEY = DeviceKey(bytes(range(32)))
TERMINAL, UNIT = "gate-1", "city/nancheng/hall-1"
FACTS = {
    "terminal": TERMINAL,
    "number": 1027,
    "ticket": "B-017",
    "day": "2026-11-27",
    "date": "2026-11-27",
    "time": "09:14",
    "direction": "entry",
    "status": "clear",
    "ground": "age",
    "matter": "social",
}
TEXTS = load_texts(Settings().texts_folders)
SERVICES = {
    path.stem: load_service(path.parent, path.stem, TEXTS)
    for path in sorted(Settings().services_folder.glob("*.toml"))
}
SLIPS = [(service, slip) for service, made in SERVICES.items() for slip in made.slips]
WIDTHS = {80: 48, 58: 32}


def built(service: str, slip: str, language: str, width_mm: int) -> bytes:
    slips = Slips(
        SERVICES[service],
        TEXTS,
        columns=WIDTHS[width_mm],
        prove=prover(KEY, TERMINAL, UNIT),
        rasterise=rasterise,
    )
    return slips.build(slip, language, FACTS)


@pytest.mark.parametrize("width_mm", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("service", "name"), SLIPS)
def test_a_shipped_slip_is_clear_on_paper(
    service: str, name: str, language: str, width_mm: int
) -> None:
    slip = printed(built(service, name, language, width_mm), width_mm)
    png = render(slip, width_mm)
    KEEP.mkdir(parents=True, exist_ok=True)
    (KEEP / f"{service}-{name}-{language}-{width_mm}.png").write_bytes(png)

    lines = [item for item in slip.items if isinstance(item, Line) and item.spans]
    assert min(line.height for line in lines) * 24 * 72 / 203 >= 18, "points"
    assert (lines[0].width, lines[0].height) == (3, 3), "what to do stands on top"
    largest = max(lines, key=lambda line: line.height)
    assert largest.text.strip() in (FACTS["ticket"], str(FACTS["number"])), "the number is huge"
    assert largest.width >= 3

    ((kind, text),) = scanned(png)
    assert kind == "QR Code"
    assert open_slip(text, KEY.verify_key).unit == UNIT
    (code,) = [item for item in slip.items if isinstance(item, Qr)]
    assert code.data.decode() == text


def test_a_character_cell_has_the_dots_that_the_printer_gives_it() -> None:
    assert [cell_dots(size) for size in (2, 3, 6)] == [(24, 72), (36, 72), (72, 144)]


def test_what_went_wrong_can_be_seen() -> None:
    """Pictures to look at; what must be on them is held by test_paper_picture."""
    data = built("number", "ticket", "zh-CN", 80)
    printer = EscposPrinter(timing=PrinterTiming(line_ms=0, cut_ms=0, lines_until_out=3))
    printer.faults.add("paper_out_mid_job")
    printer.receive(data, 0)
    printer.change_roll()
    printer.poll(1)
    faded = printed(data)
    faded.faults.append("head_hot")
    ended, continued = printer.slips
    KEEP.mkdir(parents=True, exist_ok=True)
    for name, slip in (("roll-end", ended), ("continued", continued), ("faded", faded)):
        (KEEP / f"fault-{name}.png").write_bytes(render(slip))
    assert (ended.complete, continued.complete) == (False, False)
