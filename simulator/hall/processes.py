"""The processes of a real site, started from the command line as an operator would."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from simulator.children import AS_CHILD

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 8.0
TAIL_BYTES = 4_000


class ProcessError(Exception):
    """A process of the hall did not start or ended by itself; the text ends with its last log."""


class Process:
    """One `tongban ...` process: started, killed, restarted; its log goes to a file.

    `ready` waits for the line `{"event": "ready", ...}` on stdout and gives it back.
    """

    def __init__(
        self, name: str, command: list[str], log: Path, environment: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.environment = environment or {}
        self.starts = 0
        self.stopping = False
        self.expected_end = False
        self.ready_line: dict[str, object] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start and wait until it says that it is ready. Raises ProcessError."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tongban.cli",
                *self.command,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self.environment},
                **AS_CHILD,
            )
        self.starts += 1
        self.ready_line = {}
        try:
            self.ready_line = await asyncio.wait_for(self._wait_ready(), READY_TIMEOUT_S)
        except (TimeoutError, EOFError) as error:
            code = self._process.returncode
            await self._end()
            raise ProcessError(
                f"{self.name} did not become ready (exit {code}); its log {self.log} ends:\n"
                + self.tail()
            ) from error

    async def _wait_ready(self) -> dict[str, object]:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict) and message.get("event") == "ready":
                    return message
        await self._process.wait()
        raise EOFError(self.name)

    def kill(self) -> None:
        """kill -9, as a power cut would; whoever waits for its end knows that it was meant."""
        if self.pid is not None and self._process is not None:
            self.expected_end = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def wait(self) -> None:
        """Until the present process is gone, however it ends."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        self.stopping = True
        if self.pid is None or self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            await self._end()

    async def _end(self) -> None:
        if self.pid is not None and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def tail(self) -> str:
        """The end of its log."""
        data = self.log.read_bytes() if self.log.exists() else b""
        return data[-TAIL_BYTES:].decode("utf-8", "replace")


async def run_tongban(*arguments: str) -> bytes:
    """Run one `tongban` command to its end and give back its stdout. Raises ProcessError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tongban.cli",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        **AS_CHILD,
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode:
        raise ProcessError(f"tongban {' '.join(arguments)}: {err.decode('utf-8', 'replace')}")
    return out
