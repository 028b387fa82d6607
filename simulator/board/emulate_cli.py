"""`tongban board emulate`: a board for mpremote until Ctrl-C."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from edge_agent.technician.flash_sizes import (
    BLOCK_BYTES,
    FlashSizeUnknownError,
    flash_size,
    parse_size,
)
from simulator.board.emulate import EmulatedBoard
from simulator.board.flash import FlashSizeError
from simulator.board.runtime import RuntimeMissingError

EXIT_USAGE = 2


def emulate(
    *,
    folder: Path | None = None,
    flash_size: str = "4MB",
    board: Literal["esp32s3", "rp2350"] = "esp32s3",
    name: str = "board-1",
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
    as_json
        One JSON object on stdout: repl, id, board.
    """
    place = Path(tempfile.mkdtemp(prefix="tongban-board-")) if folder is None else folder
    try:
        return asyncio.run(_serve(place, board, parse_size(flash_size), name, as_json))
    except (FlashSizeUnknownError, FlashSizeError, RuntimeMissingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


async def _serve(folder: Path, kind: str, chip_mib: int, name: str, as_json: bool) -> int:
    blocks = flash_size(kind, chip_mib).blocks
    emulated = EmulatedBoard(name, folder, {}, kind=kind, flash_bytes=blocks * BLOCK_BYTES)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await emulated.start()
    try:
        await emulated.ready()
        found = {"repl": emulated.repl_path, "id": emulated.unique_id, "board": kind}
        if as_json:
            print(json.dumps(found), flush=True)
        else:
            print(emulated.repl_path, flush=True)
            print(f"mpremote connect {emulated.repl_path}   (Ctrl-C ends it)", file=sys.stderr)
        await ended.wait()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await emulated.stop()
    return 0
