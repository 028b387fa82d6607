"""The unit tree: city / town or department / hall, written as a path: `dongguan/nancheng/hall-1`.

A scope is a path; it covers the unit itself and all below. Every query takes one; the empty scope
covers everything.
"""

import re

SEPARATOR = "/"
LEVELS_MAX = 8
_NAME = r"[a-z0-9-]{1,40}"
_PATH = re.compile(rf"{_NAME}(?:/{_NAME}){{0,{LEVELS_MAX - 1}}}")
_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)


class UnitError(ValueError):
    """Not a path in the unit tree."""


def check_unit(path: str) -> str:
    """`path` when it names a unit. Raises UnitError."""
    if _PATH.fullmatch(path) is None:
        raise UnitError(
            f"unit {path!r}: write names of a-z, 0-9 and hyphen with slashes between, at most "
            f"{LEVELS_MAX} levels, as dongguan/nancheng/hall-1"
        )
    return path


def is_within(unit: str, scope: str) -> bool:
    """Whether `unit` is `scope` or below it."""
    return not scope or unit == scope or unit.startswith(scope + SEPARATOR)


class Scope:
    """A condition on a column that holds unit paths, for every query."""

    def __init__(self, path: str = "") -> None:
        self.path = check_unit(path.rstrip(SEPARATOR)) if path else ""

    def sql(self, column: str) -> tuple[str, tuple[str, ...]]:
        """(condition, its values). Needs no LIKE: a range of an index serves it."""
        if not self.path:
            return "1", ()
        below = self.path + SEPARATOR
        return (
            f"({column} = ? OR ({column} >= ? AND {column} < ?))",
            (self.path, below, self.path + _AFTER_SEPARATOR),
        )
