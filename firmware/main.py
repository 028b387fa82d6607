"""Start of the firmware: `from firmware import main; main.run(started)` in the board's main.py.

A fault that ends the loop is kept in DATA/fault.txt (its last line goes to the agent in the next
HELLO) and the board resets.
"""

import gc
import os
import sys

import machine

_set_threshold = getattr(gc, "threshold", lambda _: None)  # MicroPython only
# What a start needs for a moment is taken back at once: what stays lies close together.
_set_threshold(4096)

from firmware.app import App  # noqa: E402 - a threshold first
from firmware.clock import now_ms, sleep_ms  # noqa: E402
from firmware.forget import forget  # noqa: E402

FAULT_FILE = "fault.txt"
FAULT_CHARS_MAX = 160
_WHEN_FULL = -1
_RESET_DELAY_MS = 1000  # a fault at every start must not wear the flash or hide the console


def run(started=None):
    """The loop runs until the power goes or the board resets; returns only into the REPL of a
    technician (maintenance.py). `started` is what
    `update.boot.start` chose; None: this board has no slots and takes no update.
    """
    if _is_for_technician():
        print("maintenance: a reset starts the firmware again")
        return
    has_console, folder = _board().CONSOLE, _board().DATA
    try:
        _app(started).run()
    except Exception as error:
        if has_console:
            _print_fault(error)
        _keep_fault(folder, error)
        sleep_ms(_RESET_DELAY_MS)
        machine.reset()


def _is_for_technician():
    from firmware import maintenance  # noqa: PLC0415 - for this moment only

    is_wanted = maintenance.is_wanted(_board(), machine, sleep_ms)
    forget("firmware.maintenance")
    return is_wanted


def _app(started):
    board = _board()
    app = App(
        board,
        machine,
        clock=now_ms,
        sleep_ms=sleep_ms,
        entropy=os.urandom,
        folder=board.DATA,
        running=_running_slot(started) if started else None,
        fault=_take_fault(board.DATA),
    )
    forget(board.__name__)
    _set_threshold(_WHEN_FULL)
    return app


def _board():
    if sys.platform == "rp2":
        from firmware.boards import rp2350  # noqa: PLC0415 - one board in memory

        return rp2350
    if sys.platform == "esp32":
        from firmware.boards import esp32s3  # noqa: PLC0415 - one board in memory

        return esp32s3
    from firmware.boards import simulated  # noqa: PLC0415

    return simulated


def _running_slot(started):
    from firmware.update.running_slot import RunningSlot  # noqa: PLC0415 - not without slots

    return RunningSlot(started)


def _print_fault(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        import traceback  # type: ignore[import-not-found] # noqa: PLC0415 - CPython only

        traceback.print_exception(error)


def _keep_fault(folder, error):
    """At most one line of FAULT_CHARS_MAX."""
    text = ("%s: %s" % (type(error).__name__, error)).replace("\n", " ")[:FAULT_CHARS_MAX]
    try:
        with open(folder + "/" + FAULT_FILE, "w") as file:
            file.write(text)
    except OSError:
        pass  # a broken flash may be the fault itself; the reset must come


def _take_fault(folder):
    """The fault that ended the life before, told once."""
    try:
        with open(folder + "/" + FAULT_FILE) as file:
            text = file.read(FAULT_CHARS_MAX)
        os.remove(folder + "/" + FAULT_FILE)
    except OSError:
        return ""
    return text
