"""A board for `mpremote`: the simulated board with a REPL on a terminal and its flash as `/`.

boot.py runs at every reset, main.py unless a soft reset came out of the raw REPL. Ctrl-D, `exit()`
and `machine.soft_reset()` end the process and a new one begins with reset cause SOFT; everything
else is as in `board.py`. Runs on systems with pseudo terminals and MicroPython's wheel.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.technician.description import described, load_board
from simulator.board.board import Board, ResetCause
from simulator.board.bus import Op, Record
from simulator.board.emulate_console import Console
from simulator.board.flash import BLOCK_BYTES
from simulator.board.life import Life
from simulator.board.runtime import micropython_command
from simulator.board.shim_build import build_shim

REPL_NAME = "repl"
RELEASE = "1.29.0"
READY_S = 20.0


@dataclass(frozen=True)
class Kind:
    """What a board says of itself. `program_bytes`: the least write of its flash."""

    name: str
    platform: str
    machine: str
    id_bytes: int
    program_bytes: int


KINDS = {
    kind.name: kind
    for kind in (
        Kind("esp32s3", "esp32", "Generic ESP32S3 module (emulated) with ESP32S3", 6, 32),
        Kind("rp2350", "rp2", "Raspberry Pi Pico 2 (emulated) with RP2350", 8, 256),
    )
}


def find_places(kind: str) -> tuple[dict[int, int], dict[int, int]]:
    """Which UART and which pin of the simulator's harness (wiring.py) the chip's UART and pin of
    the shipped description are."""
    harness, _ = described(load_board("simulated"))
    chip, _ = described(load_board(kind))
    uarts, pins = {}, {}
    for part, there in chip.items():
        here = harness[part]
        if "uart" in there and "uart" in here:
            uarts[there["uart"]] = here["uart"]
        for key in (name.removesuffix("_active") for name in there if name.endswith("_active")):
            if min(there.get(key, -1), here.get(key, -1)) >= 0:
                pins[there[key]] = here[key]
    return uarts, pins


class EmulatedBoard(Board):
    """`name` gives the board its unique id. `flash_bytes`: the file system's, not the chip's.

    The devices hang where the shipped description of the chip's board has them.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        devices: Mapping[str, Any],
        *,
        kind: str = "esp32s3",
        flash_bytes: int = 2 << 20,
        **options: Any,
    ) -> None:
        self._uart_places, self._pin_places = find_places(kind)
        self._chip_pins = {place: pin for pin, place in self._pin_places.items()}
        super().__init__(
            name,
            folder,
            devices,
            firmware_folder=folder,
            link="socket",  # its link is the console
            flash_blocks=flash_bytes // BLOCK_BYTES,
            **options,
        )
        self.kind = KINDS[kind]
        self.devices = devices
        folder.mkdir(parents=True, exist_ok=True)
        self.console = Console(
            folder / REPL_NAME, f"MicroPython v{RELEASE} (emulated); {self.kind.machine}"
        )

    @property
    def repl_path(self) -> str:
        """What mpremote connects to."""
        return str(self.console.path)

    @property
    def unique_id(self) -> str:
        """As `machine.unique_id()`, in hexadecimal."""
        return hashlib.sha256(self.name.encode()).hexdigest()[: 2 * self.kind.id_bytes]

    async def ready(self) -> None:
        """Wait until the REPL waits for input, or a program has the console. TimeoutError."""
        await asyncio.wait_for(self.console.ready.wait(), READY_S)

    async def stop(self) -> None:
        await super().stop()
        self.console.close()

    async def _spawn(self, command: list[str], environment: dict[str, str]) -> Life:
        soft = self._next_cause is ResetCause.SOFT
        starts_raw = soft and self.console.raw
        environment["BOARD_RUN_MAIN"] = "0" if starts_raw else "1"
        terminal, console = self.console.begin_life(starts_raw)
        with console:
            return await Life.start(
                command,
                folder=self.folder,
                environment=environment,
                uarts={
                    uart: self.lines[place].connect() for uart, place in self._uart_places.items()
                },
                inputs={
                    self._chip_pins[place]: level
                    for place, level in self.pins.inputs.items()
                    if place in self._chip_pins
                },
                on_line=self.log.append,
                terminal=terminal,
                console=console,
            )

    def _command(self) -> tuple[list[str], dict[str, str]]:
        shim = build_shim()
        environment = {
            "BOARD_RESET_CAUSE": str(int(self._next_cause)),
            "BOARD_UNIQUE_ID": self.unique_id,
            "BOARD_NAME": self.kind.name,
            "BOARD_PLATFORM": self.kind.platform,
            "BOARD_MACHINE": self.kind.machine,
            "BOARD_RELEASE": RELEASE,
            "BOARD_FLASH_PROGRAM_BYTES": str(self.kind.program_bytes),
            "HOME": str(self.folder.resolve()),  # the unix port keeps its history there
            "MICROPYPATH": f".frozen:{shim / 'repl'}:{shim}",
            **self._flash.environment(erase_ms=self._erase_ms),
        }
        command = [*micropython_command(), "-X", f"heapsize={self._heap}", "-i", "-m", "board_repl"]
        return command, environment

    def _end_life(self, life: Life, code: int) -> None:
        super()._end_life(life, code)
        soft = code == 0 and self._next_cause is ResetCause.PWRON
        if soft:
            self._next_cause = ResetCause.SOFT
        self.console.end_life(soft)

    def _on_record(self, life: Life, record: Record) -> None:
        places = {Op.PIN: self._pin_places, Op.UART: self._uart_places}.get(record.op)
        if places is None:
            super()._on_record(life, record)
        elif record.unit in places:
            super()._on_record(life, record._replace(unit=places[record.unit]))

    def _tell_input(self, pin: int, level: int) -> None:
        if pin in self._chip_pins:
            super()._tell_input(self._chip_pins[pin], level)

    def _switch_console(self, to_bytes: bool) -> None:
        self.console.take(to_bytes)
