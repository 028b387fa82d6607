"""Modules that are seldom needed leave the memory again: an eighth of a board's heap."""

import gc
import sys


def forget(*names):
    """Drop these modules; who imports one again loads it again. On a host they stay: nothing is
    gained there, and others hold on to them.
    """
    if sys.implementation.name != "micropython":
        return
    for name in names:
        package, _, own = name.rpartition(".")
        if sys.modules.pop(name, None) is not None and hasattr(sys.modules[package], own):
            delattr(sys.modules[package], own)
    gc.collect()
