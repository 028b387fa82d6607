"""Two links over a line that may lose, repeat, hold back, garble, cut and replay what it carries,
in time that is counted, with everything watched that the link promises.
"""

import random
from typing import NamedTuple

from protocol.wire.link import AGENT, BOARD, Link
from protocol.wire.ticks import add
from tests.wire import plain_frames

STEP_MS = 10
REPLAY_FRAMES_MAX = 2000


class Faults(NamedTuple):
    """Chances of each thing, a frame."""

    lost: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    garbled: float = 0.0
    cut: float = 0.0
    replayed: float = 0.0
    late_ms_max: int = 400


NO_FAULTS = Faults()


class Credit:
    """What the sender may have unacked, by the frames that crossed its end of the line."""

    def __init__(self) -> None:
        self.connection = -1
        self.number = 0
        self.window = 0
        self.unacked: dict[int, int] = {}
        self.first = 0

    def heard(self, frame: plain_frames.Frame, connection: int) -> None:
        if frame.kind == plain_frames.HELLO or frame.connection != connection:
            return
        if frame.number <= self.number:
            return
        self.number = frame.number
        self.window = frame.window
        done = (frame.ack - self.first) & 0xFFFF
        if done <= len(self.unacked):
            for seq in range(self.first, self.first + done):
                del self.unacked[seq & 0xFFFF]
            self.first = frame.ack

    def up(self, connection: int, window: int) -> None:
        self._begin(connection)
        self.window = window

    def said(self, frame: plain_frames.Frame, size: int) -> None:
        if frame.kind != plain_frames.DATA:
            return
        assert frame.connection == self.connection
        self.unacked[frame.seq] = size
        ahead = (frame.seq - self.first) & 0xFFFF
        before = [(self.first + n) & 0xFFFF for n in range(ahead + 1)]
        assert sum(self.unacked[seq] for seq in before) <= self.window, "more than was announced"

    def _begin(self, connection: int) -> None:
        self.connection = connection
        self.number = 0
        self.unacked = {}
        self.first = 0


class Side:
    """One end: its link, its handler, and every message of every connection."""

    def __init__(self, role: int, rng: random.Random, window: int, pair_key: bytes | None) -> None:
        self.role = role
        self.window = window
        self._pair_key = pair_key
        self.ups = self.downs = 0
        self.reasons: list[str] = []
        self.sent: dict[int, list[bytes]] = {}
        self.got: dict[int, list[bytes]] = {}
        self._rng = rng
        self._number = 0
        self.start()

    def start(self) -> None:
        """A new life, as after a reset."""
        self.credit = Credit()
        self._hello_window = 0
        self._part = b""
        info = b"role=%d" % self.role
        entropy, key = self._rng.randbytes, self._pair_key
        self.link = Link(self.role, entropy, self, window=self.window, info=info, pair_key=key)

    @property
    def connection(self) -> int:
        return self.link._connection

    def link_up(self, version: int, info: bytes) -> None:
        assert self.link.up
        assert (version, info) == (1, b"role=%d" % (1 - self.role))
        assert self.connection not in self.sent, "a connection came twice"
        self.ups += 1
        self.credit.up(self.connection, self._hello_window)
        self.sent[self.connection] = []
        self.got[self.connection] = []

    def link_down(self, reason: str) -> None:
        assert not self.link.up
        self.downs += 1
        self.reasons.append(reason)

    def link_message(self, view: memoryview) -> None:
        self.got[self.connection].append(bytes(view))

    def hear(self, data: bytes, now: int) -> None:
        """Bytes for the link, watched on their way."""
        *whole, self._part = (self._part + data).split(b"\0")
        frames = [frame for frame in map(plain_frames.read, (w + b"\0" for w in whole)) if frame]
        for frame in frames:
            if frame.kind == plain_frames.HELLO:
                self._hello_window = frame.window
        self.link.receive(data, len(data), now)
        for frame in frames:
            self.credit.heard(frame, self.connection)

    def say(self, size: int) -> bool:
        """Queue a numbered message of `size` bytes, if the link takes it."""
        self._number += 1
        message = (b"%d:%d " % (self.role, self._number) + bytes(size))[: max(size, 12)]
        if not self.link.send(message):
            return False
        self.sent[self.connection].append(message)
        return True


