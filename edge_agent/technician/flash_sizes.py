"""How large the file system of a board is: it must fit the partition to the block.

| board | file system begins | source |
| --- | --- | --- |
| esp32s3 | after 2 MiB (boot loader, NVS, interpreter), up to the end | MicroPython's ports/esp32, `partitions-4MiB.csv`; larger chips: the partition grows with the chip at boot |
| rp2350 | after 1 MiB, up to the end | MicroPython's ports/rp2, boards/RPI_PICO2, MICROPY_HW_FLASH_STORAGE_BYTES |
| simulated | a chip of its own, 1 MiB | simulator/board |
"""  # noqa: E501

from dataclasses import dataclass

BLOCK_BYTES = 4096
MIB = 1 << 20


@dataclass(frozen=True)
class FlashSize:
    """Of one board and chip. `offset`: bytes before the file system; `program_bytes`: the least
    write."""

    offset: int
    blocks: int
    program_bytes: int


_BEGINS = {"esp32s3": 2 * MIB, "rp2350": MIB}
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


def parse_size(text: str) -> int:
    """`4MB` -> 4. Raises FlashSizeUnknownError."""
    number = text.upper().removesuffix("B").removesuffix("M")
    if not number.isdecimal():
        raise FlashSizeUnknownError(f"{text!r} is no flash size; write it as 4MB")
    return int(number)
