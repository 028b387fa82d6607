"""One TOML table of a service definition: typed reading, errors with file, step, key and cure."""

from typing import Any

NAME_CHARACTERS_MAX = 64


class DefinitionError(Exception):
    """A definition file cannot be used; the text names file, step, key and cure."""


class Table:
    """A TOML table that remembers where it stands and refuses keys nobody asked for."""

    def __init__(self, file: str, place: str, tree: object) -> None:
        self.file = file
        self.place = place
        if not isinstance(tree, dict):
            raise DefinitionError(f"{file}: {place}: is no table. Write [{place}] above its keys.")
        self.tree: dict[str, Any] = tree
        self._asked: set[str] = set()

    def error(self, key: str, problem: str) -> DefinitionError:
        """An error that names file, step and key; `problem` ends with the cure."""
        return DefinitionError(f"{self.file}: {self.place}: {key}: {problem}")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.tree

    def get(self, key: str, form: type | tuple[type, ...], cure: str) -> Any:
        """The value of a required key."""
        self._asked.add(key)
        if key not in self.tree:
            raise self.error(key, f"is missing. {cure}")
        value = self.tree[key]
        wrong_bool = isinstance(value, bool) and form is not bool
        if not isinstance(value, form) or wrong_bool:
            raise self.error(key, f"is of a wrong type. {cure}")
        return value

    def number(self, key: str, low: int, high: int, cure: str) -> int:
        """A required whole number."""
        value: int = self.get(key, int, cure)
        if not low <= value <= high:
            raise self.error(key, f"{value} is not within {low} to {high}. {cure}")
        return value

    def name(self, key: str, cure: str) -> str:
        """A required short text."""
        value: str = self.get(key, str, cure)
        if not 0 < len(value) <= NAME_CHARACTERS_MAX:
            raise self.error(key, f"needs 1 to {NAME_CHARACTERS_MAX} characters. {cure}")
        return value

    def end(self) -> None:
        """Refuse keys that were not asked for."""
        unknown = set(self.tree) - self._asked
        if unknown:
            known = ", ".join(sorted(self._asked))
            raise self.error(min(unknown), f"unknown key. Remove it, or use one of: {known}.")
