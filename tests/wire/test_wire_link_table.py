"""The state table of docs/architecture.md and link.py, one row after the other, frame by frame."""

import re
from pathlib import Path

import pytest

from protocol.wire import link as link_module
from protocol.wire.frames import FRAME_ENCODED_MAX
from protocol.wire.link import (
    AGENT,
    BOARD,
    HELLO_MS,
    HELLO_SLOW_MS,
    INFO_BYTES_MAX,
    KEEP_ALIVE_MS,
    LEFT_MAX,
    LINK_LOST_MS,
    NUMBER_MAX,
    RESEND_MAX,
    RESEND_MS,
    RESEND_MS_MAX,
    Link,
)
from protocol.wire.send_queue import QUEUE_BYTES_MAX, QUEUE_MESSAGES_MAX
from tests.wire.link_rig import OURS, PEER, Rig, other
from tests.wire.plain_frames import (
    ACK,
    DATA,
    FROM_BOARD,
    HELLO,
    NOBODY,
    Frame,
    connection,
    frame,
    hello,
    wire,
)

ROOT = Path(__file__).resolve().parents[2]


def test_down_says_hello_when_due() -> None:
    rig = Rig(up=False)
    assert rig.link.deadline(rig.now) == 0
    assert rig.said_hello() == (0, OURS, NOBODY)
    assert rig.link.deadline(rig.now) == HELLO_MS
    rig.wait(HELLO_MS - 1)
    assert rig.said() == []
    rig.wait(1)
    assert rig.said_hello() == (0, OURS, NOBODY)
    assert rig.told == []


def test_down_hello_not_naming_us_is_answered_by_name() -> None:
    rig = Rig(up=False)
    rig.said()
    for named in (NOBODY, other(OURS, -1)):
        rig.hear(hello(PEER, named))
        assert rig.said_hello() == (0, OURS, PEER)
    assert rig.told == []


@pytest.mark.parametrize("peer_up", [False, True])
def test_down_hello_naming_us_is_up(peer_up: bool) -> None:
    rig = Rig(up=False)
    rig.said()
    rig.hear(hello(PEER, OURS, up=peer_up, info=b"board=x", window=900))
    assert rig.told == [("up", 1, b"board=x")]
    assert rig.link.up
    if peer_up:
        assert rig.said() == []
    else:
        assert rig.said_hello() == (1, OURS, PEER)
    assert rig.link.send(b"x")
    (data,) = rig.said()
    assert data[:6] == (DATA, 0, connection(OURS, PEER), 1, 0, 0)
    assert data.window == 4096


@pytest.mark.parametrize("versions", [(2, 3), (0, 0)])
def test_down_no_common_version_is_told_once_a_session_and_hello_goes_on(
    versions: tuple[int, int],
) -> None:
    rig = Rig(up=False)
    rig.said()
    for _ in range(3):
        rig.hear(hello(PEER, OURS, versions=versions))
    assert rig.told == [("down", "version")]
    assert rig.said_hello() == (0, OURS, PEER)
    rig.wait(HELLO_SLOW_MS - 1)
    assert rig.said() == []
    rig.wait(1)
    assert rig.said_hello() == (0, OURS, PEER)
    rig.hear(hello(other(PEER, 1), OURS, versions=versions))
    assert rig.told == [("down", "version")] * 2
    rig.said()
    rig.hear(hello(other(PEER, 2), OURS, versions=(1, 5)))
    assert rig.told[2:] == [("up", 1, b"")]


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"), [((1, 3), (2, 9), 3), ((2, 9), (1, 3), 3), ((1, 1), (0, 7), 1)]
)
def test_the_highest_common_version_is_taken(
    ours: tuple[int, int], theirs: tuple[int, int], agreed: int
) -> None:
    rig = Rig(up=False, version_min=ours[0], version_max=ours[1])
    rig.hear(hello(PEER, OURS, versions=theirs))
    assert rig.told == [("up", agreed, b"")]
    assert rig.link.version == agreed


def test_up_hello_of_a_peer_that_is_not_up_is_answered() -> None:
    rig = Rig()
    for named, peer_up, answered in [
        (OURS, True, 0),
        (OURS, False, 1),
        (NOBODY, False, 1),
        (b"7" * 8, True, 1),
    ]:
        rig.hear(hello(PEER, named, up=peer_up))
        assert [f.kind for f in rig.said()] == [HELLO] * answered
    rig.hear(hello(PEER, OURS))
    assert rig.said_hello() == (1, OURS, PEER)
    assert rig.told == []


