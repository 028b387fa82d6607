"""A minimal agent on the link of a board, for tests and benchmarks: the real link and messages.

It keeps every message in order; `expect` takes the first one that fits out of them.
"""

import asyncio
import binascii
import contextlib
import random
from collections import deque
from typing import NamedTuple

import serial

from protocol.wire import messages
from protocol.wire.link import AGENT, Link
from protocol.wire.ticks import TICKS_MASK
from simulator.board.socket_link import SocketPort

WINDOW_BYTES = 4096
CHUNK_BYTES = 256
MESSAGES_MAX = 4096
STEP_S = 0.003
WAIT_S = 20.0


class Message(NamedTuple):
    kind: int
    fields: tuple[int, ...]
    tail: bytes


def _open(path: str) -> serial.Serial:
    return serial.Serial(path, 921600, timeout=0, write_timeout=0, exclusive=True)


class Probe:
    """Use as `async with Probe(board.link_path, session=1) as probe`.

    `port` is the path of a serial port, or `board.link_port()`. `session`: seed of its sessions.
    """

    def __init__(
        self,
        port: str | SocketPort,
        session: int,
        *,
        clock_rate: float = 1,
        pair_key: bytes | None = None,
    ) -> None:
        self.info: dict[str, str] = {}
        self.ups = 0
        self.downs: list[str] = []
        self.devices: dict[int, tuple[int, int]] = {}
        """Device number -> (state, detail), as last told."""
        self.speech_codec = "gb18030"
        """The character set of the board's speech module."""
        self.inbox: deque[Message] = deque(maxlen=MESSAGES_MAX)
        entropy = random.Random(session).randbytes
        self.link = Link(
            AGENT, entropy, self, window=WINDOW_BYTES, info=b"agent=probe", pair_key=pair_key
        )
        self.muted = False
        """Deaf and dumb, as an agent that hangs."""
        self._clock_rate = clock_rate
        self._port = _open(port) if isinstance(port, str) else port
        self._unsent = b""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Probe":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    async def vanish(self) -> None:
        """Be gone without a word, as an agent that was killed."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._port.close()

    # ---- what the link reports

    def link_up(self, version: int, info: bytes) -> None:  # noqa: ARG002 - the link's signature
        lines = bytes(info).decode().splitlines()
        self.ups += 1
        self.info = dict(line.split("=", 1) for line in lines if "=" in line)

    def link_message(self, view: memoryview) -> None:
        kind, fields, tail = messages.unpack(view)
        message = Message(kind, tuple(fields), bytes(tail))
        if kind == messages.DEVICE:
            self.devices[fields[0]] = (fields[1], fields[2])
        self.inbox.append(message)

    def link_down(self, reason: str) -> None:
        self.downs.append(reason)

    # ---- what a test does

    async def up(self, timeout_s: float = WAIT_S) -> None:
        """Wait for the link."""
        await self._until(lambda: self.link.up, timeout_s, "the link is not up")

    async def up_again(self, ups: int, timeout_s: float = WAIT_S) -> None:
        """Wait for a link that came up after `ups` was read: a reset may be too short to see."""
        await self._until(
            lambda: self.link.up and self.ups > ups, timeout_s, "the link did not come up again"
        )

    async def expect(self, kind: int, *fields: int, timeout_s: float = WAIT_S) -> Message:
        """Take out the first message of this kind whose fields begin with `fields`."""
        found: list[Message] = []

        def fits() -> bool:
            for message in self.inbox:
                if message.kind == kind and message.fields[: len(fields)] == fields:
                    found.append(message)
                    self.inbox.remove(message)
                    return True
            return False

        await self._until(fits, timeout_s, f"no message {kind:#x} {fields}")
        return found[0]

    async def expect_device(
        self, device: int, state: int, detail: int | None = None, timeout_s: float = WAIT_S
    ) -> None:
        """Wait until the board tells this state (and detail) of a device."""

        def fits() -> bool:
            told = self.devices.get(device)
            return told is not None and told[0] == state and detail in (None, told[1])

        await self._until(fits, timeout_s, f"device {device} is not {state}/{detail}")

    async def send(self, kind: int, *fields: int, tail: bytes = b"") -> None:
        """One board message; waits while the queue is full."""
        message = messages.pack(kind, *fields, tail=tail)
        await self._until(lambda: self.link.send(message), WAIT_S, f"cannot send {kind:#x}")

    async def say(self, utterance_no: int, text: str, volume: int = 10, speed: int = 4) -> None:
        await self.send(
            messages.SAY, utterance_no, volume, speed, tail=text.encode(self.speech_codec)
        )

    async def print_slip(self, effect_id: int, data: bytes) -> None:
        """Send a whole print job; the answer is an EFFECT_RESULT."""
        for offset in range(0, len(data), CHUNK_BYTES):
            chunk = data[offset : offset + CHUNK_BYTES]
            await self.send(messages.PRINT_DATA, effect_id, offset, tail=chunk)
        await self.send(messages.PRINT_RUN, effect_id, len(data), binascii.crc32(data))

    async def outcome(self, effect_id: int, timeout_s: float = WAIT_S) -> int:
        """The next EFFECT_RESULT of this id."""
        message = await self.expect(messages.EFFECT_RESULT, effect_id, timeout_s=timeout_s)
        return message.fields[1]

    async def pulse(self, effect_id: int, duration_ms: int) -> int:
        """Ask for a gate pulse and wait for its outcome."""
        await self.send(messages.PULSE, effect_id, duration_ms)
        return await self.outcome(effect_id)

    # ---- the line

    async def _until(self, ready: object, timeout_s: float, what: str) -> None:
        assert callable(ready)
        assert self._task is not None
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while not ready():
            if self._task.done():
                self._task.result()
            if loop.time() > until:
                raise TimeoutError(
                    f"{what}; link lost by {self.downs}; devices {self.devices};"
                    f" last {list(self.inbox)[-8:]}"
                )
            await asyncio.sleep(STEP_S)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if self.muted:
                await asyncio.sleep(STEP_S)
                continue
            now = int(loop.time() * 1000 * self._clock_rate) & TICKS_MASK
            # Reading an empty pseudo terminal can block in the kernel (pty_link.py).
            count = self._port.in_waiting
            if count:
                data = bytearray(self._port.read(count))
                self.link.receive(data, len(data), now)
            self.link.tick(now)
            self._write(now)
            await asyncio.sleep(STEP_S)

    def _write(self, now: int) -> None:
        while True:
            if not self._unsent:
                frame = self.link.pull(now)
                if frame is None:
                    return
                self._unsent = bytes(frame)
            try:
                count = self._port.write(self._unsent) or 0
            except serial.SerialTimeoutException:
                return
            self._unsent = self._unsent[count:]
            if self._unsent:
                return
