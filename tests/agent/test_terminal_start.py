"""What keeps a terminal from starting is said with its cure; the example file is true."""

import os
import pty
import re
import subprocess
import sys
import threading
import time
import tomllib
import tty
from pathlib import Path

import msgspec
import pytest

from edge_agent.board_port import BoardPort, BoardPortError, explain
from edge_agent.catalogue import load_service, load_texts
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.texts import TextsError
from edge_agent.data_folder import DataFolder, DataFolderError
from edge_agent.settings import AGENT, Settings
from edge_agent.start import CannotBeginError, read_settings
from edge_agent.status import read_status
from tests import warm_process
from tests.agent.agent_process import AgentProcess
from tests.agent.flow_tools import shipped_texts

EXAMPLE = AGENT / "terminal.example.toml"
DOCS = AGENT.parent / "docs" / "configuration.md"


def run(agent: AgentProcess, **changes: str) -> tuple[int, str]:
    """Start it in the foreground; exit code and stderr."""
    command = list(agent.command)
    for flag, value in changes.items():
        command[command.index(f"--{flag}") + 1] = value
    done = warm_process.run("terminal", "run", *command)
    return done.returncode, done.stderr


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path, "/dev/no-such-board")


def test_a_missing_port_is_named_with_the_cure(agent: AgentProcess) -> None:
    typed = [sys.executable, "-m", "tongban.cli", "terminal", "run", *agent.command]
    done = subprocess.run(typed, capture_output=True, timeout=30, check=False)
    code, said = done.returncode, done.stderr.decode()
    assert code == 2
    assert "/dev/no-such-board: no such port" in said
    assert "tongban board ports" in said


def test_a_missing_or_wrong_bundle_is_named_with_the_cure(
    agent: AgentProcess, tmp_path: Path
) -> None:
    code, said = run(agent, bundle=str(tmp_path / "none.toml"))
    assert (code, "cannot be read" in said, "add-terminal" in said) == (2, True, True)
    (tmp_path / "wrong.toml").write_text("format = 7\n")
    code, said = run(agent, bundle=str(tmp_path / "wrong.toml"))
    assert (code, "format 1" in said, "add-terminal" in said) == (2, True, True)


def test_a_wrong_configuration_names_line_and_key(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path, "/dev/none", config='slips = true\ndirection = "up"\n')
    code, said = run(agent)
    assert code == 2
    assert "terminal.toml:2: direction" in said


def test_what_is_missing_is_named_with_the_cure() -> None:
    with pytest.raises(CannotBeginError, match=r"--bundle is missing.*add-terminal"):
        read_settings(None, {})
    with pytest.raises(CannotBeginError, match=r"--board is missing.*board ports"):
        read_settings(None, {"bundle": "b"})
    assert read_settings(None, {"bundle": "b", "board": "COM3", "data": "d"}).board == "COM3"


def test_a_busy_port_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    first = BoardPort(path, lambda _data: None, lambda _open: None)
    first.start()
    second = BoardPort(path, lambda _data: None, lambda _open: None)
    try:
        with pytest.raises(BoardPortError, match="another program has the port open"):
            second.start(wait_s=0)
    finally:
        first.stop()
        os.close(master)
        os.close(slave)


def test_every_reason_of_a_closed_port_has_a_cure() -> None:
    assert "dialout" in explain("/dev/x", PermissionError(13, "Permission denied"))
    assert "no such port" in explain("COM7", FileNotFoundError(2, "No such file"))
    assert "Check board and cable" in explain("/dev/x", OSError(5, "Input/output error"))


def test_a_port_that_went_away_is_opened_again(tmp_path: Path) -> None:
    link = tmp_path / "board"
    got: list[bytes] = []
    changes: list[bool] = []
    back = threading.Event()

    def changed(is_open: bool) -> None:
        changes.append(is_open)
        if is_open:
            back.set()

    master, slave = pty.openpty()
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    port = BoardPort(str(link), got.append, changed)
    port.start()
    os.close(slave)
    os.close(master)
    link.unlink()
    master, slave = pty.openpty()
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    assert back.wait(10)
    assert changes == [False, True]
    os.write(master, b"hello")
    give_up = time.monotonic() + 5
    while b"".join(got) != b"hello" and time.monotonic() < give_up:
        time.sleep(0.01)
    assert b"".join(got) == b"hello"
    assert port.write(b"back")
    assert os.read(master, 4) == b"back"
    port.stop()
    os.close(master)
    os.close(slave)


def test_two_agents_never_share_an_outbox(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "data")
    first.open()
    with pytest.raises(DataFolderError, match="another agent uses this folder"):
        DataFolder(tmp_path / "data").open()
    first.close()
    second = DataFolder(tmp_path / "data")
    second.open()
    second.close()


def test_how_the_life_before_ended_is_known(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.life_before() == "first"
    folder.note_start()
    folder.outbox.touch()
    assert folder.life_before() == "unclean"
    folder.note_end()
    assert folder.life_before() == "clean"


def test_status_of_a_folder_without_an_outbox_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="no outbox here"):
        read_status(tmp_path)
    (tmp_path / "outbox.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(DataFolderError, match="cannot be read"):
        read_status(tmp_path)


def test_the_example_file_lists_every_key_with_its_default() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    shown = [line[2:] for line in lines if re.match(r"# [a-z_]+ = ", line)]
    values = tomllib.loads("\n".join(shown))
    assert set(values) == {field.name for field in msgspec.structs.fields(Settings)}
    defaults = msgspec.to_builtins(Settings())
    for key, value in values.items():
        if key not in ("bundle", "board", "data"):
            assert value == defaults[key], key
    assert not [line for line in lines if line and not line.startswith("#")]


def test_the_manual_lists_every_key() -> None:
    manual = DOCS.read_text("utf-8")
    for field in msgspec.structs.fields(Settings):
        assert f"| `{field.name}` |" in manual


def test_the_services_of_a_folder_are_named_when_one_is_missing(tmp_path: Path) -> None:
    texts = shipped_texts()
    assert load_service(AGENT / "services", "gate", texts).service == "gate"
    with pytest.raises(DefinitionError, match=r"no such service.*has: .*gate"):
        load_service(AGENT / "services", "gaet", texts)
    (tmp_path / "door.toml").write_text((AGENT / "services/gate.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(DefinitionError, match=r"id: is 'gate'. Make it the file's name, 'door'"):
        load_service(tmp_path, "door", texts)
    with pytest.raises(TextsError, match="no such folder"):
        load_texts([tmp_path / "none"])
