"""`os` of an emulated board: what the unix port has, and what boards have beside it.

Shadows the built-in module under MicroPython only.
"""

from collections import namedtuple

from uos import *  # noqa: F403 - everything but what follows stays as it is
from uos import getenv

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    platform = getenv("BOARD_PLATFORM")
    release = getenv("BOARD_RELEASE")
    return _Uname(platform, platform, release, release + " (emulated)", getenv("BOARD_MACHINE"))


def sync():
    """The flash file is not buffered."""
