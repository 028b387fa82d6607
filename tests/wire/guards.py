"""What a link promises, as functions that return how it was broken."""

from protocol.wire.frames import FrameDecoder, encode
from protocol.wire.link import AGENT, BOARD
from tests.wire.link_rig import PairedRig
from tests.wire.lossy_line import Faults, LossyLine
from tests.wire.plain_frames import frame

SEED = 1900
QUIET_MS = 9000


def each_message_comes_once_in_order() -> list[str]:
    """Over a line that repeats, loses and holds back."""
    return _played(Faults(twice=0.3, lost=0.1, late=0.1, late_ms_max=60))


def no_more_on_the_way_than_was_announced() -> list[str]:
    """Over a good line, with a board that has little room."""
    return _played(Faults())


def no_damaged_frame_is_taken() -> list[str]:
    """Every single bit of a frame, flipped."""
    violations = []
    body = bytes(range(40))
    wire = encode(body)
    taken: list[bytes] = []
    decoder = FrameDecoder(lambda n: taken.append(bytes(decoder.body[:n])))
    for bit in range(8 * len(wire)):
        bad = bytearray(wire)
        bad[bit // 8] ^= 1 << bit % 8
        decoder.feed(bytes(bad) + b"\0", len(bad) + 1)
        if taken:
            violations.append(f"bit {bit}: taken as {taken.pop().hex()}")
        taken.clear()
    return violations


def no_forged_frame_is_taken() -> list[str]:
    """By a paired link: without a tag, with a tag of another key, and one that comes again."""
    rig = PairedRig()
    rig.go_up()
    violations = []
    for name, key in (("no tag", None), ("another key", b"x" * 32)):
        rig.hear(frame(rig.data(5), key=key))
        if rig.told:
            violations.append(f"{name}: taken")
            rig.told.clear()
    good = frame(rig.data(6), key=rig.key)
    for _ in range(2):
        rig.hear(good)
    heard = rig.link.stats.repeats
    if heard:
        violations.append(f"a frame that came before was looked at {heard} times")
    return violations


def _played(faults: Faults) -> list[str]:
    line = LossyLine(SEED)
    try:
        line.run(1000)
        for turn in range(40):
            for role in (AGENT, BOARD):
                for size in (12, 40 + turn, 500, 300, 500):
                    line.sides[role].say(size)
            line.run(50, faults)
        line.run(QUIET_MS, until_settled=True)
    except AssertionError as broken:
        return [str(broken)]
    return [] if line.settled else ["not everything came"]