def test_up_hello_of_another_session_not_naming_us_is_only_asked_back() -> None:
    rig = Rig()
    for named in (NOBODY, other(OURS, -1)):
        rig.hear(hello(other(PEER, 5), named, up=True))
        assert rig.said_hello() == (0, OURS, other(PEER, 5))
    assert rig.told == []
    rig.hear_frame(DATA, payload=b"still")
    assert rig.told == [("message", b"still")]


def test_up_hello_of_another_session_naming_us_is_a_reboot() -> None:
    rig = Rig()
    rig.link.send(b"never acked")
    rig.said()
    rig.hear(hello(other(PEER, 5), OURS, up=True))
    assert rig.told == [("down", "peer_reboot"), ("up", 1, b"")]
    assert rig.said() == []
    rig.hear_frame(DATA, payload=b"late")
    assert rig.told[2:] == []
    rig.connection = connection(OURS, other(PEER, 5))
    rig.hear_frame(DATA, payload=b"new")
    assert rig.told[2:] == [("message", b"new")]
    assert rig.said()[0].ack == 1


def test_up_a_session_left_before_is_late() -> None:
    rig = Rig()
    rig.hear(hello(other(PEER, 5), OURS, up=True))
    rig.told.clear()
    for peer_up in (True, False):
        rig.hear(hello(PEER, OURS, up=peer_up))
    assert (rig.told, rig.said(), rig.link.stats.strangers) == ([], [], 2)


def test_up_sessions_left_are_bounded_and_ours_is_renewed_then() -> None:
    rig = Rig()
    for turn in range(1, LEFT_MAX + 1):
        rig.hear(hello(other(PEER, turn), OURS, up=True))
    assert rig.link.up
    rig.hear(hello(other(PEER, LEFT_MAX + 1), OURS, up=True))
    assert not rig.link.up
    assert rig.said_hello() == (0, other(OURS, 1), other(PEER, LEFT_MAX + 1))
    rig.hear(hello(PEER, OURS, up=True))
    assert not rig.link.up
    rig.hear(hello(other(PEER, LEFT_MAX + 1), other(OURS, 1), up=True))
    assert rig.link.up


def test_up_reboot_into_another_version_is_down() -> None:
    rig = Rig()
    rig.hear(hello(other(PEER, 5), OURS, versions=(2, 2)))
    assert rig.told == [("down", "peer_reboot"), ("down", "version")]
    rig.hear(hello(PEER, OURS, up=True))
    assert not rig.link.up, "our session was left with the version"


def test_up_data_in_order_is_delivered_and_acked() -> None:
    rig = Rig()
    for seq, payload in enumerate([b"one", b"two", b"\0" * 512]):
        rig.hear_frame(DATA, seq, payload=payload)
        assert rig.told.pop() == ("message", payload)
        assert [(f.kind, f.seq, f.ack) for f in rig.said()] == [(ACK, 0, seq + 1)]
    assert rig.link.stats.delivered == 3


def test_up_one_ack_for_all_that_came_and_data_carries_it() -> None:
    rig = Rig()
    for seq in range(5):
        rig.hear_frame(DATA, seq, payload=b"x")
    rig.link.send(b"y")
    assert [(f.kind, f.ack) for f in rig.said()] == [(DATA, 5)]


@pytest.mark.parametrize("seq", [0, 2, 3, 0x8000, 0xFFFF])
def test_up_data_old_or_ahead_is_dropped_and_acked(seq: int) -> None:
    rig = Rig()
    rig.hear_frame(DATA, 0, payload=b"one")
    rig.said()
    rig.told.clear()
    rig.hear_frame(DATA, seq, payload=b"again or too early")
    assert rig.told == []
    assert [(f.kind, f.ack) for f in rig.said()] == [(ACK, 1)]
    assert rig.link.stats.repeats == 1


def test_up_new_ack_makes_room_and_wrong_ones_do_nothing() -> None:
    rig = Rig()
    rig.hear_frame(ACK, window=600)
    for text in (b"a", b"b", b"c"):
        rig.link.send(text * 200)
    assert [f.seq for f in rig.said()] == [0, 1]
    for ack in (0, 3, 0x7000, 0xFFFF):
        rig.hear_frame(ACK, ack=ack, window=600)
        assert rig.said() == []
    rig.hear_frame(ACK, ack=1, window=600)
    assert [f.seq for f in rig.said()] == [2]
    rig.hear_frame(ACK, ack=3, window=600)
    assert rig.link.stats.acked == 3
    rig.wait(RESEND_MS * 2)
    assert [f.kind for f in rig.said()] == []


