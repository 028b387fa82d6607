"""Start a firmware under CPython, for machines that MicroPython's wheel does not reach.

The same `machine` shim, and the few names that MicroPython has and CPython has not. There is no
heap cap and no littlefs: /flash is a plain folder beside the flash image's path. It is the second
best, and says so in `sys.implementation`.
"""

import builtins
import importlib
import importlib.util
import os
import sys
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SHIM = Path(__file__).with_name("shim")
_MOUNT = "/flash"


def _micropython() -> types.ModuleType:
    module: Any = types.ModuleType("micropython")
    module.const = lambda value: value
    module.kbd_intr = lambda _character: None
    module.heap_lock = module.heap_unlock = lambda: 0
    module.mem_info = lambda *_: None
    module.alloc_emergency_exception_buf = lambda _size: None
    module.native = module.viper = lambda function: function
    module.opt_level = lambda *_: 0
    return module  # type: ignore[no-any-return]


def _extend_time() -> None:
    period = 1 << 30  # ticks wrap as on a 32-bit board

    def ticks_diff(end: int, start: int) -> int:
        return ((end - start + period // 2) % period) - period // 2

    extended: Any = time
    extended.ticks_ms = lambda: time.monotonic_ns() // 1_000_000 % period
    extended.ticks_us = lambda: time.monotonic_ns() // 1_000 % period
    extended.ticks_diff = ticks_diff
    extended.ticks_add = lambda ticks, delta: (ticks + delta) % period
    extended.sleep_ms = lambda ms: time.sleep(max(0, ms) / 1000)
    extended.sleep_us = lambda us: time.sleep(max(0, us) / 1_000_000)


def _extend_gc() -> None:
    import gc  # noqa: PLC0415 - patched here only

    extended: Any = gc
    extended.mem_free = lambda: 1 << 20
    extended.mem_alloc = lambda: 0
    extended.threshold = lambda *_: None


def _mount(folder: Path) -> None:
    """Paths under /flash lead into `folder`, for `open` and for what `os` offers under MicroPython
    too."""
    folder.mkdir(parents=True, exist_ok=True)

    def lead(path: Any) -> Any:
        if isinstance(path, str) and (path == _MOUNT or path.startswith(_MOUNT + "/")):
            return str(folder) + path[len(_MOUNT) :]
        return path

    def led(function: Callable[..., Any], paths: int) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            return function(*map(lead, arguments[:paths]), *arguments[paths:], **options)

        return call

    def ilistdir(path: str = ".") -> Any:
        for entry in os.scandir(lead(path)):
            yield entry.name, 0x4000 if entry.is_dir() else 0x8000, 0, entry.stat().st_size

    extended: Any = os
    for name in ("remove", "unlink", "stat", "listdir", "mkdir", "rmdir", "statvfs"):
        setattr(os, name, led(getattr(os, name), 1))
    # MicroPython's rename replaces, POSIX's does too.
    extended.rename = led(os.rename, 2)
    extended.ilistdir = ilistdir
    extended.sync = lambda: None
    builtins.open = led(builtins.open, 1)


def _load_machine() -> types.ModuleType:
    specification = importlib.util.spec_from_file_location("machine", _SHIM / "machine.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["machine"] = module
    specification.loader.exec_module(module)
    return module


def main() -> None:
    sys.path[0] = os.environ["BOARD_FIRMWARE_FOLDER"]
    sys.dont_write_bytecode = True
    sys.modules["micropython"] = _micropython()
    _extend_time()
    _extend_gc()
    extended_sys: Any = sys
    extended_sys.print_exception = lambda error, *_: traceback.print_exception(error)
    machine: Any = _load_machine()
    _mount(Path(os.environ["BOARD_FLASH_FILE"]).with_suffix(".files"))
    try:
        importlib.import_module("firmware.main").run()
        print("firmware.main.run() returned", flush=True)
    except BaseException:
        traceback.print_exc()
    machine.bus.send("H")
    machine.halt_for_ever()


if __name__ == "__main__":
    main()
