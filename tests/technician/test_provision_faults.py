"""Each thing that can be wrong when a board is provisioned: an exit code, and the cure named."""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.technician.build import make_filesystem, read_build
from edge_agent.technician.flash_sizes import BLOCK_BYTES, flash_size
from tests.technician.bench import Bench, BoardThread, Said

QUICK = ("--no-selftest", "--label", "none")
GARBLED = bytes((byte * 5 + 0x93) & 0xFF for byte in range(256))
CONTENT = re.compile(rb"[A-Za-z0-9+/]{60}")
"""A piece of a file on its way, in base64."""
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24
HOLD = "import serial, sys; s = serial.Serial(sys.argv[1], exclusive=True); print(1, flush=True)"


def check(said: Said, code: int, trouble: str, cure: str) -> None:
    assert (said.code, said.data.get("trouble")) == (code, trouble), said.told
    assert cure in said.data["cure"]
    assert cure in said.told


def flash_with(folder: Path, image: Path) -> Path:
    """The flash of a board that has this file system already."""
    folder.mkdir()
    shutil.copy(image, folder / "flash.img")
    return folder


def without_rights() -> None:
    """In the child: file modes count for root too."""
    prctl = ctypes.CDLL(None).prctl
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        prctl(PR_CAPBSET_DROP, capability)


def test_no_port_and_no_board(bench: Bench, tmp_path: Path) -> None:
    check(bench.provision(str(tmp_path / "none")), 3, "no_port", "tongban board ports")
    bench.environment["TONGBAN_PORTS"] = os.pathsep.join(("/tmp/a", "/tmp/b"))
    check(bench.provision("auto"), 3, "many_boards", "--plan terminals.csv")


def test_no_right_to_the_port(bench: Bench, tmp_path: Path) -> None:
    master, slave = os.openpty()
    port = os.ttyname(slave)
    os.chmod(port, 0)
    said = bench.provision(port, preexec_fn=without_rights)
    check(said, 3, "no_rights", "usermod -aG")
    os.close(master)
    os.close(slave)


def test_a_port_in_use(bench: Bench) -> None:
    master, slave = os.openpty()
    port = os.ttyname(slave)
    command = [sys.executable, "-c", HOLD + "; sys.stdin.read()", port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        said = bench.provision(port)
        check(said, 3, "port_busy", "Stop the other agent")
        assert f"pid {other.pid}" in said.data["text"]
        other.communicate()
    os.close(master)
    os.close(slave)


def test_a_wrong_baud(bench: Bench, tmp_path: Path) -> None:
    """Both directions arrive as other bytes."""
    folder = flash_with(tmp_path / "board", bench.image / "filesystem.img")
    with BoardThread(folder, person=False) as there:
        there.board.console.noise = lambda data, _to_board: data.translate(GARBLED)
        check(bench.provision(there.port), 4, "wrong_baud", "--baud")


@pytest.mark.long
def test_a_board_that_says_nothing(bench: Bench) -> None:
    master, slave = os.openpty()
    check(bench.provision(os.ttyname(slave)), 4, "no_answer", "hold the help button")
    os.close(master)
    os.close(slave)


def test_another_kind_of_board(bench: Bench, tmp_path: Path) -> None:
    with BoardThread(tmp_path / "board", kind="rp2350", person=False) as there:
        said = bench.provision(there.port)
        check(said, 5, "wrong_board", "tongban board build --board rp2350")


def test_a_full_flash_before_anything_is_changed(bench: Bench, tmp_path: Path) -> None:
    size = flash_size("esp32s3", 4)
    image = tmp_path / "full.img"
    data = {"events.jnl": bytes((size.blocks - 40) * BLOCK_BYTES), "main.py": b"print('old')\n"}
    image.write_bytes(make_filesystem(data, size))
    with BoardThread(flash_with(tmp_path / "board", image), person=False) as there:
        check(bench.provision(there.port, *QUICK), 6, "flash_full", "tongban board wipe")
        said = bench.run("maintain", "--port", there.port)
        assert said.code == 0, said.told
    assert _file(tmp_path / "board" / "flash.img", "main.py") == b"print('old')\n"


@pytest.mark.parametrize("times", [1, 1000])
def test_a_file_that_the_line_changes(bench: Bench, tmp_path: Path, times: int) -> None:
    """Once: the file is written again, and nobody is bothered. Always: the file is named."""
    left = [times]

    def noise(data: bytes, to_board: bool) -> bytes:
        content = CONTENT.search(data) if to_board and left[0] else None
        if content is None:
            return data
        left[0] -= 1
        at = content.start()
        other = b"A" if data[at : at + 1] != b"A" else b"B"
        return data[:at] + other + data[at + 1 :]

    with BoardThread(tmp_path / "board", person=False) as there:
        there.board.console.noise = noise
        said = bench.provision(there.port, *QUICK)
    if times == 1:
        assert said.code == 0, said.told
        assert left == [0]
        for file in read_build(bench.image).files:
            there = _file(tmp_path / "board" / "flash.img", file.path)
            assert hashlib.sha256(there).hexdigest() == file.sha256, file.path
    else:
        check(said, 6, "copy_corrupt", "replace the board")


def test_a_device_that_does_not_answer_fails_alone(bench: Bench, tmp_path: Path) -> None:
    folder = flash_with(tmp_path / "board", bench.image / "filesystem.img")
    with BoardThread(folder, without=("card_reader",), person=False) as there:
        said = bench.provision(there.port, "--no-attended", "--label", "none")
    assert said.code == 1
    failed = {d["device"]: d["trouble"] for d in said.data["devices"] if d["outcome"] != "passed"}
    assert failed == {"card_reader": "device_silent"}
    assert "card reader: does not answer." in said.told
    assert "supply" in said.told


@pytest.mark.long
def test_the_board_of_another_terminal(bench: Bench, tmp_path: Path) -> None:
    folder = flash_with(tmp_path / "board", bench.image / "filesystem.img")
    with BoardThread(folder, person=False) as there:
        assert bench.provision(there.port, *QUICK).code == 0
        other = Bench(tmp_path / "other", bench.image)
        other.folder.mkdir()
        check(other.provision(there.port, *QUICK), 5, "pair_key", "hold the help button")
        said = bench.run("doctor", "--port", there.port, "--quick")
        assert said.code == 5
        assert [t["trouble"] for t in said.data["troubles"]] == ["paired"]


@pytest.mark.parametrize("what", ["bundle", "image", "settings"])
def test_a_file_that_cannot_be_used(bench: Bench, tmp_path: Path, what: str) -> None:
    (tmp_path / "bad").write_text("printer.uart=99\n")
    given: dict[str, Any] = {"bundle": bench.bundle(), "image": bench.image}
    given[what] = tmp_path / "bad"
    options = [part for name, path in given.items() for part in (f"--{name}", str(path))]
    said = bench.run("provision", "--port", str(tmp_path / "none"), *options)
    assert (said.code, said.data["trouble"]) == (2, "file_unusable"), said.told
    assert "bad" in said.data["text"]


def _file(image: Path, name: str) -> bytes:
    from littlefs import LittleFS

    size = flash_size("esp32s3", 4)
    system = LittleFS(block_size=BLOCK_BYTES, block_count=size.blocks, mount=False)
    system.context.buffer[:] = image.read_bytes()
    system.mount()
    with system.open(name, "rb") as file:
        return bytes(file.read())
