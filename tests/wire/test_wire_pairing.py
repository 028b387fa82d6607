"""Between paired sides a frame without the right tag does nothing at all."""

import pytest

from protocol.wire.link import HELLO_MS, LINK_LOST_MS
from tests.wire.link_rig import OURS, PAIR_KEY, PEER, PairedRig, Rig, other
from tests.wire.plain_frames import (
    NOBODY,
    connection_key,
    frame,
    has_tag_of,
    hello,
    hello_key,
    uncobs,
    wire,
)


@pytest.mark.parametrize(
    ("key", "problem"),
    [(None, "unpaired"), (hello_key(b"x" * 32), "pair_key"), (PAIR_KEY, "pair_key")],
)
def test_down_a_hello_not_of_our_pair_is_told_once_and_changes_nothing(
    key: bytes | None, problem: str
) -> None:
    rig = PairedRig()
    for named in (NOBODY, OURS, OURS):
        rig.hear(hello(PEER, named, up=True, key=key))
    assert (rig.told, rig.said(), rig.link.stats.forged) == ([("down", problem)], [], 3)
    assert rig.link.deadline(rig.now) == HELLO_MS
    rig.told.clear()
    rig.go_up()
    rig.hear(hello(other(PEER, 1), OURS, key=key))
    assert (rig.told, rig.said(), rig.link.up) == ([], [], True)


def test_down_unpaired_a_hello_with_a_tag_is_told() -> None:
    rig = Rig(up=False)
    rig.said()
    rig.hear(hello(PEER, OURS, key=hello_key(PAIR_KEY)))
    assert (rig.told, rig.said()) == ([("down", "paired")], [])


def test_what_we_say_carries_the_tag_of_its_key() -> None:
    rig = PairedRig()
    rig.wait(HELLO_MS)
    said = rig.link.pull(rig.now)
    assert said is not None
    assert has_tag_of(hello_key(PAIR_KEY), said)
    rig.go_up()
    rig.link.send(b"x")
    for _ in range(2):
        said = rig.link.pull(rig.now)
        assert said is not None
        assert has_tag_of(rig.key, said)
        rig.link.announce(0)


def test_up_every_bit_of_tag_header_and_payload_counts() -> None:
    rig = PairedRig()
    rig.go_up()
    good = frame(rig.data(1), key=rig.key)
    raw = uncobs(good[:-1])
    assert raw is not None
    for bit in range(8 * (len(raw) - 4)):
        bad = bytearray(raw[:-4])
        bad[bit // 8] ^= 1 << bit % 8
        rig.hear(wire(bytes(bad)))
    for tag in (bytes(8), raw[-12:-8] + bytes(4), b"\xff" * 8):
        rig.hear(frame(rig.data(1), tag=tag))
    rig.hear(wire(raw[:-5]))  # a tag cut short
    assert (rig.told, rig.said()) == ([], [])
    rig.hear(good)
    assert rig.told == [("message", b"open the gate")]


@pytest.mark.parametrize(
    "key",
    [
        None,
        PAIR_KEY,
        hello_key(PAIR_KEY),
        connection_key(PAIR_KEY, PEER, OURS),
        connection_key(PAIR_KEY, OURS, other(PEER, 1)),
        connection_key(b"x" * 32, OURS, PEER),
    ],
)
def test_up_a_tag_of_any_other_key_is_none(key: bytes | None) -> None:
    rig = PairedRig()
    rig.go_up()
    rig.wait(LINK_LOST_MS - 1)
    rig.said()
    rig.hear(frame(rig.data(1), key=key))
    assert (rig.told, rig.said(), rig.link.stats.forged) == ([], [], 1)
    rig.wait(1)
    assert rig.told == [("down", "silent")], "nor does it keep the link alive"
