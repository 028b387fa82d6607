"""Constants folded into the sources of an image, before they are compiled.

On a board every name costs memory for as long as the board runs: an entry in its module, a place in
the table of all names. A number that stands in the code costs nothing of that. So:

| in the sources | in the image |
| --- | --- |
| `NAME = number`, text, bytes or truth value, at the top of a module | its value where it is read |
| an upper-case name at the top of a module that nothing reads any more | left out |
| an imported name that nothing reads any more | left out |
| a module with nothing left in it | left out |

A read is `NAME`, or `module.NAME` of an imported module. `anything.NAME` and the text "NAME" keep
every NAME; of a module that is handed on as a value (a board's description) everything is kept.
Lines stay where they are: a traceback of the board names the line of the source.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

_UPPER = re.compile(r"_?[A-Z][A-Z0-9_]*")
_BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
}
_CALCULATES = (ast.Call, ast.Subscript, ast.comprehension)  # more than to name a value

Place = tuple[str, str]
"""A name at the top of a module: (module, name)."""
Edit = tuple[ast.stmt | ast.expr, str]


def fold(sources: Mapping[str, str], readers: Iterable[str] = ()) -> dict[str, str]:
    """Text by path (with slashes, `.py`) in; folded text by path out, for the modules that stay.

    `readers`: texts of programs that run beside them as they are; every name that they read stays.
    """
    beside = [_Module("", text) for text in readers]
    folding = _Folding([_Module(path, text) for path, text in sources.items()], beside)
    return {module.path: folding.text(module) for module in folding.modules_left()}


def module_name(path: str) -> str:
    """`firmware.app` for `firmware/app.py`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class _Module:
    """One source. `defined`: its upper-case names that are bound by one assignment at the top.
    `imported`: what each name stands for that an import brings in, anywhere in it."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.is_package = path.endswith("/__init__.py")
        self.name = module_name(path)
        self.tree = ast.parse(text, path)
        self.nodes = {statement: list(ast.walk(statement)) for statement in self.tree.body}
        nodes = [node for below in self.nodes.values() for node in below]
        self.imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
        self.imported: dict[str, Place] = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in self.imports
            for alias in node.names
        }
        bound = [node.id for node in nodes if isinstance(node, ast.Name) and _is_bound(node)]
        bound += [node.arg for node in nodes if isinstance(node, ast.arg)]
        self.defined: dict[str, ast.expr] = {}
        self.names: dict[ast.stmt, str] = {}  # the name that a statement defines
        for statement in self.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    pass
                case _:
                    continue
            if _UPPER.fullmatch(name) and bound.count(name) == 1 and name not in self.imported:
                self.defined[name] = value
                self.names[statement] = name


class _Folding:
    """All sources of one image."""

    def __init__(self, modules: list[_Module], readers: list[_Module]) -> None:
        self._readers = readers
        self._modules = {module.name: module for module in modules}
        self._values: dict[Place, int | str | bytes | None] = {}
        self._kept: set[Place] = set()
        while not (read := self._read()) <= self._kept:
            self._kept |= read

    def modules_left(self) -> list[_Module]:
        """Those that something is left of."""
        return [one for one in self._modules.values() if one.is_package or self._has_code(one)]

    def text(self, module: _Module) -> str:
        """The folded source."""
        edits: list[Edit] = []
        used = self._names_used(module)
        for statement in module.tree.body:
            if self._stays(module, statement):
                edits += self._folded(module, statement)
            else:
                edits.append((statement, ""))
        for node in module.imports:
            edits += self._thinned(node, used, node in module.tree.body)
        return edited(module.text, edits)

    # ---- what a name stands for

    def _place(self, module: _Module, node: ast.AST) -> Place | None:
        """The definition that `NAME` or `module.NAME` reads, if it is one of the image."""
        match node:
            case ast.Name(id=name):
                place = module.imported.get(name, (module.name, name))
            case ast.Attribute(value=ast.Name(id=base), attr=name) if base in module.imported:
                place = (".".join(module.imported[base]), name)
            case _:
                return None
        home = self._modules.get(place[0])
        return place if home is not None and place[1] in home.defined else None

    def _value(self, module: _Module, node: ast.expr) -> int | str | bytes | None:
        """What an expression always is, if that is a number, a truth value, a text or bytes."""
        match node:
            case ast.Constant(value=int(value) | str(value) | bytes(value)):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                only = self._value(module, operand)
                return -only if isinstance(only, int) else None
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                one, other = self._value(module, left), self._value(module, right)
                if isinstance(one, int) and isinstance(other, int):
                    return _BINARY[type(op)](one, other)
                return None
        place = self._place(module, node)
        if place is None:
            return None
        if place not in self._values:
            home = self._modules[place[0]]
            self._values[place] = self._value(home, home.defined[place[1]])
        return self._values[place]

    def _is_folded(self, module: _Module, node: ast.AST) -> bool:
        """Whether a read gets its value put in its place."""
        if module in self._readers or not isinstance(node, ast.Name | ast.Attribute):
            return False
        return isinstance(node.ctx, ast.Load) and self._value(module, node) is not None

    # ---- what stays

    def _stays(self, module: _Module, statement: ast.stmt) -> bool:
        name = module.names.get(statement)
        if name is None or (module.name, name) in self._kept:
            return True
        return any(isinstance(node, _CALCULATES) for node in module.nodes[statement])

    def _read(self) -> set[Place]:
        """The definitions that what stays reads, and that are not folded there."""
        places: set[Place] = set()
        words: set[str] = set()
        for module in self._modules.values():
            for statement in module.tree.body:
                if self._stays(module, statement):
                    self._note_reads(module, statement, places, words)
        for reader in self._readers:
            for statement in reader.tree.body:
                self._note_reads(reader, statement, places, words)
        for module in self._modules.values():
            places |= {(module.name, name) for name in words & module.defined.keys()}
        return places

    def _note_reads(
        self, module: _Module, statement: ast.stmt, places: set[Place], words: set[str]
    ) -> None:
        nodes = module.nodes[statement]
        bases = {node.value for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            place = self._place(module, node)
            if place is not None and not self._is_folded(module, node):
                places.add(place)
            match node:
                case ast.Attribute(attr=name) if place is None:
                    words.add(name)
                case ast.Constant(value=str(text)):
                    words.add(text)
                case ast.Name(id=name) if name in module.imported and node not in bases:
                    handed_on = self._modules.get(".".join(module.imported[name]))
                    if handed_on is not None:
                        places |= {(handed_on.name, one) for one in handed_on.defined}

    def _names_used(self, module: _Module) -> set[str]:
        """Names that what stays of a module still reads."""
        used = set()
        for statement in module.tree.body:
            if self._stays(module, statement):
                folded = {node for node, _ in self._folded(module, statement)}
                folded |= {node.value for node in folded if isinstance(node, ast.Attribute)}
                names = [n for n in module.nodes[statement] if isinstance(n, ast.Name)]
                used |= {name.id for name in names if name not in folded}
        return used

    def _has_code(self, module: _Module) -> bool:
        used = self._names_used(module)
        for statement in module.tree.body:
            match statement:
                case ast.Expr(value=ast.Constant()):
                    continue
                case ast.ImportFrom(names=names):
                    if any((alias.asname or alias.name) in used for alias in names):
                        return True
                case _ if self._stays(module, statement):
                    return True
        return False

    # ---- edits

    def _folded(self, module: _Module, statement: ast.stmt) -> Iterator[Edit]:
        for node in module.nodes[statement]:
            if isinstance(node, ast.Name | ast.Attribute) and self._is_folded(module, node):
                yield node, f"({self._value(module, node)!r})"

    def _thinned(self, node: ast.ImportFrom, used: set[str], at_top: bool) -> Iterator[Edit]:
        """The import without what was folded."""
        left = [alias for alias in node.names if (alias.asname or alias.name) in used]
        if len(left) == len(node.names) or node.module is None:
            return
        names = ", ".join(one.name + (f" as {one.asname}" if one.asname else "") for one in left)
        nothing = "" if at_top else "pass"
        yield node, f"from {node.module} import {names}" if names else nothing


def _is_bound(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def edited(text: str, edits: list[Edit]) -> str:
    """`text` with the nodes replaced, each line where it was."""
    lines = [line.encode() for line in text.split("\n")]
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset))[::-1]:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        end = lines[last][node.end_col_offset :]
        lines[first] = (
            lines[first][: node.col_offset] + new.encode() + (end if first == last else b"")
        )
        if last > first:
            lines[first + 1 : last + 1] = [b""] * (last - first)
            if end.strip():
                lines[first] += end
    return b"\n".join(lines).decode()
