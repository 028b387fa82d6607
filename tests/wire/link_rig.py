"""An agent's link and a peer made of plain frames, by hand."""

from typing import Any

from protocol.wire.link import AGENT, Link
from tests.wire.plain_frames import (
    DATA,
    FROM_BOARD,
    HELLO,
    Frame,
    connection,
    connection_key,
    frame,
    hello,
    hello_key,
    read,
)

OURS = b"\xa0\0\0\0\0\0\0\x01"
PEER = b"\xb0\0\0\0\0\0\0\x01"


def other(session: bytes, by: int) -> bytes:
    return (int.from_bytes(session, "big") + by).to_bytes(8, "big")


class Rig:
    """An agent's link and a peer made of plain frames."""

    def __init__(self, *, up: bool = True, **options: Any) -> None:
        self.told: list[tuple[object, ...]] = []
        self.now = 1000
        self.number = 0
        self._sessions = 0
        self.link = Link(AGENT, self._draw, self, window=4096, info=b"agent=1", **options)
        self.connection = connection(OURS, PEER)
        self.seq = 0
        if up:
            self.said()
            self.hear(hello(PEER, OURS, up=True, info=b"board=x"))
            assert self.told == [("up", 1, b"board=x")]
            assert self.said() == []
            self.told.clear()

    def _draw(self, count: int) -> bytes:
        assert count == 8
        self._sessions += 1
        return other(OURS, self._sessions - 1)

    def link_up(self, version: int, info: bytes) -> None:
        self.told.append(("up", version, info))

    def link_down(self, reason: str) -> None:
        self.told.append(("down", reason))

    def link_message(self, view: memoryview) -> None:
        self.told.append(("message", bytes(view)))

    def hear(self, data: bytes) -> None:
        self.link.receive(data, len(data), self.now)

    def hear_frame(self, kind: int, seq: int = 0, ack: int = 0, **other: object) -> None:
        self.number += 1
        values = {"flags": FROM_BOARD, "connection": self.connection, "number": self.number}
        values |= {"window": 1000, "payload": b"", **other}  # type: ignore[dict-item]
        self.hear(frame(Frame(kind=kind, seq=seq, ack=ack, **values)))  # type: ignore[arg-type]

    def wait(self, ms: int) -> None:
        self.now += ms
        self.link.tick(self.now)

    def said(self) -> list[Frame]:
        frames = []
        while (data := self.link.pull(self.now)) is not None:
            one = read(data)
            assert one is not None
            frames.append(one)
            assert len(frames) < 100
        return frames

    def said_hello(self) -> tuple[int, bytes, bytes]:
        """(flags, own session, peer session) of the one HELLO said."""
        (one,) = self.said()
        assert (one.kind, one.connection) == (HELLO, 0)
        assert one.payload[:3] == bytes([1, 1, AGENT])
        assert one.payload[19:] == b"agent=1"
        return one.flags, one.payload[3:11], one.payload[11:19]


PAIR_KEY = b"k" * 32


class PairedRig(Rig):
    """The same between two that share a key."""

    def __init__(self, **options: Any) -> None:
        self.key = connection_key(PAIR_KEY, OURS, PEER)
        super().__init__(up=False, pair_key=PAIR_KEY, **options)
        self.said()

    def go_up(self) -> None:
        self.hear(hello(PEER, OURS, up=True, key=hello_key(PAIR_KEY)))
        assert self.told == [("up", 1, b"")]
        self.told.clear()

    def data(self, number: int, **changed: Any) -> Frame:
        values = {"kind": DATA, "flags": FROM_BOARD, "connection": self.connection, "seq": 0}
        values |= {"number": number, "ack": 0, "window": 1000, "payload": b"open the gate"}
        return Frame(**{**values, **changed})
