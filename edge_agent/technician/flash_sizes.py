"""How large the file system of a board is: it must fit the partition to the block.

| board | file system begins | source |
| --- | --- | --- |
| esp32s3 | where the partition `vfs` of the interpreter's image begins, up to the end of the chip: MicroPython lets it grow at boot; ESP_BEGINS without an image | ESP-IDF Programming Guide, Partition Tables |
| rp2350 | after 1 MiB, up to the end | MicroPython's ports/rp2, boards/RPI_PICO2, MICROPY_HW_FLASH_STORAGE_BYTES |
| simulated | a chip of its own, 1 MiB | simulator/board |
"""  # noqa: E501

import struct
from dataclasses import dataclass, replace

BLOCK_BYTES = 4096
MIB = 1 << 20


@dataclass(frozen=True)
class FlashSize:
    """Of one board and chip. `offset`: bytes before the file system; `program_bytes`: the least
    write."""

    offset: int
    blocks: int
    program_bytes: int


ESP_BEGINS = 2 * MIB
_BEGINS = {"esp32s3": ESP_BEGINS, "rp2350": MIB}
_TABLE_AT, _ENTRY_BYTES, _ENTRIES_MAX = 0x8000, 32, 95
_ENTRY = struct.Struct("<2sBBII16sI")  # magic, type, subtype, offset, size, label, flags
_ENTRY_MAGIC = b"\xaa\x50"
_PARTITION = b"vfs"
_PROGRAM_BYTES = {"esp32s3": 32, "rp2350": 256, "simulated": 32}
CHIP_MIB = (4, 8, 16)
_SIMULATED_BLOCKS = 256


class FlashSizeUnknownError(Exception):
    """No such board, or no such chip on it; the text says which there are."""


def flash_size(board: str, chip_mib: int) -> FlashSize:
    """Raises FlashSizeUnknownError."""
    if board not in _PROGRAM_BYTES:
        known = ", ".join(_PROGRAM_BYTES)
        raise FlashSizeUnknownError(f"no board {board!r}; choose one of {known}")
    if chip_mib not in CHIP_MIB:
        known = ", ".join(f"{size}MB" for size in CHIP_MIB)
        raise FlashSizeUnknownError(f"no flash of {chip_mib}MB; choose one of {known}")
    program_bytes = _PROGRAM_BYTES[board]
    if board not in _BEGINS:
        return FlashSize(0, _SIMULATED_BLOCKS, program_bytes)
    begins = _BEGINS[board]
    return FlashSize(begins, (chip_mib * MIB - begins) // BLOCK_BYTES, program_bytes)


def in_partition(size: FlashSize, interpreter: bytes) -> FlashSize:
    """`size` as an ESP32 image for address 0 has its partition `vfs`. Raises
    FlashSizeUnknownError."""
    for at in range(_TABLE_AT, _TABLE_AT + _ENTRIES_MAX * _ENTRY_BYTES, _ENTRY_BYTES):
        entry = interpreter[at : at + _ENTRY_BYTES]
        if len(entry) < _ENTRY_BYTES or not entry.startswith(_ENTRY_MAGIC):
            break
        _, _, _, offset, _, label, _ = _ENTRY.unpack(entry)
        if label.rstrip(b"\0") == _PARTITION:
            end = size.offset + size.blocks * BLOCK_BYTES
            if offset % BLOCK_BYTES or not 0 < offset < end:
                break
            return replace(size, offset=offset, blocks=(end - offset) // BLOCK_BYTES)
    raise FlashSizeUnknownError("its partition table has no place for the file system (vfs)")


def parse_size(text: str) -> int:
    """`4MB` -> 4. Raises FlashSizeUnknownError."""
    number = text.upper().removesuffix("B").removesuffix("M")
    if not number.isdecimal():
        raise FlashSizeUnknownError(f"{text!r} is no flash size; write it as 4MB")
    return int(number)
