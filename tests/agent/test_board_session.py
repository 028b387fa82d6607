"""The agent's wishes reach the board over a bad line and through reboots, effects at most once."""

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import board_events as bx
from edge_agent.core.board_session import BoardSession, parse_info
from edge_agent.core.effect_wishes import (
    ASK_EVERY_MS,
    EFFECTS_MAX,
    PRINT_JOB_BYTES_MAX,
    EffectError,
)
from protocol.wire import messages, states
from tests.agent.fake_board import FakeBoard, Wire

BLOCK = bytes(248) + b"C" + bytes(7)


def joined(loss: float = 0.0, seed: int = 1) -> tuple[BoardSession, FakeBoard, Wire, list]:
    events: list[bx.BoardEvent] = []
    session = BoardSession(random.Random(77).randbytes, b"agent=test\n", events.append)
    board = FakeBoard()
    wire = Wire(session, board, loss, seed)
    wire.run(2_000)
    return session, board, wire, events


def outcomes(events: list) -> list[tuple[int, int]]:
    return [(e.effect_id, e.outcome) for e in events if isinstance(e, bx.EffectResult)]


def test_the_board_says_who_it_is_and_how_its_devices_are() -> None:
    session, _, _, events = joined()
    assert session.up
    info = {"firmware": "test", "id": "fa4e", "help": "lamp,bell,answer"}
    assert bx.LinkUp(1, info) in events
    assert sum(isinstance(e, bx.Device) for e in events) == states.DEVICE_COUNT


def test_a_card_is_read_and_the_read_is_asked_for_again_after_a_reboot() -> None:
    session, board, wire, events = joined()
    session.read_card(5, 0)
    wire.run(200)
    assert board.read == (5, 0)
    board.reboot()
    wire.run(3_000)
    assert board.read == (5, 0)
    board.place_card(BLOCK)
    wire.run(200)
    assert bx.Card(5, BLOCK) in events
    board.reboot()
    wire.run(3_000)
    assert board.read is None  # it ended with its card


def test_a_stopped_read_is_stopped_on_the_board() -> None:
    session, board, wire, _ = joined()
    session.read_card(5, 1_500)
    wire.run(100)
    assert board.read == (5, 15)
    session.stop_read()
    wire.run(100)
    assert board.read is None


def test_a_slip_arrives_whole_over_a_bad_line_and_is_printed_once() -> None:
    for seed in range(5):
        session, board, wire, events = joined(loss=0.15, seed=seed)
        wire.run(5_000)
        slip = bytes(range(256)) * 16
        session.effects.print_slip(9, slip)
        wire.run(30_000)
        assert board.slips == [slip]
        assert outcomes(events) == [(9, states.DONE)]


def test_an_effect_that_had_begun_when_the_board_died_is_unknown_and_not_done_again() -> None:
    session, board, wire, events = joined()
    board.slow = True
    session.effects.pulse(9, 500)
    wire.run(300)
    assert board.done == [("pulse", 9)]
    board.reboot()
    wire.run(5_000)
    assert outcomes(events) == [(9, states.UNKNOWN)]
    assert board.done == [("pulse", 9)]


def test_an_effect_that_never_arrived_is_sent_after_the_reboot() -> None:
    session, board, wire, events = joined()
    wire.cut = True
    session.effects.pulse(9, 500)
    session.effects.print_slip(10, b"slip")
    wire.run(1_000)
    board.reboot()
    wire.cut = False
    wire.run(6_000)
    assert sorted(board.done) == [("print", 10), ("pulse", 9)]
    assert sorted(outcomes(events)) == [(9, states.DONE), (10, states.DONE)]


def test_a_lost_answer_is_asked_for() -> None:
    session, board, wire, events = joined()
    board.slow = True
    session.effects.pulse(9, 500)
    wire.run(300)
    board.journal[9] = states.DONE  # it ended, but its answer got lost on the board
    wire.run(ASK_EVERY_MS + 500)
    assert outcomes(events) == [(9, states.DONE)]


def test_the_outcome_of_an_earlier_life_is_asked_for_and_nothing_is_done() -> None:
    session, board, wire, events = joined()
    board.journal[3] = states.DONE
    session.effects.query(3)
    session.effects.query(4)
    wire.run(300)
    assert sorted(outcomes(events)) == [(3, states.DONE), (4, states.NEVER_SEEN)]
    assert board.done == []


def test_an_abandoned_effect_is_not_sent_any_more() -> None:
    session, board, wire, events = joined()
    wire.cut = True
    wire.run(5_000)
    session.effects.print_slip(9, b"slip")
    wire.run(1_000)
    session.effects.abandon(9)
    wire.cut = False
    wire.run(6_000)
    assert session.up
    assert board.slips == []
    assert outcomes(events) == []


