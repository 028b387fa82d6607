"""A broker and a sync server of their own for a benchmark, on free ports of 127.0.0.1."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

STOP_TIMEOUT_S = 10


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tongban(*arguments: str) -> list[str]:
    """The command line of a `tongban` command in this environment."""
    return [sys.executable, "-m", "tongban.cli", *arguments]


@contextlib.contextmanager
def process(command: list[str], log: Path) -> Iterator[None]:
    """Run a command until the block ends; waits for its ready line first."""
    with log.open("ab") as errors:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if json.loads(line).get("event") == "ready":
                break
        else:
            raise RuntimeError(f"{command} did not start:\n{log.read_text()[-2000:]}")
        yield
    finally:
        running.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(STOP_TIMEOUT_S)
        running.kill()
        running.wait()
        if running.stdout is not None:
            running.stdout.close()


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[int]:
    """The embedded broker; yields its port."""
    port = free_port()
    with process(tongban("server", "broker", "--port", str(port)), folder / "broker.log"):
        yield port


@contextlib.contextmanager
def centre(folder: Path, port: int) -> Iterator[Path]:
    """A sync server on this broker; yields its data folder."""
    data = folder / "centre"
    command = tongban("server", "run", "--data", str(data), "--broker", f"127.0.0.1:{port}")
    with process(command, folder / "server.log"):
        yield data
