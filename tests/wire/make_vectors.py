"""Writes vectors.json: what the wire looks like, for ever. `python -m tests.wire.make_vectors`.

A change of this file is a change of the protocol: boards in the field speak the old one.
"""

import json
import random
from pathlib import Path

from protocol.wire import messages, ticks
from protocol.wire.link import AGENT, BOARD, Link
from tests.wire import plain_frames
from tests.wire.micropython_vectors import Sessions, Taken

FILE = Path(__file__).with_name("vectors.json")
STEPS = 420
STEP_MS = 40


def tick_vectors() -> dict[str, list[list[int]]]:
    mask = ticks.TICKS_MASK
    pairs = [(0, 0), (5, 3), (3, 5), (0, mask), (mask, 0), (mask, 10), (2**29 - 1, 0), (2**29, 0)]
    adds = [(0, 1), (mask, 1), (mask - 5, 3000), (3, -5), (2**29, 2**29 - 1)]
    return {
        "diff": [[a, b, ticks.diff(a, b)] for a, b in pairs],
        "add": [[a, ms, ticks.add(a, ms)] for a, ms in adds],
    }


def frame_vectors(rng: random.Random) -> list[dict[str, str]]:
    bodies = [bytes(24), bytes(536), b"\xff" * 536, b"\x01" * 250, b"\x01" * 254, b"\x01" * 505]
    bodies += [bytes(254) + b"\x01" * 254, bytes(range(256)) * 2]
    bodies += [bytes(rng.choices((0, 1, 255), k=rng.randrange(24, 537))) for _ in range(4)]
    bodies += [rng.randbytes(rng.randrange(24, 537)) for _ in range(6)]
    return [{"body": body.hex(), "wire": plain_frames.wire(body).hex()} for body in bodies]


def stream_vectors(rng: random.Random) -> list[dict[str, object]]:
    """Damaged streams: the bodies that come out and what is counted, by the real decoder."""
    good = [plain_frames.wire(bytes([n]) * (24 + n)) for n in range(6)]
    streams = [
        b"\x05\x01\x02\x00" + good[1],
        b"\x01\x00\x00\x00" + good[2],
        plain_frames.wire(b"\x07" * 537) + good[3],
        b"\x01" * 5000 + b"\x00" + good[4],
        good[5][:-1] + good[0] + good[1],
    ]
    for _ in range(10):
        stream = bytearray(b"".join(rng.choices(good, k=8)))
        for _ in range(5):
            stream[rng.randrange(len(stream))] = rng.randrange(256)
        streams.append(bytes(stream))
    vectors = []
    for stream in streams:
        taken = Taken()
        decoder = taken.decoder
        decoder.feed(stream, len(stream))
        counts = [decoder.crc_errors, decoder.cobs_errors, decoder.oversize, decoder.short]
        vectors.append({"stream": stream.hex(), "bodies": taken.bodies, "counts": counts})
    return vectors


def message_vectors() -> list[dict[str, object]]:
    """Each kind draws from dice of its own: a new one changes no vector of another."""
    vectors = []
    bits = {"B": 8, "H": 16, "I": 32, "Q": 64}
    for kind, form in sorted(messages.FORMS.items()):
        least, most = messages.TAILS.get(kind, (0, 0))
        dice = random.Random(kind)
        for value in ("least", "most", "random"):
            sizes = [bits[letter] for letter in form[1:]]
            pick = {"least": lambda n: 0, "most": lambda n: 2**n - 1, "random": dice.getrandbits}
            fields = [pick[value](size) for size in sizes]
            tail = dice.randbytes(
                {"least": least, "most": most}.get(value, dice.randint(least, most))
            )
            data = messages.pack(kind, *fields, tail=tail)
            vectors.append({"kind": kind, "fields": fields, "tail": tail.hex(), "data": data.hex()})
    return vectors


def refused_messages() -> list[str]:
    return ["", "00", "7f", "ff0000", "10010000", "1001000000ff", "20010000", "21ff", "90010043"]


def tag_vectors(rng: random.Random) -> list[dict[str, object]]:
    """Frames of a pair, by the plain reference."""
    vectors = []
    for size in (0, 1, 32, 47, 48, 200, 512):
        key, agent, board = rng.randbytes(32), rng.randbytes(8), rng.randbytes(8)
        untagged = rng.randbytes(16 + size)
        keys = plain_frames.hello_key(key), plain_frames.connection_key(key, agent, board)
        vectors.append(
            {
                "pair_key": key.hex(),
                "sessions": [agent.hex(), board.hex()],
                "untagged": untagged.hex(),
                "hello": plain_frames.tag_of(keys[0], untagged).hex(),
                "frame": plain_frames.tag_of(keys[1], untagged).hex(),
            }
        )
    return vectors