class LossyLine:
    """`run` moves the time; `sides[AGENT]` and `sides[BOARD]` are the ends. `pair_key`: of both."""

    def __init__(
        self,
        seed: int,
        windows: tuple[int, int] = (4096, 1024),
        pair_key: bytes | None = None,
    ) -> None:
        self.rng = random.Random(seed)
        self.now = self.rng.choice([0, 0x3FFFFFFF - 3000, self.rng.getrandbits(30)])
        self.elapsed_ms = 0
        self.sides = [Side(role, self.rng, windows[role], pair_key) for role in (AGENT, BOARD)]
        self._on_the_way: list[tuple[int, int, bytes]] = []
        self._ever: tuple[list[bytes], list[bytes]] = ([], [])

    @property
    def settled(self) -> bool:
        """Both up in one connection, everything said in it delivered."""
        a, b = self.sides
        if not (a.link.up and b.link.up and a.connection == b.connection):
            return False
        at = a.connection
        return a.sent[at] == b.got[at] and b.sent[at] == a.got[at]

    def run(self, ms: int, faults: Faults = NO_FAULTS, until_settled: bool = False) -> None:
        """Let `ms` pass in steps."""
        for _ in range(0, ms, STEP_MS):
            if until_settled and self.settled:
                return
            self._deliver()
            for side in self.sides:
                side.link.tick(self.now)
                self._pull(side, faults)
            self.now = add(self.now, STEP_MS)
            self.elapsed_ms += STEP_MS
        self.check()

    def check(self) -> None:
        """Every connection of either side brought a beginning of what was said in it, in order."""
        for one, other in (self.sides, self.sides[::-1]):
            for connection, got in one.got.items():
                sent = other.sent.get(connection, [])
                assert got == sent[: len(got)], "not once, or not in order"

    def _pull(self, side: Side, faults: Faults) -> None:
        for _ in range(64):
            wire = side.link.pull(self.now)
            if wire is None:
                return
            frame = plain_frames.read(wire)
            assert frame is not None
            side.credit.said(frame, len(wire))
            self._send(1 - side.role, wire, faults)
        raise AssertionError("the link never stops talking")

    def _send(self, to: int, wire: bytes, faults: Faults) -> None:
        rng = self.rng
        ever = self._ever[to]
        if len(ever) < REPLAY_FRAMES_MAX:
            ever.append(wire)
        wires = [wire, wire] if rng.random() < faults.twice else [wire]
        if rng.random() < faults.replayed:
            wires.append(rng.choice(ever))
        for data in wires:
            if rng.random() < faults.lost:
                continue
            late = rng.randrange(faults.late_ms_max) if rng.random() < faults.late else 0
            self._on_the_way.append((self.elapsed_ms + late, to, self._damaged(data, faults)))

    def _damaged(self, data: bytes, faults: Faults) -> bytes:
        if self.rng.random() < faults.garbled:
            bad = bytearray(data)
            bad[self.rng.randrange(len(bad))] ^= 1 << self.rng.randrange(8)
            return bytes(bad)
        if self.rng.random() < faults.cut:
            return data[: self.rng.randrange(len(data))]
        return data

    def _deliver(self) -> None:
        ready = [item for item in self._on_the_way if item[0] <= self.elapsed_ms]
        self._on_the_way = [item for item in self._on_the_way if item[0] > self.elapsed_ms]
        for _, to, data in ready:
            step = self.rng.choice([1, 7, 64, 1000])
            for at in range(0, len(data), step):
                self.sides[to].hear(data[at : at + step], self.now)
