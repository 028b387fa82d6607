"""The firmware that ships, under CPython, with the files of a board in memory.

Its modules are loaded from their sources into a space of their own, where `open` and `os` are those
of the mounted chip: on a board nothing else differs. A fault planted in one space is in no other.
"""

import builtins
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

from simulator.sweep.flash import BoardFiles, Chip

_ROOT = Path(__file__).resolve().parents[2]
_NO_COLLECTOR = SimpleNamespace(collect=lambda: None)  # CPython's would take most of the time
_CODE: dict[str, tuple[CodeType, bool]] = {}


class FirmwareSpace:
    """`load("firmware.app")` gives the module. Mount a chip before any of it runs."""

    def __init__(self) -> None:
        self.files: BoardFiles | None = None
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "open": self.open, "__import__": self._import}

    def mount(self, chip: Chip) -> None:
        """A new life: its files are those of `chip`."""
        self.files = BoardFiles(chip)

    def load(self, name: str) -> Any:
        """A module of the firmware by its dotted name."""
        if name in self._modules:
            return self._modules[name]
        code, is_package = _code(name)
        module = ModuleType(name)
        vars(module)["__builtins__"] = self._builtins
        if is_package:
            module.__path__ = []
        self._modules[name] = module
        exec(code, vars(module))
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(self.load(parent), own, module)
        return module

    def open(self, path: str, mode: str = "r") -> Any:
        """As the firmware opens a file of the mounted chip."""
        assert self.files is not None, "no chip is mounted"
        return self.files.open(path, mode)

    def _import(
        self,
        name: str,
        globals_: Any = None,
        locals_: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if name == "os":
            assert self.files is not None, "no chip is mounted"
            return _MountedOs(self)
        if name == "gc":
            return _NO_COLLECTOR
        top = name.partition(".")[0]
        if top != "firmware":
            return builtins.__import__(name, globals_, locals_, fromlist, level)
        module = self.load(name)
        for part in fromlist or ():
            if not hasattr(module, part):
                self.load(f"{name}.{part}")
        return module if fromlist else self.load(top)


class _MountedOs:
    """`os` of the firmware: of the chip that is mounted at the time of the call."""

    def __init__(self, space: FirmwareSpace) -> None:
        self._space = space

    def __getattr__(self, name: str) -> Any:
        return getattr(self._space.files.os, name)  # type: ignore[union-attr]


def _code(name: str) -> tuple[CodeType, bool]:
    """Compiled once a process."""
    if name not in _CODE:
        path = _ROOT / name.replace(".", "/")
        is_package = path.is_dir()
        source = path / "__init__.py" if is_package else path.with_suffix(".py")
        _CODE[name] = (compile(source.read_text("utf-8"), str(source), "exec"), is_package)
    return _CODE[name]
