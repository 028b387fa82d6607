"""Processes that the simulator starts end with it, however it ends.

They have a session of their own, so that a Ctrl-C at the keyboard reaches the simulator alone and
it can end them in order. Killed with `kill -9` it cannot: then the kernel tells them (Linux).
"""

import ctypes
import fcntl
import signal
import sys
import termios
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1


def _follow_parent() -> Callable[[], None] | None:
    """What a child runs before its program; None where the kernel has no such word."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def follow() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return follow


AS_CHILD: dict[str, Any] = {"start_new_session": True, "preexec_fn": _follow_parent()}
"""Arguments for `asyncio.create_subprocess_exec`."""


def _with_terminal() -> None:
    if AS_CHILD["preexec_fn"] is not None:
        AS_CHILD["preexec_fn"]()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


AS_CHILD_ON_TERMINAL: dict[str, Any] = {**AS_CHILD, "preexec_fn": _with_terminal}
"""Likewise; its standard input is a terminal, whose Ctrl-C reaches this child alone."""
