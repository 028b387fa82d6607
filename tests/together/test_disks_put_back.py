"""Terminal and centre agree, record by record, though its disk is put back at any moment."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import uplink as ux
from protocol.receipts import ExceptionCode
from tests.together.two_sides import TwoSides

ACTIONS = (
    *("append", "append", "append", "up", "up", "up", "down", "down", "down", "wait", "wait"),
    *("repeat up", "repeat down", "lose up", "lose down", "wait long", "line refuses"),
    *("restart terminal", "restart server", "reconnect", "copy disk", "restore disk"),
)
COPIES_MAX = 4
RESTORES_MAX = 6
Step = tuple[str, int]


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[TwoSides]:
    made = TwoSides(tmp_path)
    made.connect()
    yield made
    made.close()


def act(sides: TwoSides, action: str, number: int) -> None:
    match action:
        case "append":
            sides.append(1 + number % 7)
        case "up" if sides.up:
            sides.deliver_up(number % len(sides.up), 1 + number % 3)
        case "repeat up" if sides.up:
            sides.deliver_up(number % len(sides.up), keep=True)
        case "down" | "repeat down" if sides.down and sides.uplink.state != ux.OFFLINE:
            sides.deliver_down(number % len(sides.down), keep=action == "repeat down")
        case "lose up" if sides.up:
            sides.up.pop(number % len(sides.up))
        case "lose down" if sides.down:
            sides.down.pop(number % len(sides.down))
        case "wait":
            sides.wait(number * 30)
        case "wait long":
            sides.wait(number * 5_000)
        case "line refuses":
            sides.line_takes = not sides.line_takes
        case "restart terminal":
            sides.restart_terminal()
        case "restart server":
            sides.restart_server()
        case "reconnect":
            sides.disconnect()
            sides.connect()
        case "copy disk" if len(sides.copies) < COPIES_MAX:
            sides.copy_disk()
        case "restore disk" if sides.copies and sides.restores < RESTORES_MAX:
            sides.restore_disk(number)


def storm_violations(folder: Path, storm: list[Step]) -> list[str]:
    sides = TwoSides(folder)
    try:
        sides.connect()
        for action, number in storm:
            act(sides, action, number)
            if wrong := sides.violations():
                return [f"after {action}: {text}" for text in wrong]
        return [f"in the calm: {text}" for text in sides.calm()]
    finally:
        sides.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 59)), max_size=60))
def test_any_storm_ends_in_one_agreed_history(storm: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert storm_violations(Path(folder), storm) == []


def test_long_storms_with_many_restored_disks(tmp_path: Path) -> None:
    for seed in range(50):
        dice = random.Random(seed)
        storm = [(dice.choice(ACTIONS), dice.randrange(60)) for _ in range(100)]
        assert storm_violations(tmp_path / str(seed), storm) == [], f"seed {seed}"


def test_a_restored_disk_step_by_step(sides: TwoSides) -> None:
    sides.append(5)
    assert sides.calm() == []
    sides.copy_disk()
    sides.append(6)
    assert sides.calm() == []
    main = sides.main()
    assert len(main) == 11
    assert sides.exceptions() == {}

    sides.restore_disk(0)
    assert sides.outbox.head().seq == 5
    sides.append(9)
    assert sides.calm() == []

    assert sides.main() == main
    (branch,) = sides.branches()
    assert (branch.fork_seq, branch.seq) == (5, 14)
    assert len(sides.centre.records()) == 11 + 9
    assert [v.seq for v in sides.centre.visits() if v.held] == list(range(6, 15))
    assert "its disk was restored or cloned" in sides.centre.alarms()[0]
    assert sides.outbox.settled_seq == 14
    assert sides.exceptions() == dict.fromkeys(range(6, 15), int(ExceptionCode.BRANCH_HELD))

    sides.restart_server()
    sides.append(2)
    assert sides.calm() == []
    assert [chain.seq for chain in sides.branches()] == [16]
    assert sides.main() == main


def test_an_old_disk_hears_answers_meant_for_its_later_self(sides: TwoSides) -> None:
    sides.append(3)
    assert sides.calm() == []
    sides.copy_disk()
    sides.append(4)
    sides.deliver_up()  # the receipt through 7 is under way
    sides.restore_disk(0)
    sides.deliver_down()
    assert sides.uplink.state == ux.SUSPECT
    assert sides.alarms == {ux.ALARM_LINK}
    assert sides.outbox.settled_seq == 3
    sides.append(1)
    assert sides.calm() == []
    assert sides.alarms == set()
    assert [row.seq for row in sides.main()] == list(range(1, 8))
    assert [(chain.fork_seq, chain.seq) for chain in sides.branches()] == [(3, 4)]
