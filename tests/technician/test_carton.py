"""A carton of boards at once, and boards that have to be flashed first."""

import os
from pathlib import Path

import pytest

from edge_agent.technician.build import build
from edge_agent.technician.report import read_report
from tests.technician.bench import Bench, BoardThread
from tests.technician.test_board_build import INTERPRETER

QUICK = ("--no-selftest", "--label", "none")


def plan(bench: Bench, text: str) -> tuple[str, ...]:
    path = bench.folder / "terminals.csv"
    path.write_text(text)
    return ("provision", "--image", str(bench.image), "--plan", str(path), *QUICK)


@pytest.mark.long
def test_a_carton_is_done_at_once_and_one_bad_board_does_not_stop_the_others(
    bench: Bench, tmp_path: Path
) -> None:
    """Ports that no row names are given out in order; the bad one has its code and its name."""
    names = ("gate-1", "gate-2", "gate-3")
    for name in names:
        bench.bundle(name)
    rows = "bundle,port\ngate-1.bundle.toml,\ngate-2.bundle.toml,\ngate-3.bundle.toml,{}\n"
    with (
        BoardThread(tmp_path / "a", person=False, name="a") as first,
        BoardThread(tmp_path / "b", person=False, name="b") as second,
    ):
        bench.environment["TONGBAN_PORTS"] = os.pathsep.join((first.port, second.port))
        said = bench.run(*plan(bench, rows.format(tmp_path / "none")))
    assert said.code == 3, said.told
    assert [row["ok"] for row in said.data["boards"]] == [True, True, False]
    assert said.data["boards"][2]["trouble"] == "no_port"
    reports = [read_report(tmp_path / f"{name}.board" / "report.json") for name in names[:2]]
    ids = {report["board"]["unique_id"] for report in reports}
    assert ids == {first.board.unique_id, second.board.unique_id}
    assert "gate-3: " in said.told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bundle,colour\nx,red\n", "columns are"),
        ("bundle\n", "every row"),
        ("bundle\n" + "x\n" * 201, "more than 200 rows"),
        ("bundle,port\na.b,p1\na.c,p2\n", "twice"),
    ],
    ids=["unknown column", "empty", "too long", "one folder for two"],
)
def test_a_plan_that_cannot_be_used_begins_nothing(bench: Bench, text: str, problem: str) -> None:
    from edge_agent.technician.carton import provision_carton
    from edge_agent.technician.cli_output import Output
    from edge_agent.technician.provision import Job
    from edge_agent.technician.trouble import TroubleError

    path = bench.folder / "terminals.csv"
    path.write_text(text)
    job = Job(bundle=Path(), image=bench.image, folder=Path())
    with pytest.raises(TroubleError, match=problem):
        provision_carton(path, job, Output("en", False))
    assert list(bench.folder.iterdir()) == [path]


@pytest.mark.long
def test_a_board_whose_boot_loader_does_not_answer_is_named(bench: Bench, tmp_path: Path) -> None:
    interpreter = tmp_path / "micropython.bin"
    interpreter.write_bytes(INTERPRETER)
    build("esp32s3", 4, tmp_path / "image", interpreter=interpreter)
    bench.image = tmp_path / "image"
    master, slave = os.openpty()
    said = bench.provision(os.ttyname(slave), "--flash")
    assert (said.code, said.data["trouble"]) == (4, "no_boot_loader"), said.told
    assert "BOOT" in said.data["cure"]
    os.close(master)
    os.close(slave)


def test_flashing_needs_a_build_with_an_interpreter(bench: Bench, tmp_path: Path) -> None:
    said = bench.provision(str(tmp_path / "none"), "--flash")
    assert (said.code, said.data["trouble"]) == (2, "file_unusable"), said.told
    assert "--interpreter" in said.data["text"]
