"""What goes onto a board is the same for the same input, fits the partition to the block, and says
what it is."""

import hashlib
import shutil
import struct
from pathlib import Path

import pytest

from edge_agent.technician.build import build, make_filesystem, read_build
from edge_agent.technician.flash_sizes import (
    CHIP_MIB,
    FlashSizeUnknownError,
    flash_size,
    parse_size,
)
from edge_agent.technician.layout import SLOTS
from edge_agent.technician.trouble import TroubleError

ESP_HEADER = bytes([0xE9, 4, 2, 0x20]) + bytes(8) + (9).to_bytes(2, "little") + bytes(10)
VFS_AT = 0x310000


def partitioned(vfs_at: int = VFS_AT, label: bytes = b"vfs", code: bytes = b"") -> bytes:
    """An image for address 0: header, partition table, code."""
    rows = [(1, 2, 0x9000, 0x6000, b"nvs"), (0, 0, 0x10000, 0x300000, b"factory")]
    rows.append((1, 0x81, vfs_at, 0xF0000, label))
    table = b"".join(struct.pack("<2sBBII16sI", b"\xaa\x50", *row, 0) for row in rows)
    return (ESP_HEADER.ljust(0x8000, b"\xff") + table).ljust(0x10000, b"\xff") + code


INTERPRETER = partitioned(code=bytes(range(200)) * 40)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build("esp32s3", 4, folder)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_input_gives_the_same_bytes_in_any_folder(built: Path, tmp_path: Path) -> None:
    build("esp32s3", 4, tmp_path / "another")
    assert content(tmp_path / "another") == content(built)


def test_the_filesystem_holds_the_files_and_is_as_large_as_the_partition(built: Path) -> None:
    from littlefs import LittleFS

    manifest = read_build(built)
    image = (built / "filesystem.img").read_bytes()
    assert len(image) == 512 * 4096 == manifest.blocks * manifest.block_bytes
    mounted = LittleFS(block_size=4096, block_count=512, mount=False)
    mounted.context.buffer[:] = image
    mounted.mount()
    for file in manifest.files:
        with mounted.open(file.path, "rb") as there:
            assert hashlib.sha256(there.read()).hexdigest() == file.sha256
    paths = {file.path for file in manifest.files}
    assert {"main.py", *(f"{slot}/firmware/app.mpy" for slot in SLOTS)} <= paths


def test_an_interpreter_and_the_files_make_one_flash_image(tmp_path: Path) -> None:
    interpreter = tmp_path / "micropython.bin"
    interpreter.write_bytes(INTERPRETER)
    manifest = build("esp32s3", 8, tmp_path / "out", interpreter=interpreter)
    flash = (tmp_path / "out" / "flash.bin").read_bytes()
    assert flash.startswith(INTERPRETER)
    assert manifest.offset == VFS_AT, "where the interpreter looks for it"
    assert flash[manifest.offset :] == (tmp_path / "out" / "filesystem.img").read_bytes()
    assert len(flash) == 8 << 20


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no image"),
        (b"\xe9" + bytes(40), "no image"),
        (partitioned(code=bytes(VFS_AT)), "begins"),
        (ESP_HEADER, "partition table"),
        (partitioned(label=b"storage"), "partition table"),
        (partitioned(vfs_at=4 << 20), "partition table"),
        (partitioned(vfs_at=VFS_AT + 1), "partition table"),
    ],
    ids=["empty", "another chip", "too large", "no table", "no vfs", "beyond", "crooked"],
)
def test_an_interpreter_that_cannot_run_there_is_refused(
    tmp_path: Path, data: bytes, says: str
) -> None:
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(TroubleError) as told:
        build("esp32s3", 4, tmp_path / "out", interpreter=tmp_path / "x.bin")
    assert told.value.key == "file_unusable"
    assert says in str(told.value.values["error"])


def test_a_build_whose_files_changed_since_is_refused(built: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built, copy)
    with (copy / "files" / "main.py").open("a") as file:
        file.write("#")
    with pytest.raises(TroubleError, match=r"main\.py"):
        read_build(copy)


def test_files_that_do_not_fit_are_told_with_both_sizes() -> None:
    size = flash_size("simulated", 4)
    with pytest.raises(TroubleError) as told:
        make_filesystem({"a": bytes(size.blocks * 4096)}, size)
    assert told.value.key == "flash_full"


def test_each_board_and_chip_has_its_block_count() -> None:
    assert [flash_size("esp32s3", chip).blocks for chip in CHIP_MIB] == [512, 1536, 3584]
    assert [flash_size("rp2350", chip).blocks for chip in CHIP_MIB] == [768, 1792, 3840]
    assert flash_size("rp2350", 4).program_bytes == 256
    for text in ("5MB", "large", ""):
        with pytest.raises(FlashSizeUnknownError):
            flash_size("esp32s3", parse_size(text))
