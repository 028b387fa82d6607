"""What happens at a gate is said, shown and recorded, once, also when it has passed; and what the
devices count goes into the terminal's state."""

import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from edge_agent.devices import Devices
from protocol.records import Body, DeviceState
from protocol.state import DeviceCounters
from protocol.wire import messages, states
from tests.agent.agent_process import AgentProcess
from tests.agent.fake_board import FakeBoard
from tests.agent.pty_board import PtyBoard

FIRE = "发生火警，闸门已经打开。请马上离开大厅，不要停留。"
HELD = "闸门没有关上，请不要站在闸门中间。"
FORCED_STATE = (states.FRAUD_ATTEMPT, states.GATE_FORCED)
FIRE_STATE = (states.USER_ERROR, states.GATE_FIRE)
HELD_STATE = (states.USER_ERROR, states.GATE_DOOR_OPEN)


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    made = PtyBoard()
    yield made
    made.stop()


@pytest.fixture
def agent(tmp_path: Path, board: PtyBoard) -> Iterator[AgentProcess]:
    made = AgentProcess(tmp_path, board.path)
    yield made
    made.stop()


def tell(board: PtyBoard, event_no: int, kind: int, state: tuple[int, int]) -> None:
    """The board's event, and the gate's state with it."""

    def told(b: FakeBoard) -> None:
        b.send(messages.DEVICE, states.GATE, *state)  # at once; the event is on flash first
        b.events[event_no] = (kind, 5)
        b._tell_event(event_no)

    board.do(told)


def test_fire_and_doors_are_said_shown_and_recorded_once(
    agent: AgentProcess, board: PtyBoard
) -> None:
    page = agent.start()["kiosk"]
    board.wait(lambda b: b.read is not None)

    def seen() -> str:
        with urllib.request.urlopen(page) as answer:
            return str(answer.read().decode())

    tell(board, 7, states.FIRE_OPENED, FIRE_STATE)
    board.wait(lambda b: b.events == {} and b.said)
    assert "请马上离开大厅" in seen()
    tell(board, 7, states.FIRE_OPENED, FIRE_STATE)  # the acknowledgement got lost
    board.wait(lambda b: b.events == {})
    board.do(lambda b: b.send(messages.DEVICE, states.GATE, states.ONLINE, 0))
    tell(board, 8, states.DOOR_HELD, HELD_STATE)
    board.wait(lambda b: b.events == {} and HELD in [text.decode("gbk") for text in b.said])
    tell(board, 9, states.DOOR_FORCED, FORCED_STATE)
    board.wait(lambda b: b.events == {})
    assert "请马上离开大厅" not in seen()
    assert [text.decode("gbk") for text in board.board.said].count(FIRE) >= 1
    assert agent.stop() == 0
    found = [
        (body.state, body.detail)
        for body in agent.records()
        if isinstance(body, DeviceState) and body.device == states.GATE
    ]
    assert found == [FIRE_STATE, (states.ONLINE, 0), HELD_STATE, FORCED_STATE]


class Kept:
    """A recorder that keeps bodies by intent, as an outbox does."""

    def __init__(self) -> None:
        self.bodies: dict[bytes, Body] = {}

    def append(
        self,
        intent: bytes,
        bodies: Sequence[Body],
        correlation: bytes,
        done: Callable[[object], None],
    ) -> None:
        self.bodies.setdefault(intent, bodies[0])
        done(object())

    def told(self) -> list[tuple[int, int]]:
        return [(b.state, b.detail) for b in self.bodies.values() if isinstance(b, DeviceState)]


def devices() -> tuple[Devices, Kept, list[tuple[int, bool]]]:
    kept, works, count = Kept(), [], iter(range(1000))
    made = Devices(
        kept,  # type: ignore[arg-type]
        lambda size: next(count).to_bytes(size, "big"),
        lambda: 1000,
        lambda device, is_so: works.append((device, is_so)),
    )
    return made, kept, works


def test_a_forced_door_that_is_shut_again_when_it_is_told_ends_in_what_is_so_now() -> None:
    made, kept, _ = devices()
    made.report(states.GATE, states.ONLINE, 0)
    made.happened(b"1" * 16, states.GATE, *FORCED_STATE, lambda _durable: None)
    assert kept.told() == [FORCED_STATE, (states.ONLINE, 0)]


def test_a_state_that_an_event_tells_is_no_second_record() -> None:
    made, kept, works = devices()
    made.report(states.GATE, *FORCED_STATE)
    made.happened(b"1" * 16, states.GATE, *FORCED_STATE, lambda _durable: None)
    made.happened(b"1" * 16, states.GATE, *FORCED_STATE, lambda _durable: None)
    made.report(states.GATE, states.ONLINE, 0)
    assert kept.told() == [FORCED_STATE, (states.ONLINE, 0)]
    assert works == []  # people are let in all the same
    assert made.works(states.GATE)


@pytest.mark.parametrize(
    "condition",
    [
        (states.GATE, states.HARDWARE_ERROR, states.DETAIL_STUCK),
        (states.CASH_ACCEPTOR, states.USER_ERROR, states.SECOND_BILL),
    ],
)
def test_what_may_work_at_the_next_try_is_an_alarm_and_is_tried(
    condition: tuple[int, int, int],
) -> None:
    made, kept, works = devices()
    made.report(*condition)
    assert made.works(condition[0])
    assert works == []
    assert made.alarms()
    assert kept.told() == [condition[1:]]


def test_a_forced_door_is_an_alarm_while_it_is_open() -> None:
    made, _, _ = devices()
    made.report(states.GATE, *FORCED_STATE)
    assert [alarm.code for alarm in made.alarms()] == ["device.gate"]
    made.report(states.GATE, states.ONLINE, 0)
    assert made.alarms() == ()


def test_counters_of_known_devices_are_kept_the_newest_only() -> None:
    made, _, _ = devices()
    made.counted(states.PRINTER, (1, 0, 0))
    made.counted(states.PRINTER, (2, 0, 1))
    made.counted(200, (9,))
    assert made.counters() == (DeviceCounters(states.PRINTER, (2, 0, 1)),)
