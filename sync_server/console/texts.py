"""Every word of the console, by key: one catalogue a language, `texts/LANGUAGE.toml`.

Catalogues have the same keys and the same places for values; zh-CN is the source.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

LANGUAGES = {"zh-CN": "中文", "en": "English"}
SOURCE = "zh-CN"


class Texts:
    """The words of one language. Calling it with a key gives the text."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **values: object) -> str:
        """The text with its values in place. Raises KeyError for a key that is not there."""
        return self._words[key].format_map(values) if values else self._words[key]

    def of(self, family: str, code: object) -> str:
        """The text `family.code`, or the code itself when it has none: a newer part may know
        more codes than this one."""
        return self._words.get(f"{family}.{code}", str(code))

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._words

    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self._words)


@cache
def texts(language: str) -> Texts:
    """The catalogue of one of LANGUAGES."""
    file = resources.files("sync_server.console") / "texts" / f"{language}.toml"
    return Texts(language, _flat(tomllib.loads(file.read_text("utf-8"))))


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    words: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            words |= _flat(value, f"{prefix}{name}.")
        else:
            words[prefix + name] = str(value)
    return words
