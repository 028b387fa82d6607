"""What runs first on an emulated board: the flash becomes `/`, then boot.py, main.py and the REPL,
as on a board.

`sys` and `micropython` cannot be shadowed by a file: objects in `sys.modules` stand in for them.
They name the board's chip, and give the bytes of the console when Ctrl-C is switched off, which is
how a program takes the console for its own.
"""

import io
import os
import sys
import termios

import machine
import micropython
from flash_device import FlashDevice

_INTERRUPT_OFF = -1
_CTRL_C = 3
_LFLAG = 3
_ISIG = 1
_BOOT_ENDS = "\x1eREPL\x1e"  # the parent looks for it


class _Implementation:
    name = sys.implementation.name
    version = sys.implementation.version
    _machine = os.getenv("BOARD_MACHINE")
    _mpy = sys.implementation._mpy & 0x3FF  # version 6, no native code of this machine
    _build = os.getenv("BOARD_NAME")


class _Sys:
    platform = os.getenv("BOARD_PLATFORM")
    implementation = _Implementation

    def __init__(self):
        self.stdin = sys.stdin
        self.stdout = sys.stdout

    def __getattr__(self, name):
        return getattr(_sys, name)


class _Console(io.IOBase):
    """The console's bytes: neither reading nor writing waits."""

    def __init__(self, fd):
        self.fd = fd
        self.file = open(fd, "r+b", buffering=0)
        self.buffer = self

    def readinto(self, buf):
        return self.file.readinto(buf)

    def write(self, buf):
        try:
            return self.file.write(buf)
        except OSError as error:
            if error.errno == 11:  # EAGAIN: the host does not take it
                return None
            raise

    def ioctl(self, request, argument):
        return self.fd if request == 10 else -1  # MP_STREAM_GET_FILENO


class _Micropython:
    def __getattr__(self, name):
        return getattr(_micropython, name)

    def kbd_intr(self, character):
        to_bytes = character == _INTERRUPT_OFF
        machine.bus.send("K", 0, 1 if to_bytes else 0)
        stand_in.stdin = console if to_bytes else sys.stdin
        stand_in.stdout = console if to_bytes else sys.stdout
        if not to_bytes:
            _micropython.kbd_intr(character)


_sys = sys
_micropython = micropython
console = _Console(int(os.getenv("BOARD_CONSOLE_FD")))
stand_in = _Sys()


def start():
    _mount()
    sys.modules["sys"] = stand_in
    sys.modules["micropython"] = _Micropython()
    _take_ctrl_c()
    _run("boot.py")
    if os.getenv("BOARD_RUN_MAIN") == "1":
        _run("main.py")


def _mount():
    device = FlashDevice(
        os.getenv("BOARD_FLASH_FILE"),
        int(os.getenv("BOARD_FLASH_BLOCKS")),
        int(os.getenv("BOARD_FLASH_BLOCK_BYTES")),
        float(os.getenv("BOARD_ERASE_MS")),
    )
    program_bytes = int(os.getenv("BOARD_FLASH_PROGRAM_BYTES"))
    if os.getenv("BOARD_FLASH_FORMAT") == "1":
        os.VfsLfs2.mkfs(device, progsize=program_bytes)
    os.umount("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    try:
        os.mount(os.VfsLfs2(device, progsize=program_bytes), "/")
    except OSError as error:
        print("The filesystem appears to be corrupted: %r" % error)
        return
    os.chdir("/")


def _take_ctrl_c():
    settings = termios.tcgetattr(0)
    settings[_LFLAG] |= _ISIG
    termios.tcsetattr(0, termios.TCSANOW, settings)
    _micropython.kbd_intr(_CTRL_C)
    machine.bus.send("K", 0, 0)  # keys are heard from now on


def _run(name):
    import __main__  # noqa: PLC0415 - the REPL's own names

    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    try:
        exec(compile(source, name, "exec"), __main__.__dict__)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - as a board does
        sys.print_exception(error)


start()
print(_BOOT_ENDS, end="")
