"""Private fields and tables of an image get short names, before it is compiled.

The text of a name lies in a board's memory once, however many modules use it, and never leaves it.
A field (`self._resend_at`) or table (`_HEADS`) that one module keeps to itself can be called
anything: the first of each module is `_0`, the second `_1`. Functions keep their names, so a
traceback reads as it would.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from edge_agent.technician.folding import Edit, edited

_PRIVATE = re.compile(r"_[a-z][a-z0-9_]*|_[A-Z][A-Z0-9_]*")

Use = ast.Attribute | ast.Name


def shorten(sources: Mapping[str, str], readers: Iterable[str] = ()) -> dict[str, str]:
    """Text by path in and out. A name is left as it is when it is found in another module or in one
    of the `readers` too, or when a function, an argument or a text is called so.
    """
    taken: set[str] = set()
    for text in readers:
        nodes = list(ast.walk(ast.parse(text)))
        taken |= {_name(use) for use in _uses(nodes)} | _others(nodes)
    uses: dict[str, list[Use]] = {}
    homes: dict[str, set[str]] = {}
    for path, text in sources.items():
        nodes = list(ast.walk(ast.parse(text, path)))
        taken |= _others(nodes)
        uses[path] = list(_uses(nodes))
        for use in uses[path]:
            homes.setdefault(_name(use), set()).add(path)
    shortened = {}
    for path, text in sources.items():
        bound = {_name(use) for use in uses[path] if isinstance(use.ctx, ast.Store)}
        own = sorted(name for name in bound - taken if homes[name] == {path})
        short = {name: f"_{number}" for number, name in enumerate(own)}
        shortened[path] = edited(text, list(_edits(uses[path], short)))
    return shortened


def _uses(nodes: Iterable[ast.AST]) -> Iterator[Use]:
    """Where a private name is read or bound."""
    for node in nodes:
        if isinstance(node, Use) and _PRIVATE.fullmatch(_name(node)):
            yield node


def _name(use: Use) -> str:
    return use.attr if isinstance(use, ast.Attribute) else use.id


def _others(nodes: Iterable[ast.AST]) -> set[str]:
    """What is called so and is no field or table: functions, arguments, imports, texts."""
    found = set()
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                found.add(name)
            case ast.keyword(arg=str(name)) | ast.alias(name=name) | ast.Constant(value=str(name)):
                found.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found.update(names)
    return found


def _edits(uses: Iterable[Use], short: Mapping[str, str]) -> Iterator[Edit]:
    for use in uses:
        name = _name(use)
        if name in short:
            line, end = use.end_lineno or use.lineno, use.end_col_offset or 0
            place = ast.Name(name, lineno=line, end_lineno=line, end_col_offset=end)
            place.col_offset = end - len(name)
            yield place, short[name]
