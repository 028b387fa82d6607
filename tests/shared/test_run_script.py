"""run.py, the first thing a newcomer meets: each missing piece gets a sentence with its cure."""

import builtins
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "tongban-installed")
    return module


def test_an_old_python_is_told_which_one_to_use(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "OLDEST", (99, 0))
    with pytest.raises(SystemExit, match=r"too old[\s\S]*Python 99\.0 or newer"):
        run.main()


def test_a_missing_venv_module_names_the_package(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "ensurepip":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SystemExit, match="apt install python3"):
        run.make_venv()


def test_a_folder_without_rights_says_so(run: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".venv").write_text("a file where the folder should be")
    with pytest.raises(SystemExit, match="cannot make"):
        run.make_venv()


def test_the_stamp_changes_with_what_is_to_be_installed(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(run, "HERE", tmp_path)
    run.STAMP.parent.mkdir()
    run.STAMP.write_text(run.wanted("test"))
    assert run.installed("test")
    assert run.installed("simulator"), "what test needs includes the simulator"
    run.STAMP.write_text(run.wanted("simulator"))
    assert not run.installed("test")
    (tmp_path / "constraints.txt").write_text("two")
    assert not run.installed("simulator")


def test_help_needs_no_installation(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_bytes((ROOT / "run.py").read_bytes())
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "run.py demo" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_bytecode_is_kept_where_none_is_wanted_beside_the_sources(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.os, "environ", {"PYTHONDONTWRITEBYTECODE": "1"})
    run.keep_bytecode()
    assert run.os.environ == {"PYTHONPYCACHEPREFIX": str(run.VENV / "bytecode")}


def test_bytecode_stays_where_python_puts_it(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.os, "environ", {})
    run.keep_bytecode()
    assert run.os.environ == {}
