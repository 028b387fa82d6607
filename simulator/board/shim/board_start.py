"""What runs first on the simulated board: mount the flash at /flash, then the firmware, as boot.py
and main.py would."""

import os
import sys

import machine
from flash_device import FlashDevice


def start():
    device = FlashDevice(
        os.getenv("BOARD_FLASH_FILE"),
        int(os.getenv("BOARD_FLASH_BLOCKS")),
        int(os.getenv("BOARD_FLASH_BLOCK_BYTES")),
        float(os.getenv("BOARD_ERASE_MS")),
    )
    if os.getenv("BOARD_FLASH_FORMAT") == "1":
        os.VfsLfs2.mkfs(device)
    os.mount(os.VfsLfs2(device), "/flash")
    from firmware import main  # noqa: PLC0415 - the flash comes first

    main.run()
    print("firmware.main.run() returned")


try:
    start()
except BaseException as error:  # noqa: BLE001 - as the REPL of a board does
    sys.print_exception(error)
# A board whose program ended does nothing; its watchdog, once started, still fires.
machine.bus.send("H")
machine.halt_for_ever()
