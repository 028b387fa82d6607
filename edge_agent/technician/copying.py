"""From the build folder onto the flash: what differs and nothing else, each file compared there.

| at any cut | the board |
| --- | --- |
| before the first write | starts what it had |
| among the writes | has no main.py: it stays in its REPL until this is run again |
| after main.py, which is written last | starts what was built |
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from edge_agent.technician.board_repl import BoardRepl, RemoteFile
from edge_agent.technician.build import FILES_FOLDER, BuildManifest
from edge_agent.technician.flash_sizes import BLOCK_BYTES
from edge_agent.technician.image import ImageFile
from edge_agent.technician.layout import MAIN_FILE, POINTER_FILE, is_data
from edge_agent.technician.trouble import TroubleError

_LAST = (POINTER_FILE, MAIN_FILE)


class Changes(msgspec.Struct, frozen=True):
    """`write` in the order of writing; `remove`: paths; `needed_bytes` of flash beyond what is
    freed."""

    write: tuple[ImageFile, ...]
    remove: tuple[str, ...]
    needed_bytes: int

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.write)


class Steps(Protocol):
    """How far a copy is."""

    def begin(self, step: str, total: int) -> None: ...

    def advance(self, count: int) -> None: ...


def tops(manifest: BuildManifest) -> tuple[str, ...]:
    """The names in the root that a build owns."""
    return tuple(sorted({file.path.split("/", maxsplit=1)[0] for file in manifest.files}))


def compare(manifest: BuildManifest, there: Mapping[str, RemoteFile]) -> Changes:
    """What has to change on the flash; data is left alone."""
    wanted = {file.path: file for file in manifest.files}
    write = [
        file
        for file in manifest.files
        if file.path not in there or there[file.path].sha256 != file.sha256
    ]
    write.sort(
        key=lambda file: (_LAST.index(file.path) + 1 if file.path in _LAST else 0, file.path)
    )
    remove = tuple(sorted(p for p in there if p not in wanted and not is_data(p)))
    gone = [there[path].size_bytes for path in (*remove, *(f.path for f in write)) if path in there]
    needed = sum(_room(file.size_bytes) for file in write) - sum(map(_room, gone))
    return Changes(tuple(write), remove, needed)


def apply(repl: BoardRepl, folder: Path, changes: Changes, free_bytes: int, steps: Steps) -> None:
    """Raises TroubleError: `flash_full` before anything is changed, `copy_corrupt`, `went_away`."""
    if changes.needed_bytes > free_bytes:
        raise TroubleError("flash_full", needed=changes.needed_bytes, free=free_bytes)
    if not changes.write and not changes.remove:
        return
    if any(file.path != MAIN_FILE for file in changes.write):
        repl.remove(MAIN_FILE)
    for path in changes.remove:
        repl.remove(path)
    made: set[str] = set()
    written: dict[str, str] = {}
    steps.begin("copy", changes.size_bytes)
    main_written = False
    for file in changes.write:
        _make_folders(repl, file.path, made)
        twin = written.get(file.sha256)  # the other slot has the same: no need of the line
        if twin is not None and repl.copy(twin, file.path) == file.sha256:
            steps.advance(file.size_bytes)
        else:
            data = (folder / FILES_FOLDER / file.path).read_bytes()
            repl.write(file.path, data, file.sha256, steps.advance)
        written[file.sha256] = file.path
        main_written = main_written or file.path == MAIN_FILE
    if not main_written:
        data = (folder / FILES_FOLDER / MAIN_FILE).read_bytes()
        write_whole(repl, MAIN_FILE, data)


def write_whole(repl: BoardRepl, path: str, data: bytes) -> None:
    """Replace a file in one step: beside it, compared, then renamed."""
    repl.write(path + ".new", data, hashlib.sha256(data).hexdigest(), _nothing)
    repl.rename(path + ".new", path)


def _make_folders(repl: BoardRepl, path: str, made: set[str]) -> None:
    folder = ""
    for name in path.split("/")[:-1]:
        folder = f"{folder}/{name}" if folder else name
        if folder not in made:
            repl.make_folder(folder)
            made.add(folder)


def _room(size_bytes: int) -> int:
    """What a file takes on littlefs: whole blocks, and its entry."""
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES


def _nothing(_count: int) -> None:
    """Nobody looks at so small a file."""
