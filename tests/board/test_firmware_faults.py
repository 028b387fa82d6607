"""Whole firmware against every named fault of every device model."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.faults import Fault
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice
from tests.board.fault_scenes import Book, Scene
from tests.board.pin_scenes import GATE, HELP_BUTTON
from tests.board.printer_scenes import PRINTER
from tests.board.reader_scenes import READER
from tests.board.terminal_scene import play, terminal
from tests.board.voice_scenes import VOICE, XFS5152

SCENES_S_MAX = 600
BOOKS: dict[str, tuple[Book, Mapping[str, Fault]]] = {
    "card_reader": (READER, SdtReader.FAULTS),
    "printer": (PRINTER, EscposPrinter.FAULTS),
    "voice": (VOICE, Syn6288Voice.FAULTS),
    "xfs5152": (XFS5152, Xfs5152Voice.FAULTS),
    "gate": (GATE, Gate.FAULTS),
    "help_button": (HELP_BUTTON, HelpButton.FAULTS),
}


@pytest.mark.parametrize("device", BOOKS)
def test_every_named_fault_has_a_scene(device: str) -> None:
    book, faults = BOOKS[device]
    assert set(book.scenes) == set(faults)


@pytest.mark.parametrize("device", BOOKS)
def test_firmware_reports_each_fault_and_recovers(image: Path, tmp_path: Path, device: str) -> None:
    async def one(fault: str, scene: Scene) -> None:
        options = {name: make() for name, make in scene.options.items()}
        options |= {"clock_rate": scene.clock_rate, "settings": scene.settings}
        async with terminal(image, tmp_path / fault, **options) as t:
            await scene.play(t)
            assert t.board.resets == 0

    async def all_scenes() -> None:
        for fault, scene in BOOKS[device][0].scenes.items():
            try:
                await one(fault, scene)
            except Exception as error:
                error.add_note(f"fault: {device} {fault}")
                raise

    play(all_scenes, SCENES_S_MAX)
