"""Every row of the uplink's table."""

import pytest

from edge_agent.core import uplink as ux
from protocol.envelope import LINK_ZERO
from protocol.receipts import Hold, HoldReason, Receipt, Rewind

EPOCH = bytes(16)
CENTRE_MS = 1_764_000_000_000
NOW = 1_000_000


def link(seq: int) -> bytes:
    return seq.to_bytes(32, "big") if seq else LINK_ZERO


def receipt(through: int, generation: int = 1, time_ms: int = CENTRE_MS) -> Receipt:
    return Receipt("t-1", generation, EPOCH, through, link(through), 0, time_ms)


def rewind(seq: int, generation: int = 1) -> Rewind:
    return Rewind("t-1", generation, seq, link(seq), CENTRE_MS)


def hold(reason: int, generation: int = 1) -> Hold:
    return Hold("t-1", generation, 0, reason, CENTRE_MS)


def make(settled: int = 0, head: int = 0, generation: int = 1) -> ux.Uplink:
    return ux.Uplink(settled, generation, lambda: 0.5, head)


def online(settled: int = 0, head: int = 0) -> ux.Uplink:
    uplink = make(settled, head)
    uplink.connected(head, NOW)
    return uplink


def flying(*lasts: int, settled: int = 0) -> ux.Uplink:
    """Connected, with batches up to each of `lasts` under way and nothing else to send."""
    uplink = online(settled, lasts[-1])
    for last in lasts:
        uplink.sent(last, NOW)
    assert uplink.state == ux.FLUSHING
    return uplink


def ask(uplink: ux.Uplink, through: int, own: bytes | None = None) -> ux.Effects:
    return uplink.receipt(receipt(through), own or link(through), NOW + 1)


def test_connected_with_a_backlog_sends_from_the_first_unsettled() -> None:
    uplink = make(settled=7, head=30)
    assert uplink.connected(30, NOW) == [ux.PublishState(), ux.Send(7)]
    assert uplink.state == ux.FLUSHING


def test_connected_with_nothing_at_all_is_idle() -> None:
    uplink = make()
    assert uplink.connected(0, NOW) == [ux.PublishState()]
    assert uplink.state == ux.IDLE


def test_connected_with_all_settled_probes_with_the_last_record() -> None:
    uplink = make(settled=30, head=30)
    assert uplink.connected(30, NOW) == [ux.PublishState(), ux.Send(29)]
    assert uplink.sent(30, NOW) == []
    assert ask(uplink, 30) == []
    assert uplink.state == ux.IDLE


def test_a_probe_that_nobody_answers_is_given_up() -> None:
    uplink = online(settled=30, head=30)
    uplink.sent(30, NOW)
    due_ms = uplink.deadline_ms()
    assert due_ms == NOW + ux.ANSWER_MS
    assert uplink.tick(due_ms) == []
    assert uplink.state == ux.IDLE
    assert uplink.deadline_ms() == due_ms + ux.PROBE_MS


def test_the_window_bounds_what_is_under_way() -> None:
    uplink = online(head=1_000_000)
    sends = [ux.Send(0)]
    last = 0
    while sends:
        last += 10
        sends = uplink.sent(last, NOW)
    assert last == 10 * ux.WINDOW_BATCHES
    assert ask(uplink, 10) == [ux.Settle(receipt(10)), ux.Send(last)]


def test_a_batch_handed_over_settles_nothing() -> None:
    uplink = flying(10, 20)
    assert uplink.settled_seq == 0


def test_a_receipt_settles_and_all_before_it() -> None:
    uplink = flying(10, 20, 30)
    assert ux.Settle(receipt(20)) in ask(uplink, 20)
    assert (uplink.settled_seq, uplink.state) == (20, ux.FLUSHING)
    assert ux.Settle(receipt(30)) in ask(uplink, 30)
    assert (uplink.settled_seq, uplink.state) == (30, ux.IDLE)


def test_a_receipt_again_or_late_settles_nothing_again() -> None:
    uplink = flying(10, 20)
    ask(uplink, 20)
    assert ask(uplink, 20) == []
    assert ask(uplink, 10) == []
    assert uplink.settled_seq == 20