def test_up_unacked_is_sent_again_ever_slower_then_unanswered() -> None:
    rig = Rig()
    for text in (b"a", b"b"):
        rig.link.send(text)
    assert [f.payload for f in rig.said()] == [b"a", b"b"]
    resend_ms = RESEND_MS
    for _ in range(RESEND_MAX):
        rig.wait(resend_ms - 1)
        assert [f for f in rig.said() if f.kind == DATA] == []
        rig.hear_frame(ACK)  # the peer lives
        rig.wait(1)
        assert [f.payload for f in rig.said() if f.kind == DATA] == [b"a", b"b"]
        resend_ms = min(2 * resend_ms, RESEND_MS_MAX)
    rig.wait(resend_ms)
    assert rig.told == [("down", "unanswered")]
    assert rig.said_hello() == (0, other(OURS, 1), NOBODY)
    assert rig.link.stats.resent == 2 * RESEND_MAX


def test_up_an_ack_starts_the_resend_time_again() -> None:
    rig = Rig()
    for text in (b"a", b"b"):
        rig.link.send(text)
    rig.said()
    for _ in range(3):
        rig.wait(RESEND_MS)
        rig.said()
    rig.hear_frame(ACK, ack=1)
    rig.wait(RESEND_MS)
    assert [(f.seq, f.payload) for f in rig.said() if f.kind == DATA] == [(1, b"b")]


def test_up_a_closed_window_is_no_silence() -> None:
    rig = Rig()
    rig.link.send(b"a")
    rig.said()
    for _ in range(100):
        rig.wait(500)
        rig.hear_frame(ACK, window=0)
        assert [f.kind for f in rig.said() if f.kind != ACK] == []
    assert rig.link.up
    rig.hear_frame(ACK, window=29)
    assert rig.said() == [], "one byte is not a frame"
    rig.hear_frame(ACK, window=544)
    assert [f.payload for f in rig.said()] == [b"a"]


def test_up_nothing_heard_is_silent_and_hellos_are_not_heard() -> None:
    rig = Rig()
    rig.wait(LINK_LOST_MS - 10)
    rig.hear(hello(PEER, OURS))
    rig.hear(hello(other(PEER, 9), NOBODY))
    rig.hear_frame(DATA, payload=b"x", connection=connection(other(OURS, -1), PEER))
    rig.wait(9)
    assert rig.told == []
    rig.wait(1)
    assert rig.told == [("down", "silent")]
    assert rig.said_hello() == (0, other(OURS, 1), NOBODY)


@pytest.mark.parametrize("kind", [DATA, ACK])
def test_up_any_frame_of_the_connection_keeps_it(kind: int) -> None:
    rig = Rig()
    for _ in range(3):
        rig.wait(LINK_LOST_MS - 1)
        rig.hear_frame(kind, 99, payload=b"x" if kind == DATA else b"")
    assert rig.told == []


