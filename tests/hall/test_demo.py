"""The whole hall, live: the promises hold while the network goes and processes die."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_S = 240


def demo(folder: Path, *arguments: str) -> dict[str, object]:
    """Run the demo as a person would; the JSON object of its last line."""
    command = [sys.executable, "-m", "tongban.cli", "demo", "--json", "--data", str(folder)]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    summary: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return summary | {"exit": done.returncode, "said": done.stderr[-3000:]}


def test_nothing_told_is_lost_when_the_network_goes_away(tmp_path: Path) -> None:
    told = demo(tmp_path, "--seconds", "15", "--speed", "8", "--cut-network", "3:8")
    assert told["firmware_runtime"] == "micropython"
    assert told["told"], told
    zero = ("lost", "untold", "duplicated", "conflicts", "unsettled", "crashes")
    assert {name: told[name] for name in zero} == dict.fromkeys(zero, 0), told
    assert told["settled"] == told["stored"] == told["told"]
    assert told["receipts_printed"]
    assert told["exit"] == 0


def test_nothing_told_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
    told = demo(tmp_path, "--seconds", "20", "--speed", "8", "--kill-every", "3", "--seed", "2")
    zero = ("lost", "duplicated", "conflicts", "unsettled", "crashes")
    assert {name: told[name] for name in zero} == dict.fromkeys(zero, 0), told
    assert int(str(told["kills"])) >= 5
    assert int(str(told["untold"])) <= int(str(told["kills"]))
    assert told["settled"] == told["stored"]


def test_no_identity_is_left_in_logs_or_databases_of_terminals(tmp_path: Path) -> None:
    demo(tmp_path, "--seconds", "6", "--speed", "8", "--terminals", "1", "--seed", "3")
    from simulator.hall.people import make_people

    people = list(make_people(3).outside)[:60]
    files = [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "status-list.csv"]
    assert any(p.name == "outbox.db" for p in files)
    for path in files:
        data = path.read_bytes()
        for person in people:
            assert person.number.encode() not in data, f"{path.name} holds an identity number"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--terminals", "0"], "--terminals"),
        (["--seconds", "0"], "--seconds"),
        (["--cut-network", "9"], "A:B"),
        (["--cut-network", "9:5"], "A < B"),
        (["--kill-every", "0"], "--kill-every"),
        (["--speed", "1000"], "--speed"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(
    arguments: list[str], word: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tongban.cli", "demo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert word in done.stderr
