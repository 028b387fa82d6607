"""`tongban board emulate`: a board for mpremote until Ctrl-C."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from edge_agent.technician.build import IMAGE_FILE, read_build
from edge_agent.technician.flash_sizes import BLOCK_BYTES, FlashSizeUnknownError, parse_size
from edge_agent.technician.flash_sizes import flash_size as blocks_of
from edge_agent.technician.trouble import TroubleError
from edge_agent.technician.words import words
from simulator.board.emulate import EmulatedBoard
from simulator.board.emulate_person import EmulatedPerson
from simulator.board.flash import FlashSizeError
from simulator.board.runtime import RuntimeMissingError
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice

FLASH_NAME = "flash.img"

EXIT_USAGE = 2


def emulate(
    *,
    folder: Path | None = None,
    flash_size: str = "4MB",
    board: Literal["esp32s3", "rp2350"] = "esp32s3",
    name: str = "board-1",
    image: Path | None = None,
    devices: bool = True,
    person: bool = False,
    speed: float = 1,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Run a board in software until Ctrl-C: MicroPython's REPL on a terminal, a flash as `/`.

    Open the path that it prints with `mpremote connect PATH`, or with the other `tongban board`
    commands as `--port PATH`.

    Parameters
    ----------
    folder
        Where the flash image lies; kept, and used again. A temporary one is removed at the end.
    flash_size
        Size of the flash chip: 4MB, 8MB or 16MB. The file system is what the interpreter leaves.
    board
        Which chip it claims to be.
    name
        Gives the board its unique id.
    image
        Folder of `tongban board build`: the flash of a new board has these files. Without it the
        board has nothing but its interpreter.
    devices
        Plug in a simulated device wherever the board's description has one.
    person
        Somebody stands there who does what `selftest` and `provision` ask for.
    speed
        Devices this many times faster than in life.
    as_json
        One JSON object on stdout: repl, id, board.
    """
    place = Path(tempfile.mkdtemp(prefix="tongban-board-")) if folder is None else folder
    try:
        if image is not None:
            _put_image(image, place, board)
        emulated = partial(
            EmulatedBoard,
            name,
            place,
            make_devices() if devices else {},
            kind=board,
            flash_bytes=blocks_of(board, parse_size(flash_size)).blocks * BLOCK_BYTES,
            speed=speed,
        )
        return asyncio.run(_serve(emulated, person, as_json))
    except TroubleError as error:
        print(f"error: {words('en').trouble(error)}", file=sys.stderr)
        return error.exit_code
    except (FlashSizeUnknownError, FlashSizeError, RuntimeMissingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


def make_devices() -> dict[str, Any]:
    """One of each, as a terminal of every kind has them."""
    return {
        "card_reader": SdtReader(),
        "printer": EscposPrinter(),
        "voice": Syn6288Voice(),
        "gate": Gate(),
        "help_button": HelpButton(),
    }


def _put_image(image: Path, folder: Path, board: str) -> None:
    """A flash that is there already stays as it is. Raises TroubleError."""
    manifest = read_build(image)
    if manifest.board != board:
        raise TroubleError("wrong_board", found=board, expected=manifest.board)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FLASH_NAME).exists():
        shutil.copy(image / IMAGE_FILE, folder / FLASH_NAME)


async def _serve(make: Callable[[], EmulatedBoard], person: bool, as_json: bool) -> int:
    emulated = make()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await emulated.start()
    somebody = EmulatedPerson(emulated, emulated.devices) if person else None
    try:
        await emulated.ready()
        kind = emulated.kind.name
        found = {"repl": emulated.repl_path, "id": emulated.unique_id, "board": kind}
        if as_json:
            print(json.dumps(found), flush=True)
        else:
            print(emulated.repl_path, flush=True)
            print(f"mpremote connect {emulated.repl_path}   (Ctrl-C ends it)", file=sys.stderr)
        await ended.wait()
    finally:
        if somebody is not None:
            await somebody.leave()
        await emulated.stop()
    return 0
