"""Checks a board's description before it is built or provisioned, with the firmware's own rules.

The board makes the same check at each start (`firmware/description.py`); there the first mistake
stops it, here all are listed.
"""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Parts = dict[str, dict[str, Any]]
"""{part: its whole description}."""
_BOARDS = Path(__file__).resolve().parents[2] / "firmware" / "boards"
SHIPPED = tuple(sorted(file.stem for file in _BOARDS.glob("*.py") if file.stem != "__init__"))
"""Names of the boards that have a description."""
CONSTANTS = {"NAME": str, "CHIP": str, "DATA": str, "WATCHDOG_MS": int, "CONSOLE": bool}
WATCHDOG_MS_MIN = 2000  # a pass may take one second, an erase of the flash comes on top
WATCHDOG_MS_MAX = 8388  # the longest of an RP2350


def load_board(name: str) -> Any:
    """The description of a shipped board. Raises LookupError that lists what there is."""
    if name not in SHIPPED:
        raise LookupError(f"no board {name!r}; there are: {', '.join(SHIPPED)}")
    return importlib.import_module(f"firmware.boards.{name}")


def check_board(board: Any, settings: Iterable[str] = ()) -> list[str]:
    """What is wrong with a description and the lines of its settings.txt, if it has one: a sentence
    a mistake, with part, key, value and cure. [] when the board can be built.
    """
    for name, kind in CONSTANTS.items():
        if not isinstance(getattr(board, name, None), kind):
            return [f"board: {name} is missing or no {kind.__name__}; see firmware/boards"]
    wrong = []
    if not WATCHDOG_MS_MIN <= board.WATCHDOG_MS <= WATCHDOG_MS_MAX:
        cure = f"use {WATCHDOG_MS_MIN} to {WATCHDOG_MS_MAX}"
        wrong.append(f"board {board.NAME}: WATCHDOG_MS = {board.WATCHDOG_MS}: {cure}")
    if board.CONSOLE and board.LINK.get("usb"):
        wrong.append(f"board {board.NAME}: CONSOLE = True: use False, the link is on the USB")
    return wrong + described(board, settings)[1]


def described(board: Any, settings: Iterable[str] = ()) -> tuple[Parts, list[str]]:
    """(the parts, {} for one that is not built in; what is wrong with them)."""
    # not a static import: mypy checks the firmware against stubs of its own (firmware/mypy.ini)
    rules = importlib.import_module("firmware.settings")
    parts, problems = rules.apply(board, settings)
    return parts, problems