@pytest.mark.parametrize("own", [None, bytes(32), link(9)])
def test_a_receipt_with_another_link_settles_nothing_and_alarms(own: bytes | None) -> None:
    uplink = flying(10)
    effects = uplink.receipt(receipt(10), own, NOW)
    assert effects == [ux.RaiseAlarm(ux.ALARM_LINK)]
    assert (uplink.settled_seq, uplink.state) == (0, ux.SUSPECT)
    assert uplink.receipt(receipt(10), own, NOW + 500) == []
    assert uplink.deadline_ms() == NOW + ux.SUSPECT_MS
    assert uplink.appended(12, NOW + 1) == []
    assert uplink.tick(NOW + ux.SUSPECT_MS) == [ux.Send(0)]
    uplink.sent(10, NOW)
    assert ux.ClearAlarm(ux.ALARM_LINK) in ask(uplink, 10)


def test_a_rewind_with_another_link_alarms_and_sends_nothing() -> None:
    uplink = flying(10, 20)
    assert uplink.rewind(rewind(10), link(9), NOW) == [ux.RaiseAlarm(ux.ALARM_LINK)]
    assert uplink.state == ux.SUSPECT


def test_a_rewind_sends_again_at_most_once_a_second() -> None:
    uplink = flying(10, 20)
    assert uplink.rewind(rewind(0), LINK_ZERO, NOW) == [ux.Send(0)]
    uplink.sent(10, NOW)
    assert uplink.rewind(rewind(0), LINK_ZERO, NOW + ux.REWIND_MS - 1) == []
    assert uplink.rewind(rewind(0), LINK_ZERO, NOW + ux.REWIND_MS) == [ux.Send(0)]


def test_a_restored_centre_gets_all_behind_its_backup_again() -> None:
    uplink = online(settled=50, head=50)
    uplink.sent(50, NOW)
    effects = uplink.rewind(rewind(20, generation=2), link(20), NOW)
    assert effects == [ux.OfferAgain(20, 2), ux.Send(20)]
    assert (uplink.settled_seq, uplink.generation) == (20, 2)


def test_a_receipt_of_a_new_generation_makes_us_ask_at_once() -> None:
    uplink = online(settled=50, head=50)
    uplink.sent(50, NOW)
    assert uplink.receipt(receipt(30, generation=2), link(30), NOW) == [ux.Send(49)]


def test_what_an_earlier_generation_said_counts_for_nothing() -> None:
    uplink = flying(10)
    uplink.rewind(rewind(0, generation=3), LINK_ZERO, NOW)
    uplink.sent(10, NOW)
    assert uplink.receipt(receipt(10, generation=2), link(10), NOW) == []
    assert uplink.rewind(rewind(0, generation=2), LINK_ZERO, NOW + ux.REWIND_MS) == []
    assert uplink.hold(hold(HoldReason.STORE_UNAVAILABLE, generation=2), NOW) == []
    assert (uplink.settled_seq, uplink.state) == (0, ux.FLUSHING)


def test_a_hold_waits_with_jitter_then_sends_again() -> None:
    uplink = flying(10)
    assert uplink.hold(hold(HoldReason.STORE_UNAVAILABLE), NOW) == []
    assert uplink.state == ux.HELD
    assert uplink.appended(11, NOW) == []
    assert uplink.tick(NOW + ux.HOLD_MS - 1) == []
    assert uplink.tick(NOW + ux.HOLD_MS) == [ux.Send(0)]


def test_a_late_receipt_during_a_hold_leaves_no_gap() -> None:
    uplink = flying(10, 20, 30)
    uplink.hold(hold(HoldReason.STORE_UNAVAILABLE), NOW)
    assert ask(uplink, 10) == [ux.Settle(receipt(10)), ux.Send(10)]


def test_a_missing_opener_is_wanted_and_sent_within_a_second() -> None:
    uplink = flying(10)
    assert uplink.hold(hold(HoldReason.OPENER_MISSING), NOW) == [ux.OpenerWanted(0)]
    assert uplink.deadline_ms() == NOW + ux.REWIND_MS


