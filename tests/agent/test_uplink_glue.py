"""The runner between uplink core and outbox, without its thread and line: what is kept, bounded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import uplink_runner
from edge_agent.core.uplink import IDLE
from edge_agent.outbox import Draft, Outbox
from edge_agent.uplink_runner import UplinkRunner
from protocol import topics
from protocol.bundle import Bundle
from protocol.receipts import Receipt, Rewind, sign_receipt, sign_rewind
from protocol.status_list import Scrypt, StatusList, sign_status_list
from tests.agent.outbox_guards import CENTRE, DEVICE, TERMINAL, Clock, open_outbox

BUNDLE = Bundle(TERMINAL, "hall", DEVICE.to_bytes(), CENTRE.public, "127.0.0.1", 9, "A")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = open_outbox(tmp_path / "outbox.db")
    made.append(bytes(16), [Draft(1, 1, b"append")] * 5).result()
    yield made
    made.close()


class Line:
    """Stands where the MQTT connection does; `takes` says whether it takes a message."""

    def __init__(self, runner: UplinkRunner) -> None:
        self.connected = True
        self.takes = True
        self.batches: list[bytes] = []
        runner._mqtt = self  # type: ignore[assignment]

    def publish(self, topic: str, payload: bytes, **_how: object) -> bool:
        if self.takes and topic == topics.up_batch(TERMINAL):
            self.batches.append(payload)
        return self.takes


def receipt(outbox: Outbox, through: int, generation: int = 1) -> bytes:
    pending = outbox.pending(through - 1, 1)
    assert pending is not None
    link = pending.rows[0].link
    answer = Receipt(TERMINAL, generation, pending.epoch_id, through, link, 0, 1)
    return sign_receipt(CENTRE, answer)


def hear(runner: UplinkRunner, answer: bytes) -> None:
    """As the line's thread and then the runner's would."""
    runner._on_message(topics.down_receipt(TERMINAL), answer)
    while not runner._events.empty():
        runner._events.get()()


def test_a_rewind_of_a_restored_centre_is_kept_over_a_restart(outbox: Outbox) -> None:
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock())
    Line(runner)
    runner._connected()
    hear(runner, receipt(outbox, 5))
    assert outbox.settled_seq == 5
    link = outbox.link_at(2)
    assert link is not None
    hear(runner, sign_rewind(CENTRE, Rewind(TERMINAL, 2, 2, link, 1)))
    assert (outbox.settled_seq, outbox.generation) == (2, 2)
    again = UplinkRunner(outbox, BUNDLE, clock=Clock())
    line = Line(again)
    again._connected()
    assert len(line.batches) == 1


def test_openers_that_are_missing_unsettle_nothing(outbox: Outbox) -> None:
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock())
    Line(runner)
    runner._connected()
    hear(runner, receipt(outbox, 3))
    outbox.offer_again(0, 0, lost_records=False).result()
    assert outbox.settled_seq == 3
    pending = outbox.pending(0, 1)
    assert pending is not None
    assert not pending.at_centre


def test_a_batch_that_the_line_refused_is_not_under_way(outbox: Outbox) -> None:
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock())
    line = Line(runner)
    line.takes = False
    runner._connected()
    line.takes = True
    runner._look_for_more()
    assert len(line.batches) == 1


def test_answers_that_wait_are_bounded_and_the_line_recovers(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink_runner, "MESSAGES_WAITING_MAX", 3)
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock())
    Line(runner)
    for _ in range(3):
        for _ in range(10):
            runner._on_message(topics.down_receipt(TERMINAL), b"noise")
        assert runner._events.qsize() == 3
        while not runner._events.empty():
            runner._events.get()()
    assert runner.refused_answers == 9


def test_wishes_are_not_piled_up(outbox: Outbox) -> None:
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock())
    for _ in range(10):
        runner.appended()
        runner.changed()
    assert runner._events.qsize() == 2
    while not runner._events.empty():
        runner._events.get()()
    runner.appended()
    assert runner._events.qsize() == 1


def test_a_list_that_comes_again_costs_no_commit(outbox: Outbox) -> None:
    reloads: list[int] = []
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock(), on_status_list=lambda: reloads.append(1))
    raw = sign_status_list(CENTRE, StatusList(4, 1, 2**40, Scrypt(bytes(16)), {}))
    for _ in range(3):
        runner._take_status_list(raw)
    assert outbox.status_list() == raw
    assert reloads == [1]


def test_no_answer_at_all_leaves_everything_unsettled(outbox: Outbox) -> None:
    runner = UplinkRunner(outbox, BUNDLE, clock=Clock())
    line = Line(runner)
    runner._connected()
    assert len(line.batches) == 1
    assert runner.status().state != IDLE
    assert (runner.status().settled_seq, outbox.settled_seq) == (0, 0)
