"""One story over both brokers that a site may run: the server is killed, comes back, all settles.

Server and broker are processes; the terminal's outbox and uplink run here.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import site
from bench.receipt import clock
from bench.sample import passages
from edge_agent.outbox import Draft, Outbox
from edge_agent.uplink_runner import UplinkRunner
from protocol.bundle import Bundle, from_toml
from sync_server.store_sqlite import DATABASE_FILE, open_store
from tests.warm_process import WarmProcess, run

RECORDS = 600
WAIT_S = 40.0
MOSQUITTO_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Debian's broker on a free port of 127.0.0.1, with its defaults otherwise."""
    port = site.free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    program = shutil.which("mosquitto", path=MOSQUITTO_PATH)
    assert program is not None
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def killed_centre(folder: Path, port: int) -> Iterator[Path]:
    """A sync server that is killed (-9) at the end, whatever it is doing."""
    data = folder / "centre"
    command = ["server", "run", "--data", str(data), "--broker", f"127.0.0.1:{port}"]
    process = WarmProcess(command, folder / "server.log")
    try:
        assert b"ready" in process.stdout.readline()
        yield data
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def enrolled(folder: Path, data: Path, port: int) -> Bundle:
    path = folder / "t.bundle.toml"
    arguments = ("--hall", "city/town/hall", "--data", str(data), "--out", str(path))
    broker = ("--broker", f"127.0.0.1:{port}")
    assert run("server", "add-terminal", "gate-1", *arguments, *broker).returncode == 0
    return from_toml(path.read_text("utf-8"))


def wait_settled(outbox: Outbox, seq: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while outbox.settled_seq < seq:
        assert time.monotonic() < deadline, f"settled {outbox.settled_seq} of {seq}"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "broker",
    [
        pytest.param(site.broker, id="embedded"),
        pytest.param(mosquitto, id="mosquitto", marks=pytest.mark.needs("mosquitto")),
    ],
)
def test_all_settles_once_though_the_server_is_killed_in_the_middle(broker, tmp_path: Path) -> None:
    items = [Draft(*item.encoded, visit=True) for item in passages(RECORDS)]
    half = RECORDS // 2
    with broker(tmp_path) as port:
        with killed_centre(tmp_path, port) as data:
            bundle = enrolled(tmp_path, data, port)
            outbox = Outbox.open(
                tmp_path / "outbox.db",
                terminal=bundle.terminal,
                centre_public=bundle.centre_public,
                device_key=bundle.device_key,
                entropy=os.urandom,
                clock=clock,
            )
            runner = UplinkRunner(outbox, bundle, clock=clock)
            runner.start()
            for item in items[:half]:
                outbox.append(os.urandom(16), [item]).result()
                runner.appended()
            wait_settled(outbox, half // 2)
        for item in items[half:]:  # nobody is there to answer
            outbox.append(os.urandom(16), [item]).result()
            runner.appended()
        assert outbox.settled_seq < RECORDS
        with site.centre(tmp_path, port):
            wait_settled(outbox, RECORDS)
            runner.stop()
            outbox.close()
    store = open_store(data / DATABASE_FILE)
    count, low, high = store.connection.execute(
        "SELECT count(*), min(seq), max(seq) FROM record WHERE branch = 0"
    ).fetchone()
    store.close()
    assert (count, low, high) == (RECORDS, 1, RECORDS)
