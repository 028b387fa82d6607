"""Somebody on the cable of a paired board, with money in escrow: nothing that he sends takes a
note, opens the gate, prints a slip or speaks."""

import asyncio
import binascii
import os
from pathlib import Path

import pytest

from protocol.wire import messages, states
from simulator.board.socket_link import SocketPort
from tests.board.cash_scenes import CashTerminal
from tests.board.terminal_scene import SLIP, play, terminal
from tests.wire import plain_frames
from tests.wire.plain_frames import Frame

KEY = bytes(range(32))
AHEAD = 1000
"""Numbers that a forger leaves out, so that none of his frames is stale."""


class Tap:
    """A cable with somebody on it: `said` is all that the agent wrote; `inject` writes too."""

    def __init__(self, port: SocketPort) -> None:
        self._port = port
        self.said = bytearray()

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    def write(self, data: bytes) -> int:
        count = self._port.write(data)
        self.said += data[:count]
        return count

    async def inject(self, data: bytes) -> None:
        while data:
            data = data[self._port.write(data) :]
            await asyncio.sleep(0.01)


def forged(c: CashTerminal, message: bytes, key: bytes | None, ahead: int) -> bytes:
    """A frame that is right in all but its tag."""
    link = c.t.probe.link
    place = (link._connection, link._number + ahead, link._queue.seq, link._next_in, 4096)
    return plain_frames.frame(Frame(plain_frames.DATA, 0, *place, message), key=key)


def wishes(note: int) -> list[bytes]:
    """What somebody would like a board to do."""
    slip = SLIP[:200]
    return [
        messages.pack(messages.CASH_STACK, note),
        messages.pack(messages.CASH_RETURN, note),
        messages.pack(messages.PULSE, 1900, 500),
        messages.pack(messages.PRINT_DATA, 1901, 0, tail=slip),
        messages.pack(messages.PRINT_RUN, 1901, len(slip), binascii.crc32(slip)),
        messages.pack(messages.SAY, 1902, 10, 4, tail=b"x"),
    ]


@pytest.mark.parametrize("key", [None, b"k" * 32], ids=["no tag", "tag of another key"])
def test_nothing_is_taken_opened_printed_or_said(
    image: Path, tmp_path: Path, key: bytes | None
) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, pair_key=KEY) as t:
            c = CashTerminal(t)
            tap = Tap(t.board.link_port())
            t.probe._port = tap  # type: ignore[assignment]
            await c.state(states.ONLINE)
            await c.open()
            note = await c.escrow(20)
            for ahead, message in enumerate(wishes(note)):
                await tap.inject(forged(c, message, key, AHEAD + ahead))
            await tap.inject(bytes(tap.said) + os.urandom(300) + b"\0")
            await asyncio.sleep(0.5)
            assert t.gate.pulses == []
            assert t.printed() == 0
            assert t.voice.transcript == []
            assert not [m for m in t.probe.inbox if m.kind == messages.CASH_NOTE]
            assert t.probe.downs == []
            await t.probe.send(messages.CASH_STACK, note)  # the agent's own word still counts
            await c.ends(note, states.NOTE_STACKED)
            c.check()

    play(scene)


def test_the_same_frames_work_where_no_pair_key_is(image: Path, tmp_path: Path) -> None:
    """Else the other test shows nothing."""

    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            c = CashTerminal(t)
            await c.state(states.ONLINE)
            await c.open()
            note = await c.escrow(20)
            tap = Tap(t.board.link_port())
            stack = messages.pack(messages.CASH_STACK, note)
            await tap.inject(forged(c, stack, None, 1))
            await c.ends(note, states.NOTE_STACKED)

    play(scene)
