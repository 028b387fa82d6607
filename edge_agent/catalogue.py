"""Reads service definitions and texts from their folders. Errors name file, place and cure."""

from pathlib import Path

from edge_agent.core.flow_check import check_definition
from edge_agent.core.flow_definition import Definition, parse_definition
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.texts import Texts, TextsError, parse_texts

FILES_MAX = 200


def load_texts(folders: list[Path]) -> Texts:
    """All texts of all folders. Raises TextsError."""
    files = []
    for folder in folders:
        if not folder.is_dir():
            raise TextsError(f"{folder}: no such folder. Correct `texts` in terminal.toml.")
        files += sorted(folder.glob("*.toml"))
    if len(files) > FILES_MAX:
        raise TextsError(f"{folders[-1]}: over {FILES_MAX} files. Is it the right folder?")
    return parse_texts((path.name, _read(path, TextsError)) for path in files)


def load_service(folder: Path, service: str, texts: Texts) -> Definition:
    """The checked definition of `service`. Raises DefinitionError."""
    path = folder / f"{service}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml"))) or "none"
        raise DefinitionError(
            f"{path}: no such service. Correct `service` or `services` in terminal.toml; "
            f"this folder has: {known}."
        )
    definition = parse_definition(path.name, _read(path, DefinitionError), texts)
    if definition.service != service:
        raise DefinitionError(
            f"{path.name}: service: id: is {definition.service!r}. Make it the file's name, "
            f"{service!r}."
        )
    check_definition(path.name, definition, texts)
    return definition


def _read(path: Path, form: type[DefinitionError] | type[TextsError]) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise form(f"{path}: cannot be read ({error}). Check rights and encoding.") from error
