"""One life of a board: a firmware process from power-on to its end, its bus and the lines of its
log."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from simulator.board import bus
from simulator.children import AS_CHILD, AS_CHILD_ON_TERMINAL

LOG_LINE_BYTES_MAX = 400
_READ_BYTES = 4096


class Life:
    """Made by `Life.start`; `ended` resolves when the process is gone."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        parent_bus: socket.socket,
        on_line: Callable[[str], None],
    ) -> None:
        self.process = process
        self.halted = False
        self.hung_up = False
        """The process is gone, or about to be: nothing more comes on the bus."""
        self._bus = parent_bus
        self._inbox = bytearray()
        self._logging = asyncio.create_task(self._log(on_line))

    @classmethod
    async def start(
        cls,
        command: list[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        uarts: Mapping[int, socket.socket],
        inputs: Mapping[int, int],
        on_line: Callable[[str], None],
        terminal: int | None = None,
        console: socket.socket | None = None,
    ) -> "Life":
        """`uarts` are the board's ends, inherited under their numbers; `inputs` are the pin levels
        at power-on. With `terminal` the process talks to that descriptor, not to `on_line`;
        `console` is its end of the console's bytes."""
        parent_bus, board_bus = socket.socketpair()
        parent_bus.setblocking(False)
        board_bus.setblocking(False)
        for pin, level in inputs.items():
            parent_bus.send(bus.pack(bus.Record(bus.Op.PIN, pin, level)))
        fds = {f"BOARD_UART_{uart}_FD": end.fileno() for uart, end in uarts.items()}
        fds["BOARD_BUS_FD"] = board_bus.fileno()
        if console is not None:
            fds["BOARD_CONSOLE_FD"] = console.fileno()
        with board_bus:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env={**os.environ, **environment, **{name: str(fd) for name, fd in fds.items()}},
                pass_fds=tuple(fds.values()),
                stdin=asyncio.subprocess.DEVNULL if terminal is None else terminal,
                stdout=asyncio.subprocess.PIPE if terminal is None else terminal,
                stderr=asyncio.subprocess.STDOUT,
                **(AS_CHILD if terminal is None else AS_CHILD_ON_TERMINAL),
            )
        return cls(process, parent_bus, on_line)

    def fileno(self) -> int:
        """The bus, for `add_reader`."""
        return self._bus.fileno()

    def records(self) -> list[bus.Record]:
        """What the board has put on the bus."""
        with contextlib.suppress(BlockingIOError):
            try:
                data = self._bus.recv(_READ_BYTES)
            except ConnectionResetError:
                data = b""
            self.hung_up = not data
            self._inbox += data
        return bus.unpack_all(self._inbox)

    def send(self, record: bus.Record) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._bus.send(bus.pack(record))

    def kill(self) -> None:
        """SIGKILL: the power is gone. A process that has just ended by itself is no error."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def freeze(self, seconds: float) -> None:
        """Let the process stand still for a while."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            self.process.send_signal(signal.SIGCONT)

    async def ended(self) -> int:
        """Wait for the end; the exit code as subprocess gives it."""
        code = await self.process.wait()
        await self._logging
        return code

    def close(self) -> None:
        self._bus.close()

    async def _log(self, on_line: Callable[[str], None]) -> None:
        if self.process.stdout is None:
            return
        rest = b""
        while chunk := await self.process.stdout.read(_READ_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                on_line(line[:LOG_LINE_BYTES_MAX].decode(errors="replace"))
            rest = rest[:LOG_LINE_BYTES_MAX]
        if rest:
            on_line(rest.decode(errors="replace"))
