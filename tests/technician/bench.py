"""A bench: an emulated board in a thread of its own, with devices, a person, and faults; a bundle;
an image; and the command as a technician runs it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol.bundle import Bundle, to_toml
from protocol.keys import DeviceKey
from simulator.board.emulate import EmulatedBoard
from simulator.board.emulate_cli import make_devices
from simulator.board.emulate_person import EmulatedPerson
from tests.agent.live_uplink import KEYS

SPEED = 8
TERMINAL, UNIT = "gate-1", "town/hall-1"
SEED = bytes(range(32))
COMMAND_S = 120


class BoardThread:
    """Use in a `with`. `do(action)` runs in the board's loop. `without`: devices not plugged in."""

    def __init__(
        self,
        folder: Path,
        *,
        without: tuple[str, ...] = (),
        person: bool = True,
        name: str = "board-1",
        **options: Any,
    ) -> None:
        self.folder = folder
        self.devices = {n: device for n, device in make_devices().items() if n not in without}
        self._person = person
        self._name = name
        self._options: dict[str, Any] = {"kind": "esp32s3", "speed": SPEED, **options}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.board: EmulatedBoard

    def __enter__(self) -> "BoardThread":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> str:
        return self.board.repl_path

    def do(self, action: Callable[[], Any]) -> Any:
        async def act() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(10)

    def wait_log(self, words: str, times: int) -> None:
        """Until the board's log has these words so often."""
        give_up = time.monotonic() + 20
        while sum(words in line for line in list(self.board.log)) < times:
            assert time.monotonic() < give_up, list(self.board.log)
            time.sleep(0.02)

    async def _begin(self) -> None:
        self.board = EmulatedBoard(self._name, self.folder, self.devices, **self._options)
        await self.board.start()
        await self.board.ready()
        self._live = EmulatedPerson(self.board, self.devices) if self._person else None

    async def _end(self) -> None:
        if self._live is not None:
            await self._live.leave()
        await self.board.stop()


@dataclass
class Said:
    """What a command left behind. `data`: the object on its stdout."""

    code: int
    data: dict[str, Any]
    told: str


@dataclass
class Bench:
    """`image`: a build for the esp32s3. `run` gives the command's words in English."""

    folder: Path
    image: Path
    environment: dict[str, str] = field(default_factory=dict)

    def bundle(self, terminal: str = TERMINAL) -> Path:
        path = self.folder / f"{terminal}.bundle.toml"
        made = Bundle(terminal, UNIT, SEED, KEYS.public, "127.0.0.1", 9, "A")
        path.write_text(to_toml(made))
        return path

    @property
    def verify_key(self) -> bytes:
        return DeviceKey(SEED).verify_key

    def command(self, *arguments: str) -> list[str]:
        words = [sys.executable, "-m", "tongban.cli", "board", *arguments]
        return [*words, "--json", "--lang", "en"]

    def run(self, *arguments: str, **options: Any) -> Said:
        """The command to its end. Nobody can answer a question: its stdin is closed."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=COMMAND_S,
            check=False, stdin=subprocess.DEVNULL, env=environment, **options,
        )  # fmt: skip
        data = json.loads(done.stdout) if done.stdout.strip() else {}
        return Said(done.returncode, data, done.stderr)

    def provision(self, port: str, *more: str, **options: Any) -> Said:
        given = ("--port", port, "--image", str(self.image), "--bundle", str(self.bundle()))
        return self.run("provision", *given, *more, **options)