@pytest.mark.parametrize("reason", [HoldReason.UNKNOWN_CENTRE_KEY, HoldReason.TERMINAL_SUSPENDED])
def test_a_hold_that_needs_a_person_alarms_until_a_receipt(reason: HoldReason) -> None:
    uplink = flying(10)
    assert uplink.hold(hold(reason), NOW) == [ux.RaiseAlarm(ux.ALARM_HELD)]
    uplink.tick(NOW + ux.HOLD_MS)
    uplink.sent(10, NOW)
    assert ux.ClearAlarm(ux.ALARM_HELD) in ask(uplink, 10)


def test_silence_sends_one_batch_again_and_waits_ever_longer() -> None:
    uplink = flying(10, 20, 30)
    now_ms, waits = NOW, []
    for _ in range(8):
        due_ms = uplink.deadline_ms()
        assert due_ms is not None
        waits.append(due_ms - now_ms)
        now_ms = due_ms
        assert uplink.tick(now_ms - 1) == []
        assert uplink.tick(now_ms) == [ux.Send(0)]
        assert uplink.sent(10, now_ms) == []
    assert waits[:3] == [ux.ANSWER_MS, 2 * ux.ANSWER_MS, 4 * ux.ANSWER_MS]
    assert waits[-1] == ux.ANSWER_MS_MAX
    assert uplink.receipt(receipt(10), link(10), now_ms)[-1] == ux.Send(10)
    assert uplink.sent(20, now_ms) == [ux.Send(20)]  # the window is open again
    assert uplink.deadline_ms() == now_ms + ux.ANSWER_MS


def test_waits_are_jittered() -> None:
    for draw, share in ((0.0, 0.75), (0.999999, 1.25)):
        uplink = ux.Uplink(0, 1, lambda draw=draw: draw, 5)
        uplink.connected(5, NOW)
        assert uplink.deadline_ms() == pytest.approx(NOW + ux.ANSWER_MS * share, abs=2)


def test_a_line_that_refuses_a_batch_is_asked_again() -> None:
    uplink = online(head=10)
    due_ms = uplink.deadline_ms()
    assert due_ms is not None
    assert uplink.tick(due_ms) == [ux.Send(0)]


def test_idle_sends_what_is_appended() -> None:
    uplink = online()
    assert uplink.appended(3, NOW) == [ux.Send(0)]
    assert uplink.deadline_ms() == NOW + ux.ANSWER_MS


def test_idle_probes_now_and_then() -> None:
    uplink = online(settled=30, head=30)
    uplink.sent(30, NOW)
    ask(uplink, 30)
    due_ms = NOW + 1 + ux.PROBE_MS
    assert uplink.deadline_ms() == due_ms
    assert uplink.tick(due_ms) == [ux.Send(29)]


def test_disconnected_forgets_what_was_under_way() -> None:
    uplink = flying(10, 20)
    assert uplink.disconnected() == []
    assert (uplink.state, uplink.deadline_ms()) == (ux.OFFLINE, None)
    assert ask(uplink, 20) == []
    assert uplink.appended(25, NOW) == []
    assert uplink.settled_seq == 0
    assert uplink.connected(25, NOW) == [ux.PublishState(), ux.Send(0)]


# ---- the centre's time


def test_time_is_learned_from_the_answer_to_a_new_batch() -> None:
    uplink = online()
    uplink.appended(3, NOW)
    uplink.sent(3, NOW)
    assert ux.LearnTime(CENTRE_MS) in ask(uplink, 3)


def test_no_time_is_learned_for_what_an_earlier_life_may_have_sent() -> None:
    uplink = online(head=10)
    uplink.sent(10, NOW)
    assert ask(uplink, 10) == [ux.Settle(receipt(10))]


def test_no_time_is_learned_from_a_batch_sent_twice() -> None:
    uplink = online()
    uplink.appended(3, NOW)
    uplink.sent(3, NOW)
    uplink.tick(NOW + ux.ANSWER_MS)
    uplink.sent(3, NOW + ux.ANSWER_MS)
    effects = uplink.receipt(receipt(3), link(3), NOW + ux.ANSWER_MS + 1)
    assert effects == [ux.Settle(receipt(3))]


def test_no_time_is_learned_from_a_slow_answer() -> None:
    uplink = online()
    uplink.appended(3, NOW)
    uplink.sent(3, NOW)
    effects = uplink.receipt(receipt(3), link(3), NOW + ux.ROUND_TRIP_MS_MAX + 1)
    assert effects == [ux.Settle(receipt(3))]
