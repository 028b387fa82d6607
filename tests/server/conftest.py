"""A centre around each of the two stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_server.cli import app
from tests.server.making import STORES, Centre, SimTerminal, centre_keys, new_store


@pytest.fixture(params=STORES)
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Centre]:
    with new_store(request.param, tmp_path) as store:
        yield Centre(store, centre_keys())


@pytest.fixture
def terminal(centre: Centre) -> SimTerminal:
    """An enrolled terminal with an empty disk."""
    made = SimTerminal(centre.keys)
    centre.enrol(made)
    return made


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Type a command: (exit code, stdout, stderr). The data folder is tmp_path/centre."""
    monkeypatch.setenv("TONGBAN_DATA", str(tmp_path / "centre"))

    def run(*words: str) -> tuple[int, str, str]:
        code = 0
        try:
            app(words)
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run
