"""The lines of docs/architecture.md that keep the rooms apart, held by the imports themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"protocol", "firmware", "edge_agent", "sync_server", "counter", "simulator", "tongban"}
MAY_IMPORT = {
    "protocol": set(),
    "firmware": {"protocol.wire"},
    "tongban": set(),
    "edge_agent": {"protocol", "tongban"},
    "sync_server": {"protocol", "tongban"},
    "counter": {"protocol", "tongban"},
    "simulator/devices": set(),
    "simulator": OURS - {"simulator", "firmware"},
}
NO_IO = {"time", "random", "secrets", "socket", "asyncio", "threading", "subprocess", "os", "io"}
CORES = ("protocol", "edge_agent/core", "sync_server/core")
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
SHIMS = "simulator/board/shim"  # runs under MicroPython, beside the firmware


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def room_of(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    return "simulator/devices" if name.startswith("simulator/devices") else name.split("/")[0]


def imports(path: Path) -> set[str]:
    """Dotted names a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the full name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_within(name: str, rooms: set[str]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def wrong_imports(path: Path) -> set[str]:
    room = room_of(path)
    own = {room.replace("/", ".")}
    ours = {name for name in imports(path) if name.split(".")[0] in OURS}
    return {name for name in ours if not is_within(name, MAY_IMPORT[room] | own)}


@pytest.mark.parametrize("room", sorted(OURS))
def test_imports_run_one_way(room: str) -> None:
    files = [f for f in python_files(room) if not f.as_posix().startswith(str(ROOT / SHIMS))]
    assert files, f"{room} is empty"
    assert {str(f): wrong for f in files if (wrong := wrong_imports(f))} == {}


@pytest.mark.parametrize("core", CORES)
def test_cores_do_no_io(core: str) -> None:
    files = python_files(core)
    assert files, f"{core} is empty"
    wrong = {}
    for path in files:
        tree = ast.parse(path.read_text("utf-8"))
        bad = {name.split(".")[0] for name in imports(path)} & NO_IO
        bad |= {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "print", "input")
        }
        if bad:
            wrong[str(path)] = bad
    assert wrong == {}


def test_the_checks_can_fail(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import sync_server.core\nfrom time import sleep\n")
    assert imports(bad) == {"sync_server.core", "time.sleep"}
    assert not is_within("sync_server.core", MAY_IMPORT["edge_agent"])
    assert is_within("protocol.wire.link", MAY_IMPORT["firmware"])
    assert not is_within("protocol.records", MAY_IMPORT["firmware"])


def test_files_and_functions_stay_small() -> None:
    long = []
    for room in [*sorted(OURS), "bench", "tests"]:
        for path in python_files(room):
            text = path.read_text("utf-8")
            if text.count("\n") > LINES_MAX:
                long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    if lines > FUNCTION_LINES_MAX:
                        long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines}")
    assert long == []
