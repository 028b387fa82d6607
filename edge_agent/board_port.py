"""The serial port to the board: one thread reads, one writes, both end with the port.

`on_bytes` and `on_change` are called from these threads. A port that goes away is opened again
for ever; only the first opening raises. Device files and COM names are passed on as they are.

The board speaks first: until then nothing is written. Where the link has the console of a board,
the bytes of a frame would be keys to an interpreter that starts, and 03 among them would end it.
"""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable

import serial

from edge_agent.technician.ports import explain
from tongban.logs import event, get

BAUD = 921_600
READ_TIMEOUT_S = 0.2
WRITE_TIMEOUT_S = 1.0
READ_BYTES_MAX = 4096
WRITES_QUEUED_MAX = 256
REOPEN_EVERY_S = 0.5
FIRST_OPEN_S = 5.0
"""A USB board needs a moment to appear after power-up."""
STOP_TIMEOUT_S = 3.0

log = get("edge_agent.board_port")


class BoardPortError(Exception):
    """The port cannot be opened; the text says what to do."""


class BoardPort:
    """Owns the port at `path`. `write` never blocks."""

    def __init__(
        self,
        path: str,
        on_bytes: Callable[[bytes], None],
        on_change: Callable[[bool], None],
        baud: int = BAUD,
    ) -> None:
        self.path = path
        self.baud = baud
        self.opens = 0
        self.writes_dropped = 0
        self._heard = False
        self._on_bytes = on_bytes
        self._on_change = on_change
        self._port: serial.Serial | None = None
        self._writes: queue.Queue[bytes | None] = queue.Queue(WRITES_QUEUED_MAX)
        self._stopping = threading.Event()
        self._reader = threading.Thread(target=self._read_on, name="board-read", daemon=True)
        self._writer = threading.Thread(target=self._write_on, name="board-write", daemon=True)

    def start(self, wait_s: float = FIRST_OPEN_S) -> None:
        """Open the port, trying for `wait_s`. Raises BoardPortError with the cure."""
        give_up = time.monotonic() + wait_s
        while True:
            try:
                self._port = self._open()
                break
            except (OSError, ValueError) as error:
                if time.monotonic() >= give_up:
                    raise BoardPortError(explain(self.path, error)) from error
                time.sleep(REOPEN_EVERY_S)
        self._reader.start()
        self._writer.start()

    def write(self, data: bytes) -> bool:
        """Queue bytes for the board; False when they were dropped (the link sends them again)."""
        if self._port is not None and self._heard:
            with contextlib.suppress(queue.Full):
                self._writes.put_nowait(data)
                return True
        self.writes_dropped += 1
        return False

    def stop(self) -> None:
        """Close the port and end both threads."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._writes.put_nowait(None)
        for thread in (self._reader, self._writer):
            if thread.is_alive():
                thread.join(STOP_TIMEOUT_S)
        self._close()

    # ---- threads

    def _read_on(self) -> None:
        while not self._stopping.is_set():
            port = self._port
            if port is None:
                self._reopen()
                continue
            try:
                data = port.read(min(READ_BYTES_MAX, max(1, port.in_waiting)))
            except (OSError, TypeError, ValueError) as error:  # pyserial on a closed descriptor
                self._lost(error)
                continue
            if data:
                self._heard = True
                self._on_bytes(data)

    def _write_on(self) -> None:
        while not self._stopping.is_set():
            data = self._writes.get()
            port = self._port
            if data is None or port is None:
                continue
            try:
                port.write(data)
            except serial.SerialTimeoutException:
                self.writes_dropped += 1
            except (OSError, TypeError, ValueError):
                self.writes_dropped += 1  # the reader notices the same and opens the port again

    def _open(self) -> serial.Serial:
        port = serial.Serial(
            self.path,
            self.baud,
            timeout=READ_TIMEOUT_S,
            write_timeout=WRITE_TIMEOUT_S,
            exclusive=True if os.name == "posix" else None,
        )
        self.opens += 1
        self._heard = False
        return port

    def _reopen(self) -> None:
        try:
            self._port = self._open()
        except (OSError, ValueError):
            self._stopping.wait(REOPEN_EVERY_S)
            return
        event(log, "info", "board_port.opened", port=self.path)
        self._on_change(True)

    def _lost(self, error: Exception) -> None:
        self._close()
        if not self._stopping.is_set():
            event(log, "warning", "board_port.lost", port=self.path, problem=str(error))
            self._on_change(False)

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):
                port.close()