def test_long_speech_is_spoken_part_by_part_and_again_after_a_reboot() -> None:
    session, board, wire, events = joined()
    session.say(1, [b"one", b"two", b"three"], 10, 4)
    wire.run(500)
    assert board.said == [b"one", b"two", b"three"]
    assert events.count(bx.SpeechEnded(1, True)) == 1
    board.silent = True
    session.say(2, [b"four"], 10, 4)
    wire.run(200)
    board.reboot()
    board.silent = False
    wire.run(3_000)
    assert board.said[3:] == [b"four", b"four"]
    assert events.count(bx.SpeechEnded(2, True)) == 1


def test_speech_that_fails_is_reported_and_hush_is_passed_on() -> None:
    session, board, wire, events = joined()
    board.silent = True
    session.say(1, [b"one"], 10, 4)
    wire.run(100)
    board.send(messages.SPEECH, 1, states.SPEECH_FAILED)
    wire.run(100)
    assert bx.SpeechEnded(1, False) in events
    session.say(2, [b"two"], 10, 4)
    wire.run(100)
    session.hush()
    wire.run(100)
    assert board.hushed == 1


def test_an_event_stays_on_the_board_until_it_is_acknowledged() -> None:
    session, board, wire, events = joined()
    board.press_help(4)
    wire.run(200)
    happened = bx.Happened(4, states.HELP_PRESSED, 5, b"")
    assert events.count(happened) == 1
    board.reboot()
    wire.run(3_000)
    assert events.count(happened) == 2  # the terminal sorts that out by the event's number
    session.acknowledge(4)
    wire.run(200)
    assert board.events == {}


def test_a_call_for_help_rings_until_it_is_answered_also_on_a_board_that_rebooted() -> None:
    session, board, wire, _ = joined()
    session.ring_help(7, 500, wire.now)
    wire.run(200)
    session.ring_help(9, states.AGE_UNKNOWN, wire.now)
    wire.run(200)
    session.ring_help(8, 0, wire.now)
    wire.run(2_000)
    assert board.rung[1] == (9, states.AGE_UNKNOWN)
    assert [number for number, _ in board.rung] == [7, 9, 8]
    assert 500 <= board.rung[0][1] < 600
    board.reboot()
    wire.run(3_000)
    assert board.rung[3][0] == 8
    assert 2_000 <= board.rung[3][1] < 6_000
    session.answer_help(8)
    wire.run(200)
    board.reboot()
    wire.run(3_000)
    assert board.shown_answered == [8, 8]
    session.forget_help()
    board.reboot()
    wire.run(3_000)
    assert (len(board.rung), len(board.shown_answered)) == (4, 2)


def test_limits_are_held() -> None:
    session, _, _, _ = joined()
    with pytest.raises(EffectError, match="at most 6400"):
        session.effects.print_slip(1, bytes(PRINT_JOB_BYTES_MAX + 1))
    for number in range(EFFECTS_MAX):
        session.effects.pulse(number + 1, 100)
    with pytest.raises(EffectError, match="16 effects"):
        session.effects.pulse(99, 100)


def test_counters_arrive_as_the_board_counted() -> None:
    _, board, wire, events = joined()
    board.send(messages.COUNTERS, states.PRINTER, tail=struct.pack("<3I", 70, 1, 2**32 - 1))
    wire.run(100)
    assert bx.Counted(states.PRINTER, (70, 1, 2**32 - 1)) in events


def test_nonsense_of_the_board_is_reported_and_harms_nothing() -> None:
    session, board, wire, events = joined()
    board._out.append(b"\x99what")
    board._out.append(messages.pack(messages.HUSH))
    wire.run(200)
    assert sum(isinstance(e, bx.BoardTrouble) for e in events) == 2
    assert session.up
    assert parse_info(b"a=1\nnothing\n b = 2 \n\xff") == {"a": "1", "b": "2"}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_effects_happen_at_most_once_whatever_the_line_and_the_board_do(
    data: st.DataObject,
) -> None:
    session, board, wire, events = joined(loss=0.1, seed=data.draw(st.integers(0, 1000)))
    asked = 0
    for _ in range(data.draw(st.integers(1, 12))):
        action = data.draw(st.sampled_from(["print", "pulse", "reboot", "cut", "mend", "slow"]))
        if action in ("print", "pulse") and asked < 8:
            asked += 1
            if action == "print":
                session.effects.print_slip(asked, b"x" * data.draw(st.integers(1, 700)))
            else:
                session.effects.pulse(asked, 100)
        elif action == "reboot":
            board.reboot()
        elif action in ("cut", "mend"):
            wire.cut = action == "cut"
        else:
            board.slow = not board.slow
        wire.run(data.draw(st.integers(0, 1500)))
    wire.cut, wire.loss, board.slow = False, 0.0, False
    for effect_id, outcome in list(board.journal.items()):
        if outcome == 0:
            board.finish(effect_id)
    wire.run(20_000)
    assert len({effect_id for _, effect_id in board.done}) == len(board.done)
    assert sorted(effect_id for effect_id, _ in outcomes(events)) == list(range(1, asked + 1))
    for effect_id, outcome in outcomes(events):
        happened = any(done == effect_id for _, done in board.done)
        assert happened == (outcome in (states.DONE, states.UNKNOWN)), (effect_id, outcome)
