"""The drivers that are fuzzed: a module of this folder each, with

| name | what |
| --- | --- |
| FRAMES | good frames of the device, the seeds of what it is fed |
| HEADER | how its frames begin |
| LENGTHS | (first byte, bytes) of the length fields in a frame, () for none |
| Subject | a `rig.Subject`: the driver, what a good device answers, what must never be |

They run under CPython and under MicroPython. Adding a driver: its module here, its name in TARGETS.
"""

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

TARGETS = ("sdt", "escpos", "syn6288", "xfs5152", "ccnet", "gm", "lcus")


def load(name: str) -> "Any":
    """The module of a target."""
    return __import__("simulator.fuzz.targets." + name, None, None, ("Subject",))
