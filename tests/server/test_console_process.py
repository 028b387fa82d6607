"""`tongban server console` as a process: one ready line, set-up once, an end in order."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sync_server.store_sqlite import DATABASE_FILE, open_store
from tests.server.console_site import GOOD
from tests.warm_process import WarmProcess, run

LOG = "console.log"
END_S = 15


@contextmanager
def running(folder: Path) -> Iterator[tuple[dict[str, str], WarmProcess]]:
    """The ready line, and the process; it must end in order."""
    log = folder / LOG
    log.write_bytes(b"")
    process = WarmProcess(["server", "console", "--data", str(folder), "--port", "0"], log)
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(END_S)
        process.stdout.close()
    assert code == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_store(tmp_path / DATABASE_FILE).close()
    return tmp_path


def set_up(address: str) -> int:
    parts = urlsplit(address)
    form = {"name": "li.wei", "password": GOOD, "repeated": GOOD}
    form["token"] = parse_qs(parts.query)["token"][0]
    origin = f"{parts.scheme}://{parts.netloc}"
    return httpx.post(f"{origin}/setup", data=form, headers={"origin": origin}).status_code


def test_the_first_start_gives_a_set_up_address_until_somebody_can_log_in(folder: Path) -> None:
    with running(folder) as (ready, _process):
        assert ready["event"] == "ready"
        assert ready["console"].startswith("http://127.0.0.1:")
        assert httpx.get(ready["setup"]).status_code == 200
        assert httpx.get(f"{ready['console']}/").status_code == 303
        first = ready["setup"]
    assert first in (folder / LOG).read_text("utf-8")
    with running(folder) as (ready, _process):
        assert ready["setup"] != first
        assert set_up(first.replace(urlsplit(first).netloc, urlsplit(ready["setup"]).netloc)) == 400
        assert set_up(ready["setup"]) == 303
    with running(folder) as (ready, _process):
        assert set(ready) == {"event", "console"}
    assert "setup" not in (folder / LOG).read_text("utf-8")


def test_it_ends_in_order_while_pages_are_open(folder: Path) -> None:
    with running(folder) as (ready, process):
        assert set_up(ready["setup"]) == 303
        origin = ready["console"]
        form = {"name": "li.wei", "password": GOOD}
        with httpx.Client(base_url=origin, headers={"origin": origin}) as web:
            assert web.post("/login", data=form).status_code == 303
            with web.stream("GET", "/live/home/") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "event: truth"
                process.send_signal(signal.SIGTERM)
                assert process.wait(END_S) == 0
    assert "Traceback" not in (folder / LOG).read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "0"], "tongban server run --data"),
        (["--port", "70000"], "choose 0 to 65535"),
    ],
)
def test_what_cannot_be_started_is_said_in_a_sentence(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    if "choose" in words:
        open_store(tmp_path / DATABASE_FILE).close()
    done = run("server", "console", "--data", str(tmp_path), *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said(folder: Path, free_port: int) -> None:
    import socket

    with socket.create_server(("127.0.0.1", free_port)):
        done = run("server", "console", "--data", str(folder), "--port", str(free_port))
    assert done.returncode == 1
    assert f"console port 127.0.0.1:{free_port}" in done.stderr
