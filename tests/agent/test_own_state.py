"""A terminal's own topic says the truth about it, whatever the broker or another terminal does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.outbox import Draft, Outbox, OutboxFailedError
from edge_agent.own_state import ALARM_OTHER_SELF, ALARM_UNREADABLE, OwnState, Seen, Snapshot
from protocol.keys import DeviceKey
from protocol.state import ALARMS_MAX, WILL_NUMBER, Alarm, SignedState, open_state, sign_state
from tests.agent.outbox_guards import DEVICE, TERMINAL, Clock, open_outbox


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = open_outbox(tmp_path / "outbox.db")
    yield made
    made.close()


def own_state(outbox: Outbox, clock: Clock | None = None, snapshot: Snapshot | None = None):
    said = snapshot or Snapshot()
    return OwnState(outbox, TERMINAL, DEVICE, clock or Clock(), lambda: said)


def read(raw: bytes) -> SignedState:
    return open_state(raw, DEVICE.verify_key, TERMINAL)


def test_each_session_outranks_all_before_it_also_after_a_restart(tmp_path: Path) -> None:
    orders = []
    for _ in range(2):
        outbox = open_outbox(tmp_path / "outbox.db")
        own = own_state(outbox)
        for _ in range(2):
            will = own.new_session()
            assert will.retain
            orders += [read(own.next(online=True)).order for _ in range(3)]
            orders.append(read(will.payload).order)
            assert not read(will.payload).state.online
        outbox.close()
    assert orders == sorted(set(orders))
    assert {session for session, _ in orders} == {1, 2, 3, 4}
    assert [number for _, number in orders] == [1, 2, 3, WILL_NUMBER] * 4


def test_sessions_go_on_in_memory_while_the_disk_fails(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_state(outbox)
    own.new_session()

    def fail() -> None:
        raise OutboxFailedError("disk full")

    monkeypatch.setattr(outbox, "next_session", fail)
    assert read(own.new_session().payload).session == 2
    assert read(own.new_session().payload).session == 3
    monkeypatch.undo()
    assert read(own.new_session().payload).session == 4


def test_what_is_seen_is_judged_by_the_table(outbox: Outbox) -> None:
    own = own_state(outbox)
    old_will = own.new_session().payload
    first = own.next(online=True)
    will = own.new_session().payload
    now = own.next(online=True)
    assert own.look_at(old_will) is Seen.REPAIR
    assert own.look_at(first) is Seen.REPAIR
    assert own.look_at(b"spoilt") is Seen.REPAIR
    assert own.look_at(b"") is Seen.REPAIR
    assert own.look_at(now) is Seen.FINE
    assert own.look_at(will) is Seen.RECONNECT
    assert read(own.next(online=True)).state.alarms == ()


def test_another_devices_signature_is_not_ours(outbox: Outbox) -> None:
    own = own_state(outbox)
    own.new_session()
    state = read(own.next(online=True)).state
    forged = sign_state(DeviceKey(bytes(32)), TERMINAL, 900, state)
    assert own.look_at(forged) is Seen.REPAIR
    assert read(own.new_session().payload).session == 2


def test_a_later_session_alarms_and_is_outranked_for_good(outbox: Outbox, tmp_path: Path) -> None:
    clock = Clock()
    own = own_state(outbox, clock)
    own.new_session()
    theirs = sign_state(DEVICE, TERMINAL, 70, read(own.next(online=True)).state)
    assert own.look_at(theirs) is Seen.RECONNECT
    assert read(own.new_session().payload).session == 71
    raised_ms = clock.now_ms
    clock.now_ms += 5_000
    assert own.look_at(theirs) is Seen.REPAIR
    assert read(own.next(online=True)).state.alarms == (Alarm(ALARM_OTHER_SELF, raised_ms),)


def test_the_backlog_is_counted_and_aged(outbox: Outbox) -> None:
    clock = Clock()
    own = own_state(outbox, clock)
    assert read(own.next(online=True)).state.oldest_age_ms == 0
    outbox.append(bytes(16), [Draft(1, 1, b"append")] * 2).result()
    clock.now_ms += 7_000
    state = read(own.next(online=True)).state
    assert (state.first_unsettled_seq, state.backlog, state.oldest_age_ms) == (1, 2, 7_000)


def test_visits_and_commands_are_told_as_the_outbox_has_them(outbox: Outbox) -> None:
    own = own_state(outbox)
    visit, other = Draft(1, 1, b"visit", visit=True), Draft(1, 1, b"other")
    outbox.append(bytes(16), [visit, other, visit]).result()
    outbox.take_command(41).result()
    state = read(own.next(online=True)).state
    assert (state.visits, state.visits_settled, state.commands_through) == (2, 0, 41)
    outbox.append(bytes(15) + b"1", [visit]).result()
    outbox.take_command(40).result()
    state = read(own.next(online=True)).state
    assert (state.visits, state.visits_settled, state.commands_through) == (3, 0, 41)


def test_an_unreadable_outbox_is_an_alarm_and_not_silence(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_state(outbox)
    outbox.append(bytes(16), [Draft(1, 1, b"append")]).result()
    own.next(online=True)

    def fail() -> None:
        raise OutboxFailedError("no disk")

    monkeypatch.setattr(outbox, "backlog", fail)
    state = read(own.next(online=True)).state
    assert state.backlog == 1
    assert [alarm.code for alarm in state.alarms] == [ALARM_UNREADABLE]
    monkeypatch.undo()
    assert read(own.next(online=True)).state.alarms == ()


def test_own_alarms_come_first_when_there_are_too_many(outbox: Outbox) -> None:
    others = tuple(Alarm(f"device_{i}", i) for i in range(ALARMS_MAX))
    own = own_state(outbox, snapshot=Snapshot(alarms=others))
    own.raise_alarm("link_differs")
    own.raise_alarm("link_differs")
    alarms = read(own.next(online=True)).state.alarms
    assert len(alarms) == ALARMS_MAX
    assert alarms[0].code == "link_differs"
    own.clear_alarm("link_differs")
    assert read(own.next(online=True)).state.alarms == others