def test_up_keeps_alive_whatever_hellos_it_says() -> None:
    rig = Rig()
    assert rig.link.deadline(rig.now) == KEEP_ALIVE_MS
    acks = 0
    for _ in range(20):
        rig.wait(KEEP_ALIVE_MS // 2)
        rig.hear(hello(PEER, OURS))
        rig.hear_frame(ACK)
        acks += sum(f.kind == ACK for f in rig.said())
    assert acks == 10


def test_up_a_changed_window_is_said_at_once() -> None:
    rig = Rig()
    for window in (0, 0, 700):
        rig.link.announce(window)
    assert [(f.kind, f.window) for f in rig.said()] == [(ACK, 700)]
    rig.link.announce(700)
    assert rig.said() == []


def test_going_down_forgets_and_takes_nothing() -> None:
    rig = Rig()
    rig.link.send(b"lost")
    rig.wait(LINK_LOST_MS)
    assert not rig.link.send(b"refused")
    rig.hear(hello(other(PEER, 1), other(OURS, 1), up=True))
    assert [f.kind for f in rig.said()] == []
    assert rig.link.send(b"first")
    assert [(f.seq, f.payload) for f in rig.said()] == [(0, b"first")]


def bad_frames() -> dict[str, bytes]:
    at = connection(OURS, PEER)

    def one(kind: int, payload: bytes = b"", flags: int = FROM_BOARD) -> bytes:
        return frame(Frame(kind, flags, at, 99, 0, 0, 1000, payload))

    return {
        "unknown type": one(4, b"x"),
        "type 0": one(0, b"x"),
        "DATA of nothing": one(DATA),
        "ACK with payload": one(ACK, b"x"),
        "unknown flag": one(DATA, b"x", flags=FROM_BOARD | 1),
        "our own DATA": one(DATA, b"x", flags=0),
        "short HELLO": frame(Frame(HELLO, FROM_BOARD, 0, 0, 0, 0, 0, bytes(18))),
        "our own HELLO": hello(other(PEER, 1), OURS, role=AGENT),
        "unknown role": hello(other(PEER, 1), OURS, role=2),
        "session 0": hello(NOBODY, OURS),
        "versions upside down": hello(other(PEER, 1), OURS, versions=(2, 1)),
        "nothing in it": wire(bytes(24)),
    }


@pytest.mark.parametrize("name", bad_frames())
def test_any_other_frame_is_counted_and_dropped(name: str) -> None:
    rig = Rig()
    rig.wait(LINK_LOST_MS - 1)
    rig.hear_frame(ACK)
    rig.said()
    rig.hear(bad_frames()[name])
    assert (rig.told, rig.said(), rig.link.stats.refused) == ([], [], 1)
    rig.hear_frame(DATA, payload=b"good")
    assert rig.told == [("message", b"good")]


@pytest.mark.parametrize("half", [1, 1 << 16])
def test_a_connection_that_differs_in_either_half_is_a_stranger(half: int) -> None:
    rig = Rig()
    rig.hear_frame(DATA, payload=b"x", connection=rig.connection ^ half)
    assert (rig.told, rig.link.stats.strangers) == ([], 1)


@pytest.mark.parametrize("number", [1, 0, 0x40000002, 0xFFFFFFFF])
def test_up_a_number_not_above_the_last_is_dropped_without_a_word(number: int) -> None:
    rig = Rig()
    rig.hear_frame(DATA, payload=b"one")
    rig.wait(LINK_LOST_MS - 1)
    rig.said()
    rig.hear_frame(DATA, 1, 5, payload=b"two", number=number, window=0)
    assert (rig.told, rig.said(), rig.link.stats.stale) == ([("message", b"one")], [], 1)
    rig.wait(1)
    assert rig.told[1:] == [("down", "silent")], "nor does it keep the link alive"


def test_up_numbers_rise_with_every_frame_and_the_last_one_ends_the_connection() -> None:
    rig = Rig()
    rig.link.send(b"a")
    rig.link._number = NUMBER_MAX - 2
    assert [f.number for f in rig.said()] == [NUMBER_MAX - 1]
    rig.wait(RESEND_MS)
    assert [f.number for f in rig.said()[:1]] == [NUMBER_MAX]
    assert rig.told == [("down", "worn")]
    assert rig.link._session == other(OURS, 1)


def test_queue_is_bounded_in_messages_and_bytes() -> None:
    rig = Rig()
    assert [rig.link.send(b"x") for _ in range(QUEUE_MESSAGES_MAX + 1)].count(True) == (
        QUEUE_MESSAGES_MAX
    )
    rig = Rig()
    assert [rig.link.send(bytes(512)) for _ in range(100)].count(True) == QUEUE_BYTES_MAX // 512


def test_a_link_that_cannot_work_is_refused() -> None:
    rig = Rig(up=False)
    for role, window, info in [
        (2, 4096, b""),
        (AGENT, FRAME_ENCODED_MAX - 1, b""),
        (AGENT, 65536, b""),
        (BOARD, 1024, bytes(INFO_BYTES_MAX + 1)),
    ]:
        with pytest.raises(ValueError, match=r"role|window|info"):
            Link(role, rig._draw, rig, window=window, info=info)
    with pytest.raises(ValueError, match="pair key of 31 bytes"):
        Link(BOARD, rig._draw, rig, window=1024, pair_key=bytes(31))
    with pytest.raises(ValueError, match="window"):
        rig.link.announce(65536)
    for message in (b"", bytes(513)):
        with pytest.raises(ValueError, match="message"):
            rig.link.send(message)


def test_a_session_of_zeros_is_never_used() -> None:
    rig = Rig(up=False)
    rig.link = Link(AGENT, bytes, rig, window=4096, info=b"agent=1")
    assert rig.said_hello() == (0, b"\xff" * 8, NOBODY)


def test_plan_and_module_show_the_same_table() -> None:
    def rows(text: str) -> list[str]:
        return re.findall(r"^\| (?:DOWN|UP|any) \|.*$", text, re.M)

    plan = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    plan = plan[plan.index("State table of a link") : plan.index("### Board messages")]
    assert rows(link_module.__doc__ or "") == rows(plan)
