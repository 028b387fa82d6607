"""A board in software that unmodified mpremote drives, as it drives one on a desk."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from simulator.board.emulate import RELEASE
from tests.technician.mpremote_tool import mpremote

pytestmark = pytest.mark.live
BLOB = bytes(range(256)) * 20


@pytest.fixture(scope="module")
def flash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulated")


@pytest.fixture(scope="module")
def board(flash: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "tongban.cli", "board", "emulate", "--folder", str(flash)]
    process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert not (flash / "repl").is_symlink(), "the port stayed behind"


def test_exec_and_run_reach_the_chip_that_was_asked_for(
    board: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "who.py"
    script.write_text("import os, sys\nprint(sys.platform, os.uname().release)\n")
    asked = "import machine; print(machine.unique_id().hex())"
    said = mpremote(board["repl"], "exec", asked, "+", "run", str(script))
    assert said.split() == [board["id"], "esp32", RELEASE]


def test_a_folder_goes_there_whole_and_the_hashes_agree(
    board: dict[str, str], tmp_path: Path
) -> None:
    source = tmp_path / "tree"
    (source / "sub").mkdir(parents=True)
    (source / "a.py").write_text("print('a')\n")
    (source / "sub" / "b.bin").write_bytes(BLOB)
    copied = ("fs", "cp", "-r", str(source), ":", "+", "fs", "tree", "/tree", "+", "df")
    said = mpremote(board["repl"], *copied, "+", "sha256sum", "tree/sub/b.bin")
    assert "└── sub" in said
    assert "    └── b.bin" in said
    assert str(2 << 20) in said.split(), "a 4MB chip leaves 2 MiB to the file system"
    assert said.split()[-1] == hashlib.sha256(BLOB).hexdigest()


def test_mip_installs_from_a_server(board: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"urls": [["greet.py", "greet.py"]], "version": "1"}')
    (tmp_path / "greet.py").write_text("def hello():\n    return 'installed'\n")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/"
        used = ("exec", "import greet; print(greet.hello())")
        assert mpremote(board["repl"], "mip", "install", address, "+", *used).endswith(
            "installed\n"
        )
    finally:
        server.shutdown()
        server.server_close()


def test_resets_run_boot_and_main_as_a_board_does(board: dict[str, str], tmp_path: Path) -> None:
    """Hard: both. Soft out of the raw REPL, which is what mpremote does: boot.py alone."""
    count = (
        "import machine\nwith open('{}', 'a') as f:\n    f.write('%d ' % machine.reset_cause())\n"
    )
    for name in ("boot", "main"):
        (tmp_path / f"{name}.py").write_text(count.format(f"{name}.txt"))
    copied = ("fs", "cp", str(tmp_path / "boot.py"), str(tmp_path / "main.py"), ":", "+", "reset")
    mpremote(board["repl"], *copied)
    told = "print(open('boot.txt').read(), '/', open('main.txt').read())"
    said = mpremote(board["repl"], "sleep", "0.5", "soft-reset", "exec", told)
    assert said.split() == ["2", "5", "/", "2"]
    mpremote(board["repl"], "fs", "rm", "boot.py", "main.py", "boot.txt", "main.txt")


def test_ctrl_c_ends_a_program_and_ctrl_d_starts_the_board_anew(board: dict[str, str]) -> None:
    import serial

    with serial.Serial(board["repl"], timeout=0.05) as port:

        def say(keys: bytes, until: bytes) -> bytes:
            port.write(keys)
            heard = b""
            for _ in range(400):
                heard += port.read(max(1, port.in_waiting))
                if heard.endswith(until):
                    return heard
            raise AssertionError(f"{heard!r} does not end with {until!r}")

        say(b"\r\x02", b">>> ")
        say(b"print('on'); x = 1\r", b"on\r\n>>> ")
        say(b"while True: print('turn')\r\r", b"turn\r\n")
        assert b"KeyboardInterrupt" in say(b"\x03", b">>> ")
        heard = say(b"\x04", b">>> ")
        assert b"MPY: soft reboot\r\n" in heard
        assert b"ESP32S3" in heard
        assert b"NameError" in say(b"x\r", b">>> ")
