"""What runs first on the simulated board: mount the flash at /flash, then its main.py if it has
one, as a board does; else the firmware that lies beside it, which is quicker to come by.
"""

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
    if "main.py" in os.listdir("/flash"):
        os.chdir("/flash")
        with open("main.py") as file:
            exec(file.read(), {"__name__": "__main__"})
    else:
        from firmware import main  # noqa: PLC0415 - the flash comes first

        main.run()
    print("main.py returned")


try:
    start()
except BaseException as error:  # noqa: BLE001 - as the REPL of a board does
    sys.print_exception(error)
# A board whose program ended does nothing; its watchdog, once started, still fires.
machine.bus.send("H")
machine.halt_for_ever()
