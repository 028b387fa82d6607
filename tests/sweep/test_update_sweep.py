"""The update sweep finds nothing in what ships, and finds what is planted."""

import json

import pytest

from simulator.sweep import cli

pytest.importorskip("littlefs")
FEW = 60


def swept(capsys: pytest.CaptureFixture[str], **options: object) -> tuple[int, dict[str, object]]:
    code = cli.update(json_=True, **options)  # type: ignore[arg-type]
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_board_starts_old_or_new_and_whole_wherever_its_power_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, line = swept(capsys, every=FEW)
    assert (code, line["violations"]) == (0, 0)
    outcomes = line["outcomes"]
    assert isinstance(outcomes, dict)
    assert set(outcomes) == {"no cut", "starts old", "starts new"}


def test_a_pointer_that_is_written_before_the_hashes_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, line = swept(capsys, every=FEW, plant="pointer-before-hash")
    assert code == 1
    assert int(str(line["violations"])) > 0


def test_options_that_are_wrong_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.update(plant="no-such-mistake") == 2
    assert cli.update(every=0) == 2
    assert "pointer-before-hash" in capsys.readouterr().err


@pytest.mark.long
def test_every_write_of_an_update_can_be_cut(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = swept(capsys)
    assert (code, line["violations"]) == (0, 0)
    assert int(str(line["cut_points"])) > 300
