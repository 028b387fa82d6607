"""The words of the technician's commands, by key: one catalogue a language, `texts/LANGUAGE.toml`.

Catalogues have the same keys and the same places for values; zh-CN is the source.
"""

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from edge_agent.technician.trouble import TroubleError

LANGUAGES = ("zh-CN", "en")
SOURCE = "zh-CN"
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


class Words:
    """Calling it with a key and values gives the text."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **values: object) -> str:
        """Raises KeyError for a key that is not there."""
        return self._words[key].format_map(values)

    def trouble(self, error: TroubleError) -> str:
        """What is wrong."""
        return self(f"trouble.{error.key}", **error.values)

    def cure(self, error: TroubleError) -> str:
        """What to do about it."""
        return self(f"cure.{error.key}", **error.values)

    def of(self, family: str, code: str) -> str:
        """The text `family.code`, or the code itself: a newer board may know more of them."""
        return self._words.get(f"{family}.{code}", code)

    @property
    def names(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self._words)


@cache
def words(language: str) -> Words:
    """The catalogue of one of LANGUAGES."""
    file = resources.files("edge_agent.technician") / "texts" / f"{language}.toml"
    tree = tomllib.loads(file.read_text("utf-8"))
    flat = {
        f"{family}.{key}": text for family, texts in tree.items() for key, text in texts.items()
    }
    return Words(language, flat)


def language_of(environment: Mapping[str, str] = os.environ) -> str:
    """zh-CN when the locale is Chinese or says nothing, else en."""
    locale = next((environment[name] for name in _LOCALES if environment.get(name)), "")
    return SOURCE if locale in ("", "C", "POSIX", "C.UTF-8") or locale.startswith("zh") else "en"
