"""What goes onto a board, made in one folder: the same input gives the same bytes.

| in the folder | what |
| --- | --- |
| `files/` | the flash, file by file, as `provision` copies it |
| `filesystem.img` | the same as a littlefs of exactly the board's block count |
| `flash.bin` | with an interpreter: both, from address 0, for `esptool write-flash 0` |
| `manifest.json` | board, sizes, release and the hash of every file |
"""

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import msgspec

from edge_agent.technician.description import check_board, load_board
from edge_agent.technician.flash_sizes import (
    BLOCK_BYTES,
    FlashSize,
    FlashSizeUnknownError,
    flash_size,
    in_partition,
)
from edge_agent.technician.image import ImageError, ImageFile, build_image
from edge_agent.technician.layout import board_content, is_data, unsigned_release
from edge_agent.technician.release_file import Release, ReleaseError, read_release
from edge_agent.technician.trouble import TroubleError

FORMAT = 1
MERGE_S = 60.0
FILES_FOLDER, IMAGE_FILE, FLASH_FILE = "files", "filesystem.img", "flash.bin"
MANIFEST_FILE = "manifest.json"
_LOOKAHEAD_BYTES = 32
_CACHE_BLOCKS = 4
_ESP_MAGIC = 0xE9
_ESP_CHIP_AT, _ESP32S3_CHIP = 12, 9  # esp_image_header_t.chip_id
_HEADER_BYTES = 16
_ESP = "esp32s3"


