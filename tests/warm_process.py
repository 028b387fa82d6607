"""`tongban ...` as a process of its own, forked from one that has loaded everything already.

A process of this kind is as real as any: it has its own memory and signals and dies by `kill -9`.
Only Python's start and the imports are paid once for all tests of a worker, not in each of them.
That the command line starts from nothing is for tests that start it with `sys.executable`.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

LOADED = [
    *(__name__, "edge_agent.cli", "edge_agent.start", "sync_server.cli", "sync_server.service"),
    *("sync_server.console.cli", "iotcore"),
]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(LOADED)


class WarmProcess:
    """What tests use of `subprocess.Popen`; `stdout` is a pipe of bytes, stderr goes to `log`."""

    def __init__(self, words: list[str], log: Path) -> None:
        reader, writer = _context.Pipe(duplex=False)
        command = (words, writer, log, dict(os.environ))
        self._process = _context.Process(target=_become, args=command, daemon=True)
        self._process.start()
        writer.close()
        self.stdout = os.fdopen(os.dup(reader.fileno()), "rb")
        reader.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout_s: float | None = None) -> int:
        """Until its end. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("tongban", timeout_s or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command to its end."""
    with tempfile.NamedTemporaryFile() as log:
        process = WarmProcess(list(words), Path(log.name))
        with process.stdout:
            said = process.stdout.read().decode()
        return subprocess.CompletedProcess(words, process.wait(), said, log.read().decode())


def _become(words: list[str], stdout: Connection, log: Path, environment: dict[str, str]) -> None:
    """In the new process: be the command."""
    from tongban.cli import main

    os.environ.clear()
    os.environ.update(environment)
    os.dup2(stdout.fileno(), 1)
    stdout.close()
    with log.open("ab") as errors:
        os.dup2(errors.fileno(), 2)
    sys.argv = ["tongban", *words]
    main()
