"""The file behind the simulated flash: as large as the chip, formatted by the board at its first
start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 4096
_SUPERBLOCKS = 2
_LITTLEFS_MAGIC = b"littlefs"


@dataclass(frozen=True)
class Flash:
    """`path` of the image; `block_count` must equal the file system's for ever: littlefs refuses
    another."""

    path: Path
    block_count: int = 256

    def prepare(self) -> bool:
        """Make the file when it is absent. True when it holds no file system yet and the board must
        format it."""
        size = self.block_count * BLOCK_BYTES
        if not self.path.exists():
            with self.path.open("wb") as image:
                image.truncate(size)
        if self.path.stat().st_size != size:
            raise FlashSizeError(
                f"{self.path} is not {size} bytes long: give the block count it was made with,"
                " or remove it"
            )
        with self.path.open("rb") as image:
            return _LITTLEFS_MAGIC not in image.read(_SUPERBLOCKS * BLOCK_BYTES)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files, by their path from the root of the file system, while no board runs, as who
        provisions a board does. The flash of the CPython runtime is `put_in_folder`."""
        from littlefs import LittleFS, UserContext  # noqa: PLC0415 - only for this

        blank = self.prepare()
        context = UserContext(buffsize=self.block_count * BLOCK_BYTES)
        context.buffer[:] = self.path.read_bytes()
        system = LittleFS(
            context, mount=False, block_size=BLOCK_BYTES, block_count=self.block_count
        )
        if blank:
            system.format()
        system.mount()
        for name, data in files.items():
            if "/" in name:
                system.makedirs(name.rpartition("/")[0], exist_ok=True)
            with system.open(name, "wb") as file:
                file.write(data)
        system.unmount()
        self.path.write_bytes(context.buffer)

    def put_in_folder(self, files: Mapping[str, bytes]) -> None:
        """The same for the plain folder that is the flash under CPython."""
        folder = self.path.with_suffix(".files")
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)

    def environment(self, *, erase_ms: float) -> dict[str, str]:
        """What the board's start-up reads; `erase_ms` in milliseconds of the host."""
        return {
            "BOARD_FLASH_FILE": str(self.path.resolve()),
            "BOARD_FLASH_BLOCKS": str(self.block_count),
            "BOARD_FLASH_BLOCK_BYTES": str(BLOCK_BYTES),
            "BOARD_FLASH_FORMAT": "1" if self.prepare() else "0",
            "BOARD_ERASE_MS": str(erase_ms),
        }


class FlashSizeError(Exception):
    """The image on disk belongs to another chip size."""
