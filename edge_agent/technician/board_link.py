"""The technician's end of the board link: one message asked, one answer waited for.

The agent must not run on the same port. Nothing here goes on by itself: the line is read and
written while something is waited for. The board speaks first: where a REPL has the port, or an
interpreter that starts, the bytes of a frame would be keys.
"""

import secrets
import struct
import time
from binascii import crc32
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

import serial

from edge_agent.board_port import BAUD
from edge_agent.core.board_session import parse_info
from edge_agent.technician import ports
from edge_agent.technician.trouble import TroubleError
from protocol.wire import messages, states
from protocol.wire.link import AGENT, Link
from protocol.wire.messages import COUNTER_BYTES
from protocol.wire.tag import PAIR_KEY, PAIRED, UNPAIRED
from protocol.wire.ticks import TICKS_MASK

WINDOW_BYTES = 4096
MESSAGES_MAX = 1024
HELLO_S = 12.0
SEND_S = 5.0
UNREADABLE_BYTES_MIN = 64
PRINT_CHUNK_BYTES = 256
PAIR_TROUBLES = (UNPAIRED, PAIRED, PAIR_KEY)
_STEP_S = 0.003


class Message(NamedTuple):
    kind: int
    fields: tuple[int, ...]
    tail: bytes


class BoardLink:
    """Use in a `with`. `info` is the board's HELLO; `devices` its word on each: (state, detail).
    `pair_key`: of its terminal, if it is paired. Raises TroubleError for everything that the port
    does."""

    def __init__(self, path: str, baud: int = BAUD, *, pair_key: bytes | None = None) -> None:
        self.path = path
        self.info: dict[str, str] = {}
        self.devices: dict[int, tuple[int, int]] = {}
        self.counters: dict[str, int] = {}
        self.inbox: deque[Message] = deque(maxlen=MESSAGES_MAX)
        self.heard_bytes = 0
        self.ups = 0
        self._baud = baud
        self._port: serial.Serial | None = None
        self._unsent = b""
        self.strange = ""
        """Why the board is not of our pair: one of PAIR_TROUBLES."""
        info = b"agent=technician"
        self._link = Link(
            AGENT, secrets.token_bytes, self, window=WINDOW_BYTES, info=info, pair_key=pair_key
        )

    def __enter__(self) -> Self:
        ports.check(self.path)
        try:
            self._port = serial.Serial(self.path, self._baud, timeout=0, write_timeout=0)
        except (OSError, ValueError) as error:
            raise ports.trouble_of(self.path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._port is not None:
            self._port.close()

    @property
    def is_up(self) -> bool:
        return bool(self._link.up)

    @property
    def unreadable(self) -> bool:
        """Bytes came, and no frame was in them: the baud is wrong, or no firmware speaks."""
        return self.ups == 0 and self.heard_bytes >= UNREADABLE_BYTES_MIN

    # ---- what the link reports

    def link_up(self, version: int, info: bytes) -> None:  # noqa: ARG002 - the link's signature
        self.ups += 1
        self.info = parse_info(bytes(info))

    def link_down(self, reason: str) -> None:
        """The board says HELLO again by itself."""
        self.strange = reason if reason in PAIR_TROUBLES else ""

    def link_message(self, view: memoryview) -> None:
        try:
            kind, fields, tail = messages.unpack(view)
        except messages.MessageError:
            return  # of a firmware that knows more
        if kind == messages.DEVICE:
            self.devices[fields[0]] = (fields[1], fields[2])
        elif kind == messages.COUNTERS:
            self._keep_counters(fields[0], bytes(tail))
        elif kind == messages.EVENT:  # kept by the board until somebody takes it
            self._link.send(messages.pack(messages.EVENT_ACK, fields[0]))
        self.inbox.append(Message(kind, tuple(fields), bytes(tail)))

    def _keep_counters(self, device: int, tail: bytes) -> None:
        count = len(tail) // COUNTER_BYTES
        counts = struct.unpack(f"<{count}I", tail[: count * COUNTER_BYTES])
        names = states.COUNTER_NAMES.get(device, ())
        for name, counted in zip(names, counts, strict=False):
            self.counters[f"{states.DEVICE_NAMES[device]}.{name}"] = counted

    # ---- what a technician does

    def wait_up(self, timeout_s: float = HELLO_S) -> None:
        """Wait for the board's HELLO. Raises TroubleError: `no_hello`, `wrong_baud`, or one of
        PAIR_TROUBLES."""
        if self.until(lambda: self.is_up or bool(self.strange), timeout_s) and self.is_up:
            return
        if self.strange:
            raise TroubleError(self.strange, port=self.path)
        if self.unreadable:
            raise TroubleError("wrong_baud", port=self.path, bytes=self.heard_bytes)
        raise TroubleError("no_hello", port=self.path, seconds=f"{timeout_s:g}")

    def send(self, kind: int, *fields: int, tail: bytes = b"") -> None:
        """One message; waits while the link has no room."""
        message = messages.pack(kind, *fields, tail=tail)
        if not self.until(lambda: self._link.send(message), SEND_S):
            raise TroubleError("went_away", port=self.path, error="link")

    def expect(self, kind: int, *fields: int, timeout_s: float) -> Message | None:
        """Take the first message of this kind whose fields begin so; None when none came."""
        found: list[Message] = []

        def fits() -> bool:
            for message in self.inbox:
                if message.kind == kind and message.fields[: len(fields)] == fields:
                    found.append(message)
                    self.inbox.remove(message)
                    return True
            return False

        self.until(fits, timeout_s)
        return found[0] if found else None

    def print_slip(self, effect_id: int, slip: bytes) -> None:
        """Send a whole print job; the answer is an EFFECT_RESULT."""
        for at in range(0, len(slip), PRINT_CHUNK_BYTES):
            chunk = slip[at : at + PRINT_CHUNK_BYTES]
            self.send(messages.PRINT_DATA, effect_id, at, tail=chunk)
        self.send(messages.PRINT_RUN, effect_id, len(slip), crc32(slip))

    def until(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Serve the line until `ready()`, at most so long; whether it was."""
        give_up = time.monotonic() + timeout_s
        while True:
            self._serve()
            if ready():
                self._serve()
                return True
            if time.monotonic() >= give_up:
                return False
            time.sleep(_STEP_S)

    def _serve(self) -> None:
        assert self._port is not None
        now = int(time.monotonic() * 1000) & TICKS_MASK
        try:
            count = self._port.in_waiting  # to read an empty terminal can block
            if count:
                data = bytearray(self._port.read(count))
                self.heard_bytes += len(data)
                self._link.receive(data, len(data), now)
            self._link.tick(now)
            if self.heard_bytes:
                self._write(now)
        except (OSError, TypeError, ValueError) as error:
            raise TroubleError("went_away", port=self.path, error=error) from error

    def _write(self, now: int) -> None:
        assert self._port is not None
        while True:
            if not self._unsent:
                frame = self._link.pull(now)
                if frame is None:
                    return
                self._unsent = bytes(frame)
            try:
                sent = self._port.write(self._unsent) or 0
            except serial.SerialTimeoutException:
                return
            self._unsent = self._unsent[sent:]
            if self._unsent:
                return