class BuildManifest(msgspec.Struct, frozen=True):
    """`release` is the release's id, 16 hexadecimal digits; hashes are SHA-256. `flash_sha256` is
    empty without an interpreter."""

    format: int
    board: str
    firmware: str
    version: int
    release: str
    signed: bool
    chip_mib: int
    block_bytes: int
    blocks: int
    program_bytes: int
    offset: int
    files: tuple[ImageFile, ...]
    image_sha256: str
    flash_sha256: str

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def build(
    board: str,
    chip_mib: int,
    out: Path,
    *,
    version: int = 1,
    release: Path | None = None,
    key: Path | None = None,
    interpreter: Path | None = None,
) -> BuildManifest:
    """Build into `out`, which is made if need be. `release`: a release file to put into both slots
    instead of one made here as `version`; `key`: the public key of releases; `interpreter`: a
    MicroPython image for address 0. Raises TroubleError, FlashSizeUnknownError.
    """
    size = flash_size(board, chip_mib)
    problems = check_board(load_board(board))
    if problems:
        raise TroubleError("image_broken", error="; ".join(problems))
    out.mkdir(parents=True, exist_ok=True)
    key_bytes = None if key is None else _read(key)
    interpreter_bytes = None
    if interpreter is not None:
        interpreter_bytes, size = _interpreter(interpreter, board, size)
    with tempfile.TemporaryDirectory(dir=out, prefix=".building-") as scratch:
        place = Path(scratch)
        made = place / "compiled"
        chosen = _release(made, board, version, release)
        content = dict(sorted(board_content(made, chosen, key_bytes).items()))
        image = make_filesystem(content, size)
        flash = b"" if interpreter_bytes is None else _merge(interpreter_bytes, image, size, place)
        _write_files(content, place / FILES_FOLDER)
        shutil.rmtree(out / FILES_FOLDER, ignore_errors=True)
        os.replace(place / FILES_FOLDER, out / FILES_FOLDER)
    manifest = BuildManifest(
        FORMAT,
        board,
        chosen.name,
        chosen.version,
        f"{chosen.id:016x}",
        bool(chosen.signature),
        chip_mib,
        BLOCK_BYTES,
        size.blocks,
        size.program_bytes,
        size.offset,
        tuple(ImageFile(path, len(data), _sha256(data)) for path, data in content.items()),
        _sha256(image),
        _sha256(flash) if flash else "",
    )
    (out / IMAGE_FILE).write_bytes(image)
    (out / FLASH_FILE).unlink(missing_ok=True)
    if flash:
        (out / FLASH_FILE).write_bytes(flash)
    (out / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    return manifest


def read_build(folder: Path) -> BuildManifest:
    """The manifest of a folder that `build` made, every file compared. Raises TroubleError."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=BuildManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise TroubleError("file_unusable", path=folder / MANIFEST_FILE, error=error) from error
    if manifest.format != FORMAT:
        problem = f"format {manifest.format}, not {FORMAT}"
        raise TroubleError("file_unusable", path=folder / MANIFEST_FILE, error=problem)
    for file in manifest.files:
        if is_data(file.path) or ".." in file.path.split("/"):
            raise TroubleError("image_broken", error=f"{file.path}: no file of a firmware")
        if _sha256(_read(folder / FILES_FOLDER / file.path)) != file.sha256:
            raise TroubleError("image_broken", error=f"{file.path}: differs from the manifest")
    return manifest


def make_filesystem(content: dict[str, bytes], size: FlashSize) -> bytes:
    """A littlefs with these files, by path. Raises TroubleError when they do not fit."""
    try:
        from littlefs import LittleFS, LittleFSError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TroubleError("no_tool", tool="littlefs-python") from error
    system = LittleFS(
        block_size=BLOCK_BYTES,
        block_count=size.blocks,
        prog_size=size.program_bytes,
        read_size=size.program_bytes,
        cache_size=_CACHE_BLOCKS * size.program_bytes,
        lookahead_size=_LOOKAHEAD_BYTES,
    )
    try:
        for path, data in sorted(content.items()):
            folder = path.rpartition("/")[0]
            if folder:
                system.makedirs(folder, exist_ok=True)
            with system.open(path, "wb") as file:
                file.write(data)
    except LittleFSError as error:
        needed, free = sum(map(len, content.values())), size.blocks * BLOCK_BYTES
        raise TroubleError("flash_full", needed=needed, free=free) from error
    return bytes(system.context.buffer)


def firmware_version() -> str:
    """Of the sources beside this program: what the board will say in its HELLO."""
    return str(importlib.import_module("firmware.app").VERSION)


def _release(made: Path, board: str, version: int, release: Path | None) -> Release:
    try:
        build_image(made)
        if release is None:
            return unsigned_release(made, board, version, firmware_version())
        chosen = read_release(release)
    except (ImageError, ReleaseError) as error:
        raise TroubleError("image_broken", error=error) from error
    if chosen.board != board:
        raise TroubleError("wrong_board", found=board, expected=chosen.board)
    return chosen


def _interpreter(path: Path, board: str, size: FlashSize) -> tuple[bytes, FlashSize]:
    """The image, and the file system as its partition table has it."""
    if board != _ESP:
        problem = "only an ESP32 is flashed as one image; copy the .uf2 onto the board's drive"
        raise TroubleError("file_unusable", path=path, error=problem)
    data = _read(path)
    chip = int.from_bytes(data[_ESP_CHIP_AT : _ESP_CHIP_AT + 2], "little")
    if len(data) < _HEADER_BYTES or data[0] != _ESP_MAGIC or chip != _ESP32S3_CHIP:
        raise TroubleError("file_unusable", path=path, error="no image for an ESP32-S3")
    try:
        size = in_partition(size, data)
    except FlashSizeUnknownError as error:
        raise TroubleError("file_unusable", path=path, error=error) from error
    if len(data) > size.offset:
        problem = f"{len(data)} bytes, the file system begins at {size.offset}"
        raise TroubleError("file_unusable", path=path, error=problem)
    return data, size


def _merge(interpreter: bytes, image: bytes, size: FlashSize, scratch: Path) -> bytes:
    """esptool is GPL: it runs in a process of its own."""
    if find_spec("esptool") is None:
        raise TroubleError("no_tool", tool="esptool")
    parts = {0: scratch / "interpreter.bin", size.offset: scratch / IMAGE_FILE}
    parts[0].write_bytes(interpreter)
    parts[size.offset].write_bytes(image)
    merged = scratch / FLASH_FILE
    command = [sys.executable, "-m", "esptool", "--chip", _ESP, "merge-bin", "-o", str(merged)]
    command += [word for at, path in parts.items() for word in (str(at), str(path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MERGE_S, check=False)
    if done.returncode != 0:
        raise TroubleError("image_broken", error=(done.stdout + done.stderr).strip())
    return merged.read_bytes()


def _write_files(content: dict[str, bytes], folder: Path) -> None:
    for path, data in content.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TroubleError("file_unusable", path=path, error=error.strerror) from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
