"""A release given to a terminal: what is refused at once, what the agent keeps and tells."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_agent.board_update import BoardUpdates
from edge_agent.give_update import GiveError, give
from edge_agent.status import Status
from edge_agent.technician.release_file import pack, read_stream
from edge_agent.update_folder import UpdateFolder
from protocol.state import TerminalState, sign_state
from protocol.wire.manifest import SIGNATURE_BYTES
from tests.agent.agent_process import DEVICE, TERMINAL
from tests.agent.update_world import VECTORS, UpdateWorld
from tests.firmware.slot_cases import put
from tongban.cli import app


def release_file(folder: Path, name: str, *, signed: bool = True) -> Path:
    told = VECTORS["releases"][name]
    stream, size = bytes.fromhex(told["stream"]), told["manifest_bytes"]
    if not signed:
        stream = stream[:size] + stream[size + SIGNATURE_BYTES :]
    path = folder / f"{name}.release"
    path.write_bytes(pack(read_stream(stream, size, SIGNATURE_BYTES if signed else 0)))
    return path


class Agent:
    """The agent's part that cares for updates, with a real board at its link."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        (folder / "board").mkdir(exist_ok=True)
        self.world = UpdateWorld(folder / "board")
        self.changes = 0
        self.start()

    def start(self) -> None:
        """A new life of the agent, from what the data folder holds."""
        self.world.start_agent()
        self.updates = BoardUpdates(self.data, self.world.session, lambda: 5_000, self.changed)

    def changed(self) -> None:
        self.changes += 1

    def turn(self) -> None:
        """Two milliseconds of both."""
        before = len(self.world.events)
        self.world.step()
        for said in self.world.events[before:]:
            self.updates.on_board(said)
        self.updates.on_time(self.world.now, idle=True)

    def run(self, *stages: str) -> None:
        """Until the stage that `status` shows is one of these."""
        for _ in range(60_000):
            self.turn()
            if UpdateFolder(self.data).state().stage in stages:
                return
        raise AssertionError(UpdateFolder(self.data).state())


def test_a_given_release_runs_in_the_end_and_everybody_is_told(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    (tmp_path / "release.pub").write_text(VECTORS["key"])
    give(release_file(tmp_path, "v8"), agent.data, tmp_path / "release.pub")
    agent.run("sending")
    assert agent.updates.versions()["release"] == "7"
    agent.run("done")
    told = agent.updates.versions()
    assert (told["release"], told["slot"]) == ("8", "b confirmed")
    assert agent.updates.alarms() == ()
    state = UpdateFolder(agent.data).state()
    assert state.bytes == state.total > 0
    assert agent.changes > 3
    TerminalState(number=1, online=True, at_ms=1, time_quality=0, first_unsettled_seq=1, backlog=0,
                  oldest_age_ms=0, versions=told)  # fmt: skip


def test_a_failed_update_is_an_alarm_through_restarts_until_another_is_given(
    tmp_path: Path,
) -> None:
    agent = Agent(tmp_path)
    give(release_file(tmp_path, "v6"), agent.data, None)
    agent.run("failed")
    for _ in range(2):
        (alarm,) = agent.updates.alarms()
        assert (alarm.code, alarm.since_ms) == ("update.older_version", 5_000)
        assert UpdateFolder(agent.data).state().told()["cure"]
        agent.start()
        lives = agent.world.lives
        for _ in range(3000):
            agent.turn()
        assert agent.world.lives == lives
    state = TerminalState(number=1, online=True, at_ms=1, time_quality=0, first_unsettled_seq=1,
                          backlog=0, oldest_age_ms=0, alarms=agent.updates.alarms())  # fmt: skip
    assert sign_state(DEVICE, TERMINAL, 1, state)
    give(release_file(tmp_path, "v8"), agent.data, None)
    assert UpdateFolder(agent.data).state().stage == "nothing"
    agent.run("done")
    assert agent.updates.alarms() == ()


def test_the_same_release_given_again_is_tried_again(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    path = release_file(tmp_path, "of another key")
    give(path, agent.data, None)
    agent.run("failed")
    give(path, agent.data, None)
    agent.run("checking", "sending")
    agent.run("failed")
    assert agent.updates.alarms()[0].code == "update.bad_signature"


def test_an_agent_that_dies_during_the_trial_hears_how_it_ended(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    give(release_file(tmp_path, "v8"), agent.data, None)
    agent.run("trial")
    agent.start()
    agent.run("done")


def test_a_damaged_slot_is_an_alarm_and_the_same_release_mends_it(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    give(release_file(tmp_path, "v8"), agent.data, None)
    agent.run("done")
    put(agent.world.folder + "/slot_b/version.mpy", b"?")
    agent.world.boot()
    while not agent.updates.alarms():
        agent.turn()
    assert [alarm.code for alarm in agent.updates.alarms()] == ["update.damaged"]
    assert agent.updates.versions()["release"] == "7"
    give(release_file(tmp_path, "v8"), agent.data, None)
    agent.run("activating")
    agent.run("done")
    assert agent.updates.versions()["release"] == "8"
    assert agent.updates.alarms() == ()


def test_a_file_that_is_no_release_is_an_alarm(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    folder = UpdateFolder(agent.data)
    folder.path.mkdir()
    folder.release.write_bytes(b"something else")
    agent.run("failed")
    assert agent.updates.alarms()[0].code == "update.bad_form"


def test_what_boards_would_refuse_is_refused_at_once_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "other.pub").write_text(VECTORS["later_key"])
    (tmp_path / "no").write_text("nothing")
    good = release_file(tmp_path, "v8")
    for path, data, public, cure in (
        (release_file(tmp_path, "v9", signed=False), tmp_path, None, "tongban release sign"),
        (good, tmp_path, tmp_path / "other.pub", "tongban release verify"),
        (good, tmp_path / "nowhere", None, "--data"),
        (tmp_path / "absent", tmp_path, None, "cannot be read"),
        (tmp_path / "no", tmp_path, None, "tongban release build"),
    ):
        with pytest.raises(GiveError, match=cure):
            give(path, data, public)
    assert not (tmp_path / "update").exists()


def test_the_command_says_what_it_put_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = release_file(tmp_path, "v8")
    command = ["terminal", "update", "--release", str(path), "--data", str(tmp_path), "--json"]
    app(command, result_action="return_value")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["board"], told["version"]) == ("rig", 8)
    with pytest.raises(SystemExit) as end:
        app([*command[:-2], str(tmp_path / "nowhere")], result_action="return_value")
    assert end.value.code == 2
    assert "update" in Status.__annotations__