class Recorder:
    """One side of the conversation: every call with what it gave and what it told."""

    def __init__(self, name: str, calls: list[list[object]]) -> None:
        self.name = name
        self._calls = calls
        self._told: list[list[object]] = []
        self.link: Link

    def new(
        self, role: int, seed: int, window: int, info: bytes, versions: list[int], key: bytes | None
    ) -> None:
        self.link = Link(
            role,
            Sessions(seed).draw,
            self,
            window=window,
            info=info,
            version_min=versions[0],
            version_max=versions[1],
            pair_key=key,
        )
        given = [role, seed, window, info.hex(), versions, key.hex() if key else ""]
        self._calls.append([self.name, "new", given])

    def call(self, what: str, *arguments: object) -> object:
        """Call the link; bytes go in and out as hex in the record."""
        self._told.clear()
        result = getattr(self.link, what)(*arguments)
        record = [a.hex() if isinstance(a, bytes) else a for a in arguments]
        given = result.hex() if isinstance(result, bytes) else result
        self._calls.append([self.name, what, record, given, list(self._told)])
        return result

    def link_up(self, version: int, info: bytes) -> None:
        self._told.append(["up", version, info.hex()])

    def link_down(self, reason: str) -> None:
        self._told.append(["down", reason])

    def link_message(self, view: memoryview) -> None:
        self._told.append(["message", bytes(view).hex()])


def conversation(rng: random.Random, pair_key: bytes | None) -> list[list[object]]:
    """Two links over a bad line, over the wrap of the ticks, with restarts of both; those that are
    paired meet strangers too."""
    calls: list[list[object]] = []
    sides = [Recorder("agent", calls), Recorder("board", calls)]
    old: list[tuple[int, bytes]] = []
    now = ticks.TICKS_MASK - 5000

    def start(role: int, versions: list[int], key: bytes | None = pair_key) -> None:
        seed = rng.getrandbits(16)
        sides[role].new(role, seed, (4096, 1024)[role], b"role=%d" % role, versions, key)

    def step(step_no: int) -> None:
        role = step_no % 2
        if step_no % 3 == 0 and sides[role].link.up:
            sides[role].call("send", rng.randbytes(rng.choice([1, 5, 60, 250])))
        if step_no % 50 == 20:
            sides[BOARD].call("announce", [0, 700, 1024][step_no // 50 % 3])
        for side in sides:
            side.call("tick", now)
            side.call("deadline", now)
            while (frame := side.call("pull", now)) is not None:
                assert isinstance(frame, bytes)
                carry(1 - side.link._role, frame, STEPS // 3 < step_no < STEPS - 60)

    def carry(to: int, frame: bytes, bad: bool) -> None:
        old.append((to, frame))
        chance = rng.random() if bad else 1.0
        if chance < 0.15:
            return
        if chance < 0.25:
            frame += frame
        elif chance < 0.3:
            frame = bytes([frame[0] ^ 1]) + frame[1:]
        elif chance < 0.4:
            late_to, late = rng.choice(old)
            sides[late_to].call("receive", late, len(late), now)
        sides[to].call("receive", frame, len(frame), now)

    strange = bytes(reversed(pair_key)) if pair_key else None
    start(AGENT, [1, 1])
    start(BOARD, [1, 1], None)
    for step_no in range(STEPS):
        if step_no == 5:
            start(BOARD, [1, 1], strange)
        if step_no == 15:
            start(BOARD, [2, 2])
        if step_no in (30, 120, 320):
            start(BOARD, [1, 1])
        if step_no == 200:
            start(AGENT, [1, 3])
        step(step_no)
        now = ticks.add(now, STEP_MS if step_no != 250 else 3500)
    assert all(side.link.up for side in sides)
    return calls


def build() -> dict[str, object]:
    """Everything in vectors.json."""
    rng = random.Random("wire")
    return {
        "ticks": tick_vectors(),
        "frames": frame_vectors(rng),
        "streams": stream_vectors(rng),
        "messages": message_vectors(),
        "refused_messages": refused_messages(),
        "tags": tag_vectors(rng),
        "conversation": conversation(rng, None),
        "paired": conversation(rng, rng.randbytes(32)),
    }


def text() -> str:
    """The file, one vector a line."""
    parts = []
    for name, value in build().items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in value)
            parts.append(f'"{name}": [\n{lines}\n]')
        else:
            parts.append(f'"{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
