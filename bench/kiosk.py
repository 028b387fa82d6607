"""The citizen's screen: what a page costs beside an empty one, and what an agent weighs with it.

Page to page: from a key that is sent until the whole next page has come by the stream. Beside it,
in turn, one GET of an empty Starlette page from the same kind of server in the same process. Both
are asked by the same plain sockets, so that no client library is measured. The weight is that of a
whole agent process that serves its screen to a page that looks on, without a board's traffic.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from bench.sample import keys
from edge_agent.catalogue import load_texts
from edge_agent.core.screen import FIRST_CHOICES, Screen
from edge_agent.kiosk import Kiosk
from edge_agent.settings import Settings
from protocol.bundle import Bundle, to_toml
from tongban.web.server import PageServer

ROUNDS = 600
WARM_UP = 50
SETTLE_S = 3.0
ANSWER_S_MAX = 5.0
READ_BYTES = 65_536
EMPTY = "<!doctype html><title>-</title>"


class Turning:
    """A source whose every key turns to the other of two pages."""

    def __init__(self) -> None:
        self._screen = Screen(serial=1, choices=FIRST_CHOICES)
        self._watchers: list[Callable[[], None]] = []

    def screen(self) -> Screen:
        """The page of this moment."""
        return self._screen

    def press(self, key: str, serial: int) -> None:
        """Any key turns the page."""
        del key
        text = "matter.ask" if serial % 2 else "screen.welcome"
        self._screen = replace(self._screen, serial=serial + 1, text=text)
        for changed in self._watchers:
            changed()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """For the one stream of this benchmark."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)


def run(folder: Path, tick: Callable[[], None]) -> dict[str, object]:
    """Both figures with their references."""
    ours, empty = _pages(tick)
    ours_ms, empty_ms = (statistics.quantiles(times, n=20)[18] * 1e3 for times in (ours, empty))
    return {
        "kiosk_page_p95_ms": round(ours_ms, 2),
        "empty_page_p95_ms": round(empty_ms, 2),
        "kiosk_page_over_empty_page": round(ours_ms / empty_ms, 2),
        "agent_with_kiosk_mib": round(_agent_mib(folder), 1),
    }


def _pages(tick: Callable[[], None]) -> tuple[list[float], list[float]]:
    async def nothing(_request: Request) -> HTMLResponse:
        return HTMLResponse(EMPTY)

    kiosk = Kiosk(Turning(), load_texts(Settings().texts_folders))
    bare = PageServer(Starlette(routes=[Route("/", nothing)]), "bare")
    ours, empty = [], []
    for server in (kiosk, bare):
        server.start()
    live, keypad, reader = _open(kiosk.port), _open(kiosk.port), _open(bare.port)
    try:
        live.sendall(_request("GET /live", kiosk.port))
        _read_until(live, b"id: 1\n", b"\n\n\r\n")
        for serial in range(1, ROUNDS + 1):
            body = json.dumps({"key": "other", "serial": serial}).encode()
            started = time.perf_counter()
            keypad.sendall(_request("POST /key", kiosk.port, body))
            _read_until(live, b"id: %d\n" % (serial + 1), b"\n\n\r\n")
            between = time.perf_counter()
            _read_until(keypad, b"204 No Content", b"\r\n\r\n")
            asked = time.perf_counter()
            reader.sendall(_request("GET /", bare.port))
            _read_until(reader, b"200 OK", EMPTY.encode())
            ended = time.perf_counter()
            if serial > WARM_UP:
                ours.append(between - started)
                empty.append(ended - asked)
            tick()
    finally:
        for connection in (live, keypad, reader):
            connection.close()
        kiosk.stop()
        bare.stop()
    return ours, empty


def _open(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), ANSWER_S_MAX)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _request(what: str, port: int, body: bytes = b"") -> bytes:
    head = f"{what} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _read_until(connection: socket.socket, begins: bytes, ends: bytes) -> None:
    """Read on until `begins` and, after it, `ends` have come."""
    data = b""
    while begins not in data or ends not in data[data.index(begins) :]:
        more = connection.recv(READ_BYTES)
        if not more:
            raise RuntimeError(f"the page ended before {begins!r} came")
        data += more


def _agent_mib(folder: Path) -> float:
    """Resident memory of an agent, once a page looks on."""
    bundle = folder / "kiosk.bundle.toml"
    centre, device = keys()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()[1]
    seed = device.to_bytes()
    bundle.write_text(
        to_toml(Bundle("gate-1", "city/hall-1", seed, centre.public, "127.0.0.1", nobody, "A"))
    )
    board, line = os.openpty()
    command = [sys.executable, "-m", "tongban.cli", "terminal", "run", "--bundle", str(bundle)]
    command += ["--board", os.ttyname(line), "--data", str(folder / "kiosk-agent")]
    with (folder / "kiosk-agent.log").open("wb") as log:
        agent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    draining = threading.Thread(target=_drain, args=(board,), daemon=True)
    draining.start()
    try:
        assert agent.stdout is not None
        ready = json.loads(agent.stdout.readline() or b"{}")
        if "kiosk" not in ready:
            raise RuntimeError((folder / "kiosk-agent.log").read_text("utf-8")[-2000:])
        port = int(ready["kiosk"].rsplit(":", 1)[1])
        with _open(port) as page, _open(port) as live:
            page.sendall(_request("GET /", port))
            live.sendall(_request("GET /live", port))
            _read_until(live, b"event: screen", b"\n\n\r\n")
            time.sleep(SETTLE_S)
            return _resident_mib(agent.pid)
    finally:
        agent.terminate()
        agent.wait(ANSWER_S_MAX * 2)
        if agent.stdout is not None:
            agent.stdout.close()
        os.close(line)
        os.close(board)


def _drain(board: int) -> None:
    """Be the cable of a board that never answers."""
    try:
        while os.read(board, READ_BYTES):
            pass
    except OSError:
        return


def _resident_mib(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not say how much memory a process has")
