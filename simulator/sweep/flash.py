"""The flash of a board in memory: littlefs on a chip that may lose power in any program or erase.

A torn program leaves its first half, a torn erase the block as it was in its second half. After
that the chip takes no write; who tries gets `PowerCut`, which no `except` of a firmware catches.
"""

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace, TracebackType
from typing import Any

from littlefs import LittleFS, UserContext, lfs
from littlefs.errors import LittleFSError

BLOCK_BYTES = 512
BLOCK_COUNT = 64
_PROGRAM_BYTES = 16
_IO_ERROR = -5
_GEOMETRY: dict[str, Any] = {
    "block_size": BLOCK_BYTES,
    "read_size": _PROGRAM_BYTES,
    "prog_size": _PROGRAM_BYTES,
    "cache_size": 64,
    "lookahead_size": 16,
}
_FLAGS: Any = lfs.LFSFileFlag
_MODES = {
    "r": _FLAGS.rdonly,
    "w": _FLAGS.wronly | _FLAGS.creat | _FLAGS.trunc,
    "a": _FLAGS.wronly | _FLAGS.creat | _FLAGS.append,
}


class PowerCut(BaseException):
    """The power of this part is gone; its program stops here."""


class Chip(UserContext):
    """`tears()` is asked before each program and erase. As large as its image, or `block_count`."""

    def __init__(self, image: bytes | None = None, block_count: int = BLOCK_COUNT) -> None:
        super().__init__(buffer=bytearray(image or b"\xff" * (BLOCK_BYTES * block_count)))
        self.block_count = len(self.buffer) // BLOCK_BYTES
        self.tears: Callable[[], bool] = lambda: False
        self.dead = False

    def image(self) -> bytes:
        """What it holds now."""
        return bytes(self.buffer)

    def read(self, _cfg: Any, block: int, off: int, size: int) -> bytearray:
        at = block * BLOCK_BYTES + off
        return bytearray(self.buffer[at : at + size])

    def prog(self, _cfg: Any, block: int, off: int, data: bytes) -> int:
        return self._write(block * BLOCK_BYTES + off, bytes(data))

    def erase(self, _cfg: Any, block: int) -> int:
        return self._write(block * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)

    def sync(self, _cfg: Any) -> int:
        return 0

    def _write(self, at: int, data: bytes) -> int:
        if not self.dead and self.tears():
            self.dead = True
            data = data[: len(data) // 2]
            self.buffer[at : at + len(data)] = data
        if self.dead:
            return _IO_ERROR
        self.buffer[at : at + len(data)] = data
        return 0


def formatted(block_count: int = BLOCK_COUNT) -> bytes:
    """The image of an empty file system."""
    chip = Chip(block_count=block_count)
    LittleFS(chip, mount=False, block_count=block_count, **_GEOMETRY).format()
    return chip.image()


class BoardFiles:
    """The file functions of MicroPython over a chip: `open`, and `os` with the rest."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self._fs = LittleFS(chip, mount=True, block_count=chip.block_count, **_GEOMETRY)
        self.os = SimpleNamespace(
            ilistdir=self._ilistdir,
            listdir=self._guarded(self._fs.listdir),
            mkdir=self._guarded(self._fs.mkdir),
            remove=self._guarded(self._fs.remove),
            rename=self._guarded(self._fs.rename),
            rmdir=self._guarded(self._fs.rmdir),
            stat=self._guarded(self._stat),
            statvfs=self._guarded(self._statvfs),
            sync=lambda: None,
            urandom=os.urandom,
        )

    def open(self, path: str, mode: str = "r") -> "BoardFile":
        """As MicroPython's `open`. OSError."""
        flags = _MODES[mode[0]]
        handle = self._guarded(lfs.file_open)(self._fs.fs, path, flags)
        return BoardFile(self._fs.fs, handle, self._guarded, text="b" not in mode)

    def _stat(self, path: str) -> tuple[int, ...]:
        found = self._fs.stat(path)
        mode = 0x8000 if found.type == 1 else 0x4000
        return (mode, 0, 0, 0, 0, 0, found.size, 0, 0, 0)

    def _ilistdir(self, path: str) -> list[tuple[str, int, int, int]]:
        found = self._guarded(lambda: list(self._fs.scandir(path)))()
        return [(one.name, 0x8000 if one.type == 1 else 0x4000, 0, one.size) for one in found]

    def _statvfs(self, _path: str) -> tuple[int, ...]:
        free = self.chip.block_count - int(self._fs.used_block_count)
        return (BLOCK_BYTES, BLOCK_BYTES, self.chip.block_count, free, free, 0, 0, 0, 0, 255)

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if self.chip.dead:
                raise PowerCut
            try:
                return call(*arguments)
            except LittleFSError as error:
                if self.chip.dead:
                    raise PowerCut from None
                raise OSError(-error.code, str(error)) from error
            except OSError as error:  # littlefs-python maps some, without their numbers
                if isinstance(error, FileNotFoundError):
                    raise OSError(2, str(error)) from error
                raise

        return run


class BoardFile:
    """An open file. Closed once: littlefs ends the process of who closes twice."""

    def __init__(
        self, fs: Any, handle: Any, guarded: Callable[[Any], Callable[..., Any]], *, text: bool
    ) -> None:
        self._fs, self._handle, self._guarded, self._text = fs, handle, guarded, text
        self._is_open = True

    def write(self, data: Any) -> int:
        """Bytes, or text in text mode."""
        raw = data.encode() if self._text else bytes(data)
        return int(self._guarded(lfs.file_write)(self._fs, self._handle, raw))

    def read(self, count: int = -1) -> Any:
        """Up to `count` bytes or, in text mode, characters of ASCII."""
        size = lfs.file_size(self._fs, self._handle) if count < 0 else count
        raw = self._guarded(lfs.file_read)(self._fs, self._handle, size)
        return raw.decode() if self._text else raw

    def readinto(self, room: Any) -> int:
        """How many bytes came."""
        data = self._guarded(lfs.file_read)(self._fs, self._handle, len(room))
        room[: len(data)] = data
        return len(data)

    def seek(self, offset: int) -> int:
        """From the start of the file."""
        return int(self._guarded(lfs.file_seek)(self._fs, self._handle, offset, 0))

    def tell(self) -> int:
        """From the start of the file."""
        return int(self._guarded(lfs.file_tell)(self._fs, self._handle))

    def readline(self, most: int = -1) -> Any:
        """A line with its end, at most `most` bytes of it; empty at the end of the file."""
        line = "" if self._text else b""
        end = "\n" if self._text else b"\n"
        while len(line) != most and not line.endswith(end):  # type: ignore[arg-type]
            one = self.read(1)
            if not one:
                break
            line += one
        return line

    def __iter__(self) -> Iterator[Any]:
        while line := self.readline():
            yield line

    def close(self) -> None:
        """littlefs commits here."""
        if self._is_open:
            self._is_open = False
            self._guarded(lfs.file_close)(self._fs, self._handle)

    def __enter__(self) -> "BoardFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
