"""/main.py of a board with two slots, as source, because MicroPython starts no other.

The search path is set before anything is imported: neither /lib nor a module in the root can
shadow one of a slot, nor one that is built in.

The link may be on the console, and its agent may speak while the board starts: a byte 03 of a frame
would end this program, and leave the board in its REPL without a watchdog. So Ctrl-C is off until
nothing is left to start.
"""

import sys

BUILT_IN = ".frozen"
RESET_DELAY_S = 1

sys.path[:] = [BUILT_IN]
import micropython  # noqa: E402

micropython.kbd_intr(-1)
import os  # noqa: E402
import time  # noqa: E402

import machine  # noqa: E402

ROOT = os.getcwd().rstrip("/")

sys.path[:] = [ROOT + "/boot", BUILT_IN]
from firmware.update import boot  # noqa: E402 - it lies in /boot

started = boot.start(ROOT, lambda ms: machine.WDT(timeout=ms))
if started is not None:
    for name in list(sys.modules):
        if name.split(".")[0] in ("firmware", "protocol"):
            del sys.modules[name]
    del boot
    sys.path[:] = [ROOT + "/" + started["slot"], BUILT_IN]
    try:
        from firmware import main

        main.run(started)
    except Exception as error:
        sys.print_exception(error)
        time.sleep(RESET_DELAY_S)
        machine.reset()
micropython.kbd_intr(3)
