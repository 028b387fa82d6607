"""From a board with nothing but an interpreter to a tested terminal: one command, no question."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from edge_agent.technician.report import read_report
from edge_agent.technician.trouble import TroubleError
from tests.technician.bench import TERMINAL, Bench, BoardThread

STEPS = {
    "enter": "Into the REPL",
    "check": "Comparing the flash",
    "copy": "Copying",
    "start": "Starting the firmware",
    "hello": "Waiting for its HELLO",
    "report": "Signing the report",
}
CUTS_EVERY_TIME = ("copy",)
QUICK = ("--no-selftest", "--label", "none")


def cut_at(bench: Bench, port: str, step: str, number: int, after_s: float = 0) -> int:
    """Begin to provision and send the signal when this step is told; the exit code."""
    given = ("--port", port, "--image", str(bench.image), "--bundle", str(bench.bundle()))
    command = bench.command("provision", *given, *QUICK)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip() == STEPS[step]:
                time.sleep(after_s)
                process.send_signal(number)
                break
        process.communicate()
    return process.returncode


def test_one_command_makes_a_tested_board_and_a_signed_report(bench: Bench, tmp_path: Path) -> None:
    with BoardThread(tmp_path / "board") as there:
        said = bench.provision(there.port)
    assert said.code == 0, said.told
    assert "?" not in said.told
    report = read_report(Path(said.data["report_file"]), bench.verify_key)
    assert report["terminal"] == TERMINAL
    assert report["board"]["unique_id"] == there.board.unique_id
    devices = {d["device"]: (d["outcome"], d["by"]) for d in report["devices"]}
    built_in = ("help_button", "voice", "printer", "card_reader", "gate")
    assert devices == dict.fromkeys(built_in, ("passed", "person"))
    assert "441900190001010027" not in Path(said.data["report_file"]).read_text()
    assert (tmp_path / "gate-1.board" / "label.png").stat().st_size > 1000
    assert not (tmp_path / "gate-1.board" / "provision.json").exists()
    assert (tmp_path / "gate-1.board" / "pair.key").stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(step, marks=() if step in CUTS_EVERY_TIME else pytest.mark.long)
        for step in STEPS
    ],
)
def test_a_work_that_was_killed_goes_on(bench: Bench, tmp_path: Path, step: str) -> None:
    report_file = tmp_path / "gate-1.board" / "report.json"
    with BoardThread(tmp_path / "board", person=False) as there:
        code = cut_at(bench, there.port, step, signal.SIGKILL, after_s=0.5 if step == "copy" else 0)
        assert code == -signal.SIGKILL
        assert not report_file.exists() or read_report(report_file)["passed"]
        said = bench.provision(there.port, *QUICK)
        assert said.code == 0, said.told
        assert read_report(report_file, bench.verify_key)["passed"]
        if step == "copy":
            assert 0 < said.data["copied"] < len(json.loads(_manifest(bench))["files"])


@pytest.mark.long
def test_ctrl_c_ends_it_with_its_own_code(bench: Bench, tmp_path: Path) -> None:
    with BoardThread(tmp_path / "board", person=False) as there:
        assert cut_at(bench, there.port, "copy", signal.SIGINT, after_s=0.3) == 130


def test_a_report_that_was_changed_is_refused(bench: Bench, tmp_path: Path) -> None:
    from edge_agent.technician.report import write_report
    from protocol.keys import DeviceKey

    path = tmp_path / "report.json"
    write_report(path, {"terminal": "gate-1", "passed": False}, DeviceKey(bytes(range(32))))
    assert read_report(path, bench.verify_key) == {"terminal": "gate-1", "passed": False}
    path.write_text(path.read_text().replace("false", "true"))
    with pytest.raises(TroubleError, match="signature"):
        read_report(path)
    write_report(path, {"terminal": "gate-1"}, DeviceKey(bytes(32)))
    with pytest.raises(TroubleError, match="another terminal"):
        read_report(path, bench.verify_key)


@pytest.mark.long
def test_a_dry_run_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    with BoardThread(tmp_path / "board", person=False) as there:
        said = bench.provision(there.port, "--dry-run")
        assert said.code == 0, said.told
        assert len(said.data["write"]) == len(json.loads(_manifest(bench))["files"])
        again = bench.provision(there.port, "--dry-run")
        assert again.data["write"] == said.data["write"]
    assert not (tmp_path / "gate-1.board").exists()


def _manifest(bench: Bench) -> str:
    return (bench.image / "manifest.json").read_text()
