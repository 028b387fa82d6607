"""Configuration: one commented TOML file a role, checked strictly, with environment overrides.

`TONGBAN_BROKER__PORT=1884` overrides `port` in table `[broker]`: prefix, then the path with two
underscores between tables. A wrong value names file, line, key and what would be right.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
ENVIRONMENT_PREFIX = "TONGBAN_"
FILE_BYTES_MAX = 256 * 1024
_PATH_IN_ERROR = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `([^`]*)`")


class ConfigError(Exception):
    """A configuration that cannot be used; the text names file, line, key and cure."""


def load(path: Path | None, form: type[T], environment: Mapping[str, str] | None = None) -> T:
    """Read `path` (None: defaults only) into `form`, a msgspec Struct with forbid_unknown_fields.

    Raises ConfigError.
    """
    text = "" if path is None else _read(path)
    name = "configuration" if path is None else str(path)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{name}: not valid TOML: {error}. Compare with the example file."
        ) from error
    overridden = _override(tree, os.environ if environment is None else environment, form)
    try:
        return msgspec.convert(tree, form, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(name, text, str(error), overridden)) from error


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ConfigError(f"{path}: larger than {FILE_BYTES_MAX} bytes; is it the right file?")
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file. Give its path, or copy the example file."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}). Check rights and encoding (UTF-8)."
        ) from error


def _override(tree: dict[str, Any], environment: Mapping[str, str], form: type) -> set[str]:
    """Put values from the environment into `tree`, for keys of `form`. Returns their paths."""
    done = set()
    for name, value in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        keys = name[len(ENVIRONMENT_PREFIX) :].lower().split("__")
        if keys[0] not in {field.encode_name for field in msgspec.structs.fields(form)}:
            continue
        table = tree
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value
        done.add(".".join(keys))
    return done


def _explain(name: str, text: str, error: str, overridden: set[str]) -> str:
    """Turn a msgspec message into one that names line, key and cure."""
    found = _PATH_IN_ERROR.search(error)
    table = found[1] if found else ""
    problem = _PATH_IN_ERROR.sub("", error)
    unknown = _UNKNOWN_KEY.search(problem)
    key = ".".join(filter(None, (table, unknown[1] if unknown else "")))
    if key in overridden:
        where = ENVIRONMENT_PREFIX + key.upper().replace(".", "__") + " in the environment"
        return f"{where}: {problem}. Correct or unset it."
    line = _line_of(text, key)
    place = f"{name}:{line}" if line else name
    cure = "Remove or correct this key" if unknown else "Correct this value"
    return f"{place}: {key or 'top level'}: {problem}. {cure}; the example file lists all keys."


def _line_of(text: str, key: str) -> int:
    """Line number (from 1) where `key` (dotted path) is set in TOML `text`, 0 when it is not."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if head:
            table = head[1] + "."
            if head[1] == key:
                return number
        name = re.match(r"\s*([\w.\-]+)\s*=", line)
        if name and table + name[1] == key:
            return number
    return 0
