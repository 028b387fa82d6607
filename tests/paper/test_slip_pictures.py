"""Each shipped slip as it lies in the outlet: large, one instruction on top, a code that scans.

The pictures are kept in $TONGBAN_ARTEFACTS, or build/pages, under slips/.
"""

import os
from pathlib import Path

import pytest

from edge_agent.catalogue import load_service, load_texts
from edge_agent.core.slip import Paper, cell_dots
from edge_agent.core.texts import LANGUAGES
from edge_agent.raster import rasterise
from edge_agent.settings import Settings
from edge_agent.slips import Slips, prover
from protocol.keys import DeviceKey
from protocol.slip_proof import open_slip
from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from simulator.devices.paper import Item, Line, Qr, Raster
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
    "due": 2000,
    "paid": 5000,
    "kept": 2000,
    "refund": 3000,
    "voucher": "VB-017",
}
MATTERS = {"fee": {"matter": "renew"}}
HUGE = ("B-017", "1027", "20元", "20 yuan", "VB-017")
"""What a slip is about: its number or amount."""
TEXTS = load_texts(Settings().texts_folders)
SERVICES = {
    path.stem: load_service(path.parent, path.stem, TEXTS)
    for path in sorted(Settings().services_folder.glob("*.toml"))
}
SLIPS = [(service, slip) for service, made in SERVICES.items() for slip in made.slips]
PAPERS = {
    "80": Paper(576),
    "58": Paper(384),
    "clone80": Paper(576, fs_size=True),
    "clone58": Paper(384, fs_size=True),
}


def built(service: str, slip: str, language: str, paper: Paper) -> bytes:
    slips = Slips(
        SERVICES[service],
        TEXTS,
        paper=lambda: paper,
        prove=prover(KEY, TERMINAL, UNIT),
        rasterise=rasterise,
    )
    return slips.build(slip, language, FACTS | MATTERS.get(service, {}))


@pytest.mark.parametrize("printer", PAPERS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("service", "name"), SLIPS)
def test_a_shipped_slip_is_clear_on_paper(
    service: str, name: str, language: str, printer: str
) -> None:
    width_mm = int(printer[-2:])
    data = built(service, name, language, PAPERS[printer])
    slip = printed(data, width_mm, clone=PAPERS[printer].fs_size)
    png = render(slip, width_mm)
    KEEP.mkdir(parents=True, exist_ok=True)
    (KEEP / f"{service}-{name}-{language}-{printer}.png").write_bytes(png)

    shown = [item for item in slip.items if isinstance(item, Raster) or is_text(item)]
    assert min(map(points, shown)) >= 18
    assert round(points(shown[0]), 1) == 25.5, "what to do stands on top"
    largest = max(shown, key=points)
    assert points(largest) >= 34, "the number is huge"
    assert isinstance(largest, Raster) or largest.text.strip() in HUGE

    ((kind, text),) = scanned(png)
    assert kind == "QR Code"
    assert open_slip(text, KEY.verify_key).unit == UNIT
    (code,) = [item for item in slip.items if isinstance(item, Qr)]
    assert code.data.decode() == text


def is_text(item: Item) -> bool:
    return isinstance(item, Line) and bool(item.spans)


def points(item: Item) -> float:
    """The height of the least character on it."""
    if isinstance(item, Raster):
        return item.rows * item.height * 72 / 203
    assert isinstance(item, Line)
    return min(span.style.height for span in item.spans) * 24 * 72 / 203


def test_a_character_cell_has_the_dots_that_the_printer_gives_it() -> None:
    assert [cell_dots(size) for size in (2, 3, 6)] == [(24, 72), (36, 72), (72, 144)]


def test_what_went_wrong_can_be_seen() -> None:
    """Pictures to look at; what must be on them is held by test_paper_picture."""
    data = built("number", "ticket", "zh-CN", Paper())
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
