"""A board in software that unmodified mpremote drives, as it drives one on a desk."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge_agent.technician.board_link import BoardLink
from simulator.board.emulate import RELEASE
from tests.technician.bench import BoardThread
from tests.technician.mpremote_tool import mpremote

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


def test_a_board_comes_up_while_its_agent_speaks(board_image: Path, tmp_path: Path) -> None:
    """The link has the console: the byte 03 of a frame that comes while the board starts must not
    leave it in its REPL, where 04 would start it over and over."""
    import serial

    (tmp_path / "board").mkdir()
    shutil.copy(board_image / "filesystem.img", tmp_path / "board" / "flash.img")
    with BoardThread(tmp_path / "board", person=False) as there:
        with serial.Serial(there.port, write_timeout=1) as port:
            for _ in range(2):
                there.do(there.board.kill)
                for _ in range(30):  # longer than a start takes
                    port.write(b"\x03hello\x04\x00")
                    time.sleep(0.1)
                port.reset_input_buffer()
        with BoardLink(there.port) as link:
            link.wait_up()
        assert not any("SOFT" in line for line in there.board.log), list(there.board.log)
