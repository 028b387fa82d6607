"""The terminal's uplink against the centre's intake, both as they ship: settled is stored, once."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.together.hall_pair import Pair

ACTIONS = (
    *("append", "append", "append", "up", "up", "up", "down", "down", "down", "wait"),
    *("lose up", "lose down", "repeat up", "repeat down", "cut", "connect"),
    *("restart terminal", "restart centre"),
)
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9)), max_size=60)


def act(pair: Pair, action: str, number: int) -> None:
    match action:
        case "append":
            pair.append(1 + number % 3)
        case "wait":
            pair.wait(400 * (1 + number))
        case "cut":
            pair.disconnect()
        case "connect":
            pair.disconnect()
            pair.connect()
        case "restart terminal":
            pair.restart()
            pair.connect()
        case "restart centre":
            pair.restart_centre()
        case "up" | "repeat up" if pair.up:
            pair.deliver_up(number % len(pair.up), keep=action == "repeat up")
        case "down" | "repeat down" if pair.down:
            pair.deliver_down(number % len(pair.down), keep=action == "repeat down")
        case "lose up" if pair.up:
            pair.up.pop(number % len(pair.up))
        case "lose down" if pair.down:
            pair.down.pop(number % len(pair.down))


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_settled_is_stored_once_over_any_line(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            for action, number in steps:
                act(pair, action, number)
                assert pair.pair_violations() == []
            assert pair.settle_all() == []
            assert len(pair.real.visits()) == pair.outbox.head().seq
            assert pair.real.alarms() == []
        finally:
            pair.close()


@settings(max_examples=15, deadline=None)
@given(STEPS, st.integers(1, 4), st.integers(1, 4))
def test_a_restored_disk_becomes_a_branch_and_loses_nothing(
    steps: list[tuple[str, int]], before: int, after: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            pair.append(before)
            assert pair.settle_all() == []
            disk = pair.keep_disk()
            for action, number in steps:
                act(pair, action, number)
            pair.append(after)
            assert pair.settle_all() == []
            main = pair.real.links()
            pair.put_back(disk)
            pair.append(after)
            assert pair.settle_all() == []
            assert pair.real.links() == main, "the main branch is as it was"
            assert sorted(pair.real.links(branch=1)) == list(range(before + 1, before + after + 1))
            assert pair.was_branch_held
            assert len(pair.real.alarms()) == 1
            held = [visit for visit in pair.real.visits() if visit.held]
            assert len(held) == after
        finally:
            pair.close()


def test_a_receipt_lost_with_the_centres_process_comes_again(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.connect()
    pair.append(3)
    pair.deliver_up()
    pair.restart_centre()
    assert pair.outbox.settled_seq == 0
    assert pair.settle_all() == []
    assert len(pair.real.visits()) == 3
    pair.close()


def test_a_terminal_that_dies_in_its_backlog_goes_on(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.append(40)
    pair.connect()
    pair.deliver_up()
    pair.restart()
    assert pair.settle_all() == []
    assert len(pair.real.visits()) == 40
    pair.close()
