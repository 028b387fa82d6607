"""Make vectors.json anew: `python -m tests.wire.make_wire_vectors`. Read the difference: whatever
changes here, boards in the field no longer understand.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from protocol.wire import messages, ticks
from protocol.wire.frames import BODY_MAX, BODY_MIN, encode
from protocol.wire.link import AGENT, BOARD, LINK_LOST_MS, RESEND_MS
from tests.wire import micropython_vectors, plain_frames

FILE = Path(__file__).parent / "vectors.json"
START = ticks.TICKS_MASK - 700  # the conversation crosses the wrap
STEP_MS = 20

Json = dict[str, Any]


def bodies(rng: random.Random) -> Iterator[bytes]:
    yield bytes(BODY_MIN)
    yield bytes(BODY_MAX)
    yield b"\xff" * BODY_MAX
    for size in (249, 250, 251, 254, 503, 504, 505, 508):  # with the CRC around one and two blocks
        yield bytes(1 + at % 255 for at in range(size))
    for size in (20, 21, 32, 100, 300, 532):
        yield rng.randbytes(size)
        yield bytes(byte if rng.random() < 0.3 else 0 for byte in rng.randbytes(size))


def frames(rng: random.Random) -> list[Json]:
    return [{"body": b.hex(), "wire": encode(b).hex()} for b in bodies(rng)]


def damage(rng: random.Random) -> list[Json]:
    good = encode(rng.randbytes(60))
    flipped = [bytearray(good) for _ in range(12)]
    for number, wire in enumerate(flipped):
        wire[number * 5] ^= 1 << number % 8
    streams = [
        b"\0\0" + good + b"\0",
        good[:-1] + good,
        good[:20] + b"\0" + good,
        good[20:] + good,
        b"\x01\0" + good,
        b"\xff\0" + good,
        plain_frames.wire(bytes(BODY_MIN - 1)) + good,
        plain_frames.wire(bytes(BODY_MAX + 1)) + good,
        plain_frames.wire(b"\7" * (BODY_MAX + 1)) + good,
        b"\x77" * 3000 + b"\0" + good,
        *(bytes(wire) + b"\0" + good for wire in flipped),
    ]
    found = []
    for stream in streams:
        taken = micropython_vectors.Bodies()
        decoder = taken.decoder
        decoder.feed(stream, len(stream))
        counters = {
            name: getattr(decoder, name)
            for name in ("crc_errors", "cobs_errors", "oversize", "short")
        }
        found.append({"wire": stream.hex(), "bodies": len(taken.found), **counters})
    return found


def messages_of_every_kind(rng: random.Random) -> list[Json]:
    bits = {"B": 8, "H": 16, "I": 32, "Q": 64}
    made = []
    for kind, (_, form, least, most) in sorted(messages.TABLE.items()):
        limits = [2 ** bits[letter] - 1 for letter in form[1:]]
        for fields, size in (
            ([0] * len(limits), least),
            (limits, most),
            ([rng.randrange(limit) for limit in limits], (least + most) // 2),
        ):
            tail = rng.randbytes(size)
            data = messages.pack(kind, *fields, tail=tail)
            made.append({"kind": kind, "fields": fields, "tail": tail.hex(), "bytes": data.hex()})
    return made


def refused(entries: list[Json]) -> list[str]:
    wrong = ["", "00", "ff0000", "1200"]
    for one in entries:
        _, _, least, most = messages.TABLE[one["kind"]]
        if len(one["tail"]) == 2 * least:
            wrong.append(one["bytes"][:-2])
        if len(one["tail"]) == 2 * most:
            wrong.append(one["bytes"] + "00")
    return wrong


def tick_pairs() -> list[list[int]]:
    top = ticks.TICKS_MASK
    half = top // 2
    pairs = [(0, 0), (5, 3), (3, 5), (0, top), (top, 0), (half, 0), (0, half), (half + 1, 0)]
    return [[a, b, ticks.diff(a, b)] for a, b in pairs]


class Recorder:
    """One link, and all that was done to it with what came of it."""

    def __init__(self, role: int, session: int, window: int, info: bytes, versions: int) -> None:
        self.side: Json = {
            "role": role,
            "session": session,
            "window": window,
            "info": info.hex(),
            "version_min": 1,
            "version_max": versions,
            "steps": [],
        }
        self._teller = micropython_vectors.Teller()
        self._link = micropython_vectors.make_link(self.side, self._teller)

    def do(self, name: str, now: int, argument: object = None) -> Any:
        step = [name, now, argument]
        answer = micropython_vectors.act(self._link, step)
        self.side["steps"].append([step, answer, self._teller.taken()])
        return answer


class Conversation:
    """Two recorded links on a line that loses what `lost(number of the frame)` says."""

    def __init__(self) -> None:
        self.now = START
        self.agent = Recorder(AGENT, 0xFFFFFFFF, 4096, b"agent=1", 2)
        self.board = Recorder(BOARD, 0x80000001, 1024, b"firmware=1\nboard=golden", 3)
        self.sides = [self.agent.side, self.board.side]

    def run(self, ms: int, lost: range | tuple[int, ...] = ()) -> None:
        count = 0
        for _ in range(0, ms, STEP_MS):
            for here, there in ((self.agent, self.board), (self.board, self.agent)):
                here.do("tick", self.now)
                while (wire := here.do("pull", self.now)) is not None:
                    if count not in lost:
                        there.do("receive", self.now, wire)
                    count += 1
                here.do("deadline", self.now)
            self.now = ticks.add(self.now, STEP_MS)

    def reboot_board(self, session: int) -> None:
        self.board = Recorder(BOARD, session, 1024, b"firmware=2", 1)
        self.sides.append(self.board.side)


def conversation(entries: list[Json]) -> list[Json]:
    talk = Conversation()
    talk.run(100)
    for one in entries:
        side = talk.board if one["kind"] >= messages.FIRST_OF_BOARD else talk.agent
        side.do("send", talk.now, one["bytes"])
        talk.run(STEP_MS)
    for _ in range(12):
        talk.agent.do("send", talk.now, entries[0]["bytes"])
        talk.board.do("send", talk.now, entries[-1]["bytes"])
    talk.run(3 * RESEND_MS, lost=(1, 2, 5))
    talk.board.do("announce", talk.now, 0)
    talk.agent.do("send", talk.now, entries[0]["bytes"])
    talk.run(3 * RESEND_MS)
    talk.board.do("announce", talk.now, 600)
    talk.run(RESEND_MS)
    talk.reboot_board(0x7FFFFFFF)
    talk.run(400)
    talk.agent.do("send", talk.now, entries[0]["bytes"])
    talk.run(200)
    talk.run(LINK_LOST_MS + 200, lost=range(10**6))
    talk.run(600)
    talk.board.do("send", talk.now, entries[-1]["bytes"])
    talk.run(100)
    return talk.sides


def make() -> Json:
    rng = random.Random(1900)
    entries = messages_of_every_kind(rng)
    return {
        "frames": frames(rng),
        "damage": damage(rng),
        "messages": entries,
        "refused": refused(entries),
        "ticks": tick_pairs(),
        "conversation": conversation(entries),
    }


def written(vectors: Json) -> str:
    """One entry a line, so that a difference can be read."""
    lines = []
    for name, entries in vectors.items():
        if name == "conversation":
            sides = [
                json.dumps({k: v for k, v in side.items() if k != "steps"})[:-1]
                + ', "steps": [\n'
                + ",\n".join(json.dumps(step) for step in side["steps"])
                + "]}"
                for side in entries
            ]
            lines.append(f'"{name}": [\n' + ",\n".join(sides) + "]")
        else:
            rows = ",\n".join(json.dumps(entry) for entry in entries)
            lines.append(f'"{name}": [\n{rows}]')
    return "{" + ",\n".join(lines) + "}\n"


if __name__ == "__main__":
    FILE.write_text(written(make()), "utf-8")
