"""The uplink over a real broker: only what the centre signed, and fits our own chain, counts."""

import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_agent.core import uplink as ux
from protocol import topics
from protocol.batch import BATCH_RECORDS_MAX
from protocol.state import WILL_NUMBER
from tests.agent.live_uplink import LiveCentre, Terminal, broker_on, wait_until
from tests.agent.outbox_tools import NOON_MS, OTHER_KEYS, put

NAMES = (f"gate-{number}" for number in itertools.count(100))
SETTLE_TIME_S = 0.3


class Site(NamedTuple):
    """A terminal that is not started yet, and its centre."""

    terminal: Terminal
    centre: LiveCentre
    port: int

    def start(self) -> None:
        self.terminal.runner.start()
        wait_until(lambda: bool(self.centre.states), "the first state")

    def append(self, *people: int) -> int:
        seq = put(self.terminal.outbox, *people).last_seq
        self.terminal.runner.appended()
        return seq

    def alarms(self) -> set[str]:
        return {alarm.code for alarm in self.centre.newest.state.alarms}


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = a_free_port()
    with broker_on(port, tmp_path_factory.mktemp("broker") / "log"):
        yield port


@pytest.fixture
def site(broker_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(ux, "ANSWER_MS", 400)  # a test has no seconds to wait for a repetition
    name = next(NAMES)
    centre = LiveCentre(broker_port, name)
    terminal = Terminal(tmp_path, broker_port, name)
    yield Site(terminal, centre, broker_port)
    terminal.stop()
    centre.close()


def test_a_backlog_settles_over_epochs_and_then_each_record_as_it_comes(site: Site) -> None:
    for first in range(0, 420, 60):
        put(site.terminal.outbox, *range(first, first + 60))
    site.start()
    site.terminal.wait_settled(420)
    assert max(len(batch.rows) for batch in site.centre.batches) == BATCH_RECORDS_MAX
    last = site.append(500)
    site.terminal.wait_settled(last)
    assert site.centre.batches[-1].opener is None  # its hash is enough by now
    assert max(site.centre.links) == last
    assert site.centre.links[last] == site.terminal.outbox.head().link
    assert site.terminal.runner.status().settled_seq == last


def test_a_puback_settles_nothing(site: Site) -> None:
    site.centre.mute = True
    site.append(1, 2)
    site.start()
    wait_until(lambda: len(site.centre.batches) >= 2, "the batch, and the batch again")
    assert site.terminal.outbox.settled_seq == 0
    assert site.terminal.runner.status().settled_seq == 0
    site.centre.mute = False
    site.terminal.wait_settled(2)


def test_answers_that_the_centre_did_not_sign_for_us_are_refused_and_counted(site: Site) -> None:
    site.centre.mute = True
    site.append(1)
    site.start()
    wait_until(lambda: bool(site.centre.batches), "a batch")
    batch = site.centre.batches[0]
    good = site.centre.receipt(batch)
    for raw in (
        site.centre.receipt(batch, keys=OTHER_KEYS),
        site.centre.receipt(batch, terminal="gate-999"),
        good[:-1] + bytes((good[-1] ^ 1,)),
        b"",
    ):
        site.centre.answer(raw)
    wait_until(lambda: site.terminal.runner.refused_answers == 4, "four refusals")
    assert site.terminal.outbox.settled_seq == 0
    assert site.terminal.times_heard == []
    site.centre.answer(good)
    site.terminal.wait_settled(1)


def test_a_receipt_of_another_history_settles_nothing_and_raises_an_alarm(site: Site) -> None:
    site.centre.mute = True
    site.append(1)
    site.start()
    wait_until(lambda: bool(site.centre.batches), "a batch")
    batch = site.centre.batches[0]
    site.centre.answer(site.centre.receipt(batch, link=b"another history, but of this key"))
    wait_until(lambda: site.alarms() == {ux.ALARM_LINK}, "the alarm in the state")
    assert site.terminal.outbox.settled_seq == 0
    assert site.terminal.runner.status().state == ux.SUSPECT
    site.centre.answer(site.centre.receipt(batch))
    site.terminal.wait_settled(1)
    wait_until(lambda: site.alarms() == set(), "the alarm gone from the state")


def test_a_restored_centre_is_offered_again_what_it_lost(site: Site) -> None:
    site.start()
    for person in range(3):
        site.append(person)
    site.terminal.wait_settled(3)
    with site.centre._lock:
        site.centre.generation = 2
        for seq in (2, 3):
            del site.centre.links[seq]
    last = site.append(10)
    site.terminal.wait_settled(last)
    assert sorted(site.centre.links) == [0, 1, 2, 3, 4]
    assert site.terminal.outbox.generation == 2


def test_only_fresh_receipts_teach_time(site: Site) -> None:
    site.start()
    site.append(1)
    site.terminal.wait_settled(1)
    wait_until(lambda: site.terminal.times_heard == [NOON_MS], "the centre's time")
    for _ in range(3):
        site.centre.answer(site.centre.receipt(site.centre.batches[0]))
    last = site.append(2)
    site.terminal.wait_settled(last)
    assert site.terminal.times_heard == [NOON_MS, NOON_MS]


def test_the_state_is_retained_and_whole(site: Site) -> None:
    site.centre.mute = True
    site.append(1, 2)
    site.start()
    found = site.centre.retained(site.port)
    assert found.session == 1
    assert found.state.online
    assert (found.state.first_unsettled_seq, found.state.backlog) == (1, 2)
    assert found.state.versions == {"agent": "1"}


def test_the_centre_hears_soon_what_is_settled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only with the next state in half a minute: the truth line at the centre lives of it."""
    monkeypatch.setattr("edge_agent.uplink_runner.STATE_AFTER_SETTLE_MS", 300)
    site.append(1, 2)
    site.start()
    site.terminal.wait_settled(2)
    wait_until(
        lambda: site.centre.states[-1].state.first_unsettled_seq == 3, "a state that says so"
    )


def test_a_lost_connection_is_declared_dead_by_its_will_and_comes_back_newer(site: Site) -> None:
    site.start()
    site.terminal.runner._mqtt.reconnect()  # without a goodbye
    wait_until(lambda: len([s for s in site.centre.states if s.state.online]) >= 2, "the return")
    will = next(s for s in site.centre.states if not s.state.online)
    assert will.order == (1, WILL_NUMBER)
    assert site.centre.newest.session == 2
    assert site.centre.retained(site.port).state.online
    site.append(1)
    site.terminal.wait_settled(1)


def test_an_older_sessions_late_will_is_repaired(site: Site) -> None:
    site.start()
    site.terminal.runner._mqtt.reconnect()
    wait_until(lambda: site.centre.newest.session == 2, "the second session")
    time.sleep(SETTLE_TIME_S)
    site.centre.say_state(1, WILL_NUMBER, online=False)
    wait_until(lambda: not site.centre.newest.state.online, "the late will")
    wait_until(lambda: site.centre.newest.state.online, "the repair")
    assert site.centre.newest.session == 2
    assert site.centre.retained(site.port).state.online


def test_what_spoilt_our_topic_is_repaired(site: Site) -> None:
    site.start()
    before = site.centre.newest.state.number
    topic = topics.up_state(site.terminal.bundle.terminal)
    site.centre._client.unsubscribe(topic)
    site.centre.publish(topic, b"not a state", retain=True)
    wait_until(lambda: site.terminal.runner._own._number > before, "another state")
    time.sleep(SETTLE_TIME_S)
    assert site.centre.retained(site.port).state.number > before


def test_a_state_from_a_later_session_raises_an_alarm_and_is_outranked(site: Site) -> None:
    site.start()
    site.centre.say_state(50, 7, online=True)
    wait_until(lambda: site.centre.newest.session == 51, "a session above it")
    wait_until(lambda: site.alarms() == {"session_from_elsewhere"}, "the alarm")


def test_a_graceful_stop_publishes_death(site: Site) -> None:
    site.start()
    site.append(1)
    site.terminal.wait_settled(1)
    site.terminal.runner.stop()
    wait_until(lambda: not site.centre.newest.state.online, "the goodbye")
    time.sleep(SETTLE_TIME_S)
    found = site.centre.retained(site.port)
    assert (found.state.online, found.session, found.state.backlog) == (False, 1, 0)
    assert found.state.number != WILL_NUMBER  # it said so itself


def test_only_a_signed_and_newer_status_list_is_kept(site: Site) -> None:
    site.start()
    newer = site.centre.say_status_list(2)
    wait_until(lambda: site.terminal.outbox.status_list() == newer, "the list")
    heard = site.terminal.lists_heard
    assert heard >= 1
    site.centre.say_status_list(9, OTHER_KEYS)
    older = site.centre.say_status_list(1)
    wait_until(lambda: site.terminal.lists_heard > heard, "the older list, looked at")
    assert site.terminal.outbox.status_list() == newer != older


def test_a_broker_that_dies_and_returns_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ux, "ANSWER_MS", 400)
    port, name = a_free_port(), next(NAMES)
    terminal = Terminal(tmp_path, port, name)
    terminal.runner.start()
    put(terminal.outbox, 1)
    with broker_on(port, tmp_path / "log"):
        centre = LiveCentre(port, name)
        terminal.wait_settled(1)
    wait_until(lambda: not terminal.runner.status().connected, "the loss of the line")
    put(terminal.outbox, 2)
    terminal.runner.appended()
    assert terminal.runner.status().state == ux.OFFLINE
    with broker_on(port, tmp_path / "log"):
        terminal.wait_settled(2)
        terminal.stop()
        centre.close()
