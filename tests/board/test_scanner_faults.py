"""Whole firmware against every named fault of the scanner, one after the other on one board."""

import asyncio
from pathlib import Path

from protocol.wire import messages, states
from simulator.devices.gm_scanner import GM812, GmScanner
from tests.board.scanner_scenes import CODE, SCANNER, scan, start
from tests.board.terminal_scene import play, terminal

CLOCK_RATE = 4


def test_every_named_fault_has_a_scene() -> None:
    assert set(SCANNER.scenes) == set(GmScanner.FAULTS)


def test_firmware_reports_each_fault_and_scans_again(image: Path, tmp_path: Path) -> None:
    async def all_scenes() -> None:
        options = {"clock_rate": CLOCK_RATE, "scanner": GmScanner()}
        async with terminal(image, tmp_path, **options) as t:
            await t.state(states.BARCODE_READER, states.ONLINE)
            for fault, scene in SCANNER.scenes.items():
                try:
                    await scene.play(t)
                    assert not list(t.scanner.faults)
                    assert t.board.resets == 0
                except Exception as error:
                    error.add_note(f"fault: scanner {fault}")
                    raise

    play(all_scenes)


def test_the_other_model_needs_its_name_only(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        scanner = GmScanner(model=GM812)
        options = {"settings": "scanner.model=gm812", "scanner": scanner}
        async with terminal(image, tmp_path, **options) as t:
            await t.state(states.BARCODE_READER, states.ONLINE)
            await scan(t)
            assert scanner.tail == b"\r"

    play(scene)


def test_a_board_without_scanner_says_so(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            number = t.number()
            await t.probe.send(messages.SCAN_START, number, 0)
            await t.probe.expect(messages.SCAN_FAULT, number, states.SCAN_SILENT)
            await t.state(states.BARCODE_READER, states.NO_DEVICE)

    play(scene)


def test_a_code_of_a_life_before_is_asked_for_again(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        scanner = GmScanner()
        async with terminal(image, tmp_path, scanner=scanner) as t:
            await t.probe.send(messages.SCAN_START, t.number(), 0)
            await t.lose_power()
            await asyncio.sleep(0.3)
            scanner.show(CODE)
            await asyncio.sleep(0.5)
            assert not scanner.codes_sent  # the light is off: nobody asked in this life
            await start(t)
            await t.probe.expect(messages.SCAN)

    play(scene)
