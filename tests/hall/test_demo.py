"""The whole hall, live: the promises hold while the network goes and processes die."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.hall.people import make_people

TIMEOUT_S = 240
GONE_S_MAX = 20.0


def demo(folder: Path, *arguments: str) -> dict[str, object]:
    """Run the demo as a person would; the JSON object of its last line."""
    command = [sys.executable, "-m", "tongban.cli", "demo", "--json", "--data", str(folder)]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    summary: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return summary | {"exit": done.returncode, "said": done.stderr[-3000:]}


ZERO = ("lost", "duplicated", "conflicts", "unsettled", "crashes", "cash_unbalanced")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path]:
    """What a day tells in which the network goes away for a while, and what it left on disks."""
    folder = tmp_path_factory.mktemp("day")
    told = demo(folder, "--seconds", "20", "--speed", "8", "--seed", "4", "--cut-network", "3:8")
    return told, folder


def test_nothing_told_is_lost_when_the_network_goes_away(
    day: tuple[dict[str, object], Path],
) -> None:
    told, _ = day
    assert told["firmware_runtime"] == "micropython"
    assert told["told"], told
    assert {name: told[name] for name in (*ZERO, "untold")} == dict.fromkeys((*ZERO, "untold"), 0)
    assert told["settled"] == told["stored"] == told["told"]
    assert told["receipts_printed"]
    assert float(str(told["seconds_offline"])) > 0
    assert told["exit"] == 0


def test_people_take_numbers_and_pay_too(day: tuple[dict[str, object], Path]) -> None:
    told, folder = day
    assert told["cash_inserted"] == told["cash_stacked"] == told["cash_stored"] != 0, told
    assert told["cash_stored"] == int(str(told["cash_kept"])) + int(str(told["cash_vouchers"]))
    command = [sys.executable, "-m", "tongban.cli", "server", "records", "--json"]
    done = subprocess.run(
        [*command, "--data", str(folder / "centre")], capture_output=True, check=True, text=True
    )
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds.count("ticket.issued") >= 1


def test_no_identity_is_left_in_logs_or_databases_of_terminals(
    day: tuple[dict[str, object], Path],
) -> None:
    _, folder = day
    people = list(make_people(4).outside)[:60]
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "status-list.csv"]
    assert any(p.name == "outbox.db" for p in files)
    for path in files:
        data = path.read_bytes()
        for person in people:
            assert person.number.encode() not in data, f"{path.name} holds an identity number"


def test_nothing_told_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
    told = demo(tmp_path, "--seconds", "20", "--speed", "8", "--kill-every", "3", "--seed", "2")
    assert {name: told[name] for name in ZERO} == dict.fromkeys(ZERO, 0), told
    assert int(str(told["kills"])) >= 5
    assert int(str(told["untold"])) <= int(str(told["kills"]))
    assert told["settled"] == told["stored"]


@contextmanager
def open_hall(folder: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """An open-ended demo, from its first line on, and the address in it."""
    command = [sys.executable, "-m", "tongban.cli", "demo", "--data", str(folder), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("通办 demo: http://127.0.0.1:"), line
            yield process, line.split()[-1]
        finally:
            process.kill()


def scene_when_open(address: str) -> dict[str, object]:
    """The first scene in which somebody stands at a terminal."""
    with urllib.request.urlopen(f"{address}/events", timeout=TIMEOUT_S) as stream:
        for raw in stream:
            if raw.startswith(b"data:"):
                scene: dict[str, object] = json.loads(raw[5:])
                if any(t["look"] is not None for t in scene["terminals"]):  # type: ignore[attr-defined]
                    return scene
    raise AssertionError("the stream ended")


def left_running(folder: Path) -> list[str]:
    """Processes that name the folder of a demo."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                where = str((entry / "cwd").readlink())
            except OSError:
                continue
            if str(folder) in words or where.startswith(str(folder)):
                found.append(words)
    return found


def wait_until_gone(folder: Path) -> None:
    give_up = time.monotonic() + GONE_S_MAX
    while left_running(folder) and time.monotonic() < give_up:
        time.sleep(0.1)
    assert left_running(folder) == []


def test_the_hall_stays_open_until_ctrl_c_and_then_tells_its_truth(tmp_path: Path) -> None:
    with open_hall(tmp_path, "--speed", "8", "--port", "0", "--json") as (process, address):
        scene = scene_when_open(address)
        names = ["gate-1", "gate-2", "number-1", "fee-1"]
        assert [t["name"] for t in scene["terminals"]] == names  # type: ignore[attr-defined]
        assert len(left_running(tmp_path)) >= 8, "broker, centre, boards and agents"
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        summary = json.loads(out.splitlines()[-1])
        assert (process.returncode, summary["lost"]) == (0, 0), summary
        assert summary["told"] == summary["stored"] >= 1
    wait_until_gone(tmp_path)


def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    with open_hall(tmp_path, "--port", "0", "--terminals", "1") as (process, address):
        scene_when_open(address)
        process.kill()
    wait_until_gone(tmp_path)
