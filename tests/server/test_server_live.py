"""The real thing: broker and server as processes, batches over MQTT, receipts back."""

import json
import queue
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocol import topics
from protocol.bundle import Bundle, from_toml
from protocol.receipts import Receipt, Rewind, open_answer
from protocol.status_list import open_status_list
from sync_server.broker import PAYLOAD_BYTES_MAX
from tests.server.making import SimTerminal, number_of
from tests.warm_process import WarmProcess, run

WAIT_S = 15.0
HALL = "dongguan/nancheng/hall-1"


@contextmanager
def process(log: Path, *words: str) -> Iterator[tuple[WarmProcess, dict]]:
    """A server command in the background, once it said that it is ready."""
    running = WarmProcess(["server", *words], log)
    try:
        line = running.stdout.readline()
        assert line, log.read_text("utf-8")
        yield running, json.loads(line)
    finally:
        if running.poll() is None:
            running.terminate()
        running.wait(WAIT_S)
        running.stdout.close()


def server_command(*words: str) -> str:
    """What it says on stdout; it must be done."""
    done = run("server", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Wire:
    """A terminal's MQTT client."""

    def __init__(self, port: int, *subscriptions: str) -> None:
        self.messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _d, m: self.messages.put((m.topic, bytes(m.payload)))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        done: queue.Queue[int] = queue.Queue()
        self.client.on_subscribe = lambda *arguments: done.put(1)
        for subscription in subscriptions:
            self.client.subscribe(subscription, 1)
            done.get(timeout=WAIT_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, 1).wait_for_publish(WAIT_S)

    def next(self, topic: str) -> bytes:
        deadline = time.monotonic() + WAIT_S
        while True:
            found, payload = self.messages.get(timeout=max(0.01, deadline - time.monotonic()))
            if found == topic:
                return payload


def sealing(bundle: Bundle) -> SimTerminal:
    """A terminal that knows its bundle only."""

    class PublicSide:
        public = bundle.centre_public

    terminal = SimTerminal(PublicSide(), bundle.terminal)  # type: ignore[arg-type]
    terminal.device = bundle.device_key
    return terminal


@pytest.fixture
def port(free_port: int) -> int:
    return free_port


def wait_ready(url: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=WAIT_S) as page:
                assert json.load(page)["status"] == "ok"
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


def listening_addresses(pid: int) -> set[str]:
    """Local addresses of a process's listening TCP sockets, as /proc has them."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = link.readlink().name
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                found.add(words[1].rsplit(":", 1)[0])
    return found


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs Linux's /proc")
def test_broker_and_server_listen_on_loopback_only(tmp_path: Path, port: int) -> None:
    log = tmp_path / "log"
    loopback = {socket.inet_aton("127.0.0.1")[::-1].hex().upper()}
    with process(log, "broker", "--port", str(port)) as (broker, ready):
        assert ready == {"event": "ready", "port": port}
        assert listening_addresses(broker.pid) == loopback
        data = str(tmp_path / "centre")
        with process(log, "run", "--data", data, "--broker", f"127.0.0.1:{port}") as (server, _):
            assert listening_addresses(server.pid) == loopback


def test_card_records_become_receipts_over_a_real_broker(tmp_path: Path, port: int) -> None:
    data, log = str(tmp_path / "centre"), tmp_path / "log"
    bundle_path = tmp_path / "gate-1.toml"
    broker = ("--broker", f"127.0.0.1:{port}")
    with (
        process(log, "broker", "--port", str(port)),
        process(log, "run", "--data", data, *broker) as (server, ready),
    ):
        wait_ready(ready["health"])
        server_command(
            *("add-terminal", "gate-1", "--hall", HALL, "--out", str(bundle_path)),
            *("--data", data, *broker),
        )
        bundle = from_toml(bundle_path.read_text("utf-8"))
        terminal = sealing(bundle)
        terminal.visit(250)
        wire = Wire(port, topics.down_receipt("gate-1"), topics.status_list())

        def ask(raw: bytes) -> object:
            wire.send(topics.up_batch("gate-1"), raw)
            answer = wire.next(topics.down_receipt("gate-1"))
            return open_answer(answer, bundle.centre_public, "gate-1")

        for first, last in ((1, 200), (201, 250)):
            receipt = ask(terminal.batch(first, last))
            assert isinstance(receipt, Receipt)
            assert (receipt.through_seq, receipt.link) == (last, terminal.rows[last - 1].link)
        wire.send(topics.up_batch("gate-1"), bytes(PAYLOAD_BYTES_MAX - 1024))  # passes the broker
        assert isinstance(ask(terminal.batch(1, 200)), Receipt)

        (tmp_path / "list.csv").write_text(
            f"document,number,status\nC,{number_of(3)},blocked\n", "utf-8"
        )
        server_command("status-list", "import", str(tmp_path / "list.csv"), "--data", data)
        status_list = open_status_list(wire.next(topics.status_list()), bundle.centre_public)
        assert status_list.lookup(status_list.scrypt.digest("C", number_of(3))) == 1

        server.send_signal(signal.SIGKILL)
        server.wait(WAIT_S)
        terminal.new_epoch()
        terminal.visit(10)
        with process(log, "run", "--data", data, *broker) as (again, new_line):
            wait_ready(new_line["health"])
            assert isinstance(ask(terminal.batch(256, 260)), Rewind)
            assert isinstance(ask(terminal.batch(251, 260)), Receipt)
            late = Wire(port, topics.status_list())
            assert open_status_list(late.next(topics.status_list()), bundle.centre_public)
            late.close()
            again.send_signal(signal.SIGTERM)
            assert again.wait(WAIT_S) == 0
        wire.close()
    out = server_command("records", "--data", data, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, 261))
    assert sum(row["visit"] for row in rows) == 260
    written = log.read_text("utf-8")
    assert "intake.stored" in written
    for index in range(0, 260, 10):
        assert number_of(index) not in written + out


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("server", "broker", "--port", str(port))
    assert done.returncode == 1
    assert "Choose another --port" in done.stderr
