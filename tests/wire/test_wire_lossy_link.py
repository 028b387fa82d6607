"""Two links over any line: each message once and in order within its connection, never more on
the line than was announced, and whole again when the faults are over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.wire.link import (
    AGENT,
    BOARD,
    HELLO_MS,
    KEEP_ALIVE_MS,
    LINK_LOST_MS,
    RESEND_MS,
    RESEND_MS_MAX,
)
from tests.wire.lossy_line import NO_FAULTS, Faults, LossyLine

HEAL_MS_MAX = 3 * LINK_LOST_MS

CHANCE = st.sampled_from([0.0, 0.02, 0.1, 0.3])
FAULTS = st.builds(
    Faults,
    lost=CHANCE,
    twice=CHANCE,
    late=CHANCE,
    garbled=CHANCE,
    cut=CHANCE,
    replayed=CHANCE,
    late_ms_max=st.sampled_from([50, 400, 4000]),
)
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from([AGENT, BOARD]), st.integers(12, 512)),
        st.tuples(st.just("burst"), st.sampled_from([AGENT, BOARD]), st.integers(12, 300)),
        st.tuples(st.just("restart"), st.sampled_from([AGENT, BOARD]), st.just(0)),
        st.tuples(st.just("window"), st.just(BOARD), st.sampled_from([0, 0, 540, 700, 2000])),
        st.tuples(st.just("wait"), st.just(0), st.sampled_from([30, 300, 3500])),
    ),
    min_size=1,
    max_size=25,
)


def happen(line: LossyLine, what: str, role: int, amount: int, faults: Faults) -> None:
    side = line.sides[role]
    if what == "say":
        side.say(amount)
    elif what == "burst":
        for _ in range(40):
            side.say(amount)
    elif what == "restart":
        side.start()
    elif what == "window":
        side.link.announce(amount)
    line.run(max(30, amount if what == "wait" else 0), faults)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), FAULTS, HAPPENINGS)
def test_once_in_order_within_credit_and_whole_after_the_faults(
    seed: int, faults: Faults, happenings: list[tuple[str, int, int]]
) -> None:
    line = LossyLine(seed)
    for what, role, amount in happenings:
        happen(line, what, role, amount, faults)
    line.sides[BOARD].link.announce(1024)
    line.run(faults.late_ms_max)  # what was held back comes now
    line.run(HEAL_MS_MAX, until_settled=True)
    for side in line.sides:
        for size in (12, 100, 512):
            side.say(size)
    line.run(HEAL_MS_MAX, until_settled=True)
    assert line.settled
    assert all(len(side.sent[side.connection]) >= 3 for side in line.sides)


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_still_carries_a_thousand_messages(seed: int) -> None:
    line = LossyLine(seed)
    faults = Faults(lost=0.05, twice=0.05, garbled=0.02, late=0.05, late_ms_max=60)
    line.run(1000)
    left = [500, 500]
    while any(left) and line.elapsed_ms < 300_000:
        for side in line.sides:
            while left[side.role] and side.say(12 + left[side.role] % 90):
                left[side.role] -= 1
        line.run(50, faults)
    line.run(HEAL_MS_MAX, until_settled=True)
    assert line.settled
    assert [side.downs for side in line.sides] == [0, 0]
    assert sum(len(side.got[side.connection]) for side in line.sides) == 1000


def test_frames_of_any_earlier_connection_do_nothing() -> None:
    """Everything ever said, HELLOs of the last lives too, comes again while the link is up."""
    line = LossyLine(7)
    for restarted in (BOARD, AGENT, BOARD, BOARD):
        line.run(600)
        line.sides[AGENT].say(40)
        line.sides[BOARD].say(50)
        line.run(200)
        assert line.settled
        line.sides[restarted].start()
    line.run(600)
    downs = [side.downs for side in line.sides]
    got = [len(side.got[side.connection]) for side in line.sides]
    for to in (AGENT, BOARD):
        for wire in line._ever[to]:
            line.sides[to].link.receive(wire, len(wire), line.now)
    line.run(2 * LINK_LOST_MS)
    assert [side.downs for side in line.sides] == downs
    assert [len(side.got[side.connection]) for side in line.sides] == got
    assert line.settled


def test_seq_goes_round_without_a_seam() -> None:
    line = LossyLine(3)
    line.run(500)
    agent, board = line.sides
    for side, other in ((agent, board), (board, agent)):
        side.link._queue.seq = other.link._next_in = 0xFFF0
        side.credit.first = 0xFFF0
    for _ in range(10):
        for side in line.sides:
            for size in (12, 60, 13, 300):
                side.say(size)
        line.run(100, Faults(lost=0.1, twice=0.2))
    line.run(HEAL_MS_MAX, until_settled=True)
    assert line.settled
    assert agent.link._queue.seq < 0x100
    assert len(agent.got[agent.connection]) == 40


def test_an_opening_ack_that_is_lost_is_said_again() -> None:
    line = LossyLine(5)
    line.run(500)
    agent, board = line.sides
    board.link.announce(0)
    line.run(50)
    agent.say(100)
    line.run(10 * RESEND_MS_MAX)
    assert board.got[board.connection] == []
    assert line.sides[AGENT].link.stats.resent == 0
    board.link.announce(1024)
    line.run(20, Faults(lost=1.0))
    line.run(KEEP_ALIVE_MS + 50)
    assert board.got[board.connection] == agent.sent[agent.connection]
    assert agent.downs == board.downs == 0


def test_what_was_in_flight_when_the_window_closed_is_acked_or_sent_again() -> None:
    line = LossyLine(6)
    line.run(500)
    agent, board = line.sides
    for _ in range(3):
        agent.say(200)
    line.run(10, Faults(lost=1.0))
    board.link.announce(0)
    line.run(2000)
    assert board.got[board.connection] == []
    board.link.announce(600)
    line.run(1500)
    assert line.settled
    assert agent.downs == 0


def test_one_dead_direction_brings_both_down_and_back() -> None:
    line = LossyLine(8)
    line.run(500)
    agent, board = line.sides
    board.link.pull = lambda now: None  # type: ignore[method-assign]
    line.run(LINK_LOST_MS + 500)
    assert agent.reasons == ["silent"]
    del board.link.pull  # type: ignore[attr-defined]
    line.run(2 * HELLO_MS + 200)
    assert line.settled
    assert board.reasons == ["peer_reboot"]


def test_a_clean_line_is_up_in_four_frames_and_sends_nothing_twice() -> None:
    line = LossyLine(9)
    line.run(50)
    assert line.settled
    assert sum(len(ever) for ever in line._ever) <= 6
    for _ in range(30):
        line.sides[AGENT].say(100)
        line.sides[BOARD].say(100)
    line.run(RESEND_MS)
    assert line.settled
    assert all(s.link.stats.resent == s.link.stats.repeats == 0 for s in line.sides)
    before = sum(len(ever) for ever in line._ever)
    line.run(10 * KEEP_ALIVE_MS, NO_FAULTS)
    assert sum(len(ever) for ever in line._ever) - before <= 2 * 11
