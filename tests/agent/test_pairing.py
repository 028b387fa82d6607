"""The pair key at the terminal: made once, durable, secret; a link that does not fit says why."""

import os
import stat
from pathlib import Path

import pytest

from edge_agent.core import board_events as bx
from edge_agent.core.board_session import BoardSession
from edge_agent.data_folder import DataFolderError
from edge_agent.pairing import CURES, forget_pair_key, make_pair_key, read_pair_key
from tests.agent.fake_board import FakeBoard, Wire

KEY = bytes(range(32))


def test_a_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert read_pair_key(data) is None
    key = make_pair_key(data)
    assert len(key) == 32
    assert read_pair_key(data) == make_pair_key(data) == key
    assert stat.S_IMODE((data / "pair.key").stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == ["pair.key"]
    forget_pair_key(data)
    assert make_pair_key(data) != key


def test_what_a_cut_left_half_written_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "pair.key.new").write_bytes(b"half")
    assert read_pair_key(tmp_path) is None
    assert len(make_pair_key(tmp_path)) == 32


@pytest.mark.parametrize("size", [0, 31, 33, 5000])
def test_a_file_of_another_length_is_refused_with_the_cure(tmp_path: Path, size: int) -> None:
    path = tmp_path / "pair.key"
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    for use in (read_pair_key, make_pair_key):
        with pytest.raises(DataFolderError, match="provision the board again"):
            use(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_a_key_that_others_may_read_is_refused_with_the_cure(tmp_path: Path) -> None:
    make_pair_key(tmp_path)
    (tmp_path / "pair.key").chmod(0o640)
    with pytest.raises(DataFolderError, match="chmod 600"):
        read_pair_key(tmp_path)


@pytest.mark.parametrize(
    ("ours", "theirs", "problem"),
    [
        (KEY, None, "unpaired"),
        (None, KEY, "paired"),
        (KEY, bytes(32), "pair_key"),
        (KEY, KEY, ""),
        (None, None, ""),
    ],
)
def test_only_the_board_of_the_same_pair_comes_up_and_else_the_cure_is_known(
    ours: bytes | None, theirs: bytes | None, problem: str
) -> None:
    told: list[bx.BoardEvent] = []
    session = BoardSession(os.urandom, b"agent=test\n", told.append, ours)
    board = FakeBoard(theirs)
    session.effects.pulse(5, 1000)
    Wire(session, board).run(3000)
    assert session.up == (problem == "")
    assert [one.reason for one in told if isinstance(one, bx.LinkDown)] == [problem] * bool(problem)
    assert not problem or "tongban board provision" in CURES[problem]
    assert [what for what, _ in board.done] == ([] if problem else ["pulse"])
