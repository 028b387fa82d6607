"""Whole firmware against every named fault of every device model."""

import asyncio
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

AT_ONCE = 8  # terminals side by side: a scene waits more than it works
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
    room = asyncio.Semaphore(AT_ONCE)

    async def one(fault: str, scene: Scene) -> None:
        async with room:
            try:
                async with terminal(
                    image,
                    tmp_path / fault,
                    clock_rate=scene.clock_rate,
                    settings=scene.settings,
                    link="socket",
                    **{name: make() for name, make in scene.options.items()},
                ) as t:
                    await scene.play(t)
                    assert t.board.resets == 0
            except Exception as error:
                error.add_note(f"fault: {device} {fault}")
                raise

    async def all_scenes() -> None:
        scenes = BOOKS[device][0].scenes
        results = await asyncio.gather(
            *(one(fault, scene) for fault, scene in scenes.items()), return_exceptions=True
        )
        failed = [result for result in results if isinstance(result, Exception)]
        if failed:
            raise ExceptionGroup(f"{len(failed)} of {len(scenes)} faults", failed)

    play(all_scenes)
