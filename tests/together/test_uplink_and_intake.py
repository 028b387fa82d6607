"""Terminal and centre agree, record by record, whatever the network, restarts and old disks do."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import uplink as ux
from protocol.receipts import ExceptionCode
from sync_server.core.codes import IntakeCode
from tests.together.two_sides import TwoSides

ACTIONS = (
    *("append", "append", "append", "up", "up", "up", "down", "down", "down", "wait", "wait"),
    *("repeat up", "repeat down", "lose up", "lose down", "wait long", "line refuses"),
    *("restart terminal", "restart server", "reconnect", "copy disk", "restore disk"),
)
NO_DISKS = tuple(action for action in ACTIONS if not action.endswith("disk"))
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


@settings(max_examples=25, deadline=None)
@given(
    *(st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)),
    st.lists(st.tuples(st.sampled_from(NO_DISKS), st.integers(0, 59)), max_size=20),
)
def test_a_disk_older_than_the_centre_ends_as_a_held_branch(
    before: int, lost: int, after: int, storm: list[Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sides = TwoSides(Path(folder))
        try:
            sides.connect()
            if before:
                sides.append(before)
            sides.copy_disk()
            sides.append(lost)
            assert sides.calm() == []
            main = sides.main()
            sides.restore_disk(0)
            for action, number in storm:
                act(sides, action, number)
                assert sides.violations() == []
            sides.append(after)
            assert sides.calm() == []
            assert sides.main() == main
            (branch,) = sides.branches()
            assert (branch.fork_seq, branch.seq) == (before, sides.outbox.settled_seq)
        finally:
            sides.close()


@pytest.mark.parametrize(
    "seeds", [range(8), pytest.param(range(8, 100), marks=pytest.mark.long)], ids=["few", "many"]
)
def test_long_storms_with_many_restored_disks(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
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


def test_a_server_that_dies_between_commit_and_receipt(sides: TwoSides) -> None:
    sides.append(10)
    sides.deliver_up(count=3)
    assert len(sides.main()) == 10
    sides.down.clear()  # it died before it published
    sides.restart_server()
    assert sides.outbox.settled_seq == 0
    assert sides.calm() == []
    assert len(sides.main()) == 10
    assert sides.branches() == []
    counts = sides.centre.store.tables.counts
    assert counts[1, IntakeCode.ACCEPTED][0] == 3
    assert (1, IntakeCode.DUPLICATE) in counts


def test_a_terminal_that_dies_in_the_middle_of_its_backlog(sides: TwoSides) -> None:
    for _ in range(9):
        sides.append(30)  # more than one epoch
    while sides.outbox.settled_seq < 100:
        sides.deliver_up()
        sides.deliver_down()
    sides.deliver_up(count=2)  # stored; the receipts never arrive
    settled = sides.outbox.settled_seq
    assert len(sides.main()) == settled + 8
    sides.restart_terminal()
    assert sides.outbox.settled_seq == sides.uplink.settled_seq == settled
    sides.append(1)
    assert sides.calm() == []
    assert [row.seq for row in sides.main()] == list(range(1, 272))
    assert sides.branches() == []
