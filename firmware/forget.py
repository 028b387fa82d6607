"""Modules that only the start needs leave the memory again: an eighth of a board's heap."""

import sys


def forget(*names):
    """Drop these modules; who imports one again loads it again."""
    for name in names:
        package, _, own = name.rpartition(".")
        if sys.modules.pop(name, None) is not None and hasattr(sys.modules[package], own):
            delattr(sys.modules[package], own)
