"""Whatever the network does, the centre ends with every record once, in order."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.receipts import Hold, Receipt, Rewind
from tests.server.making import STORES, Centre, SimTerminal, centre_keys, new_store

SENDS_MAX = 400


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[int], int, int]:
    """(records an epoch of the terminal, of its restored twin, where it was restored, batch size);
    no twin when its list is empty."""
    epochs = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    twin = draw(st.lists(st.integers(1, 8), max_size=3))
    return epochs, twin, draw(st.integers(0, sum(epochs))), draw(st.integers(1, 7))


def grow(terminal: SimTerminal, epochs: list[int]) -> None:
    for count in epochs:
        terminal.new_epoch()
        for index in range(count):
            if index % 3 == 2:
                terminal.tick()
            else:
                terminal.visit()


def check_answer(terminal: SimTerminal, answer: object) -> None:
    if isinstance(answer, Receipt):
        assert answer.link == terminal.rows[answer.through_seq - 1].link


def drain(centre: Centre, terminal: SimTerminal, size: int) -> None:
    """What an uplink does on a network that works: send, and do what the answers say."""
    at, with_opener = 1, False
    for _ in range(SENDS_MAX):
        if at > len(terminal.rows):
            return
        last = at
        while (
            last < len(terminal.rows)
            and last - at + 1 < size
            and terminal.epoch_of[last] is terminal.epoch_of[at - 1]
        ):
            last += 1
        centre.now_ms += 1_000
        answer = centre.answer(terminal.batch(at, last, opener=with_opener), terminal.name)
        check_answer(terminal, answer)
        if isinstance(answer, Receipt):
            at = answer.through_seq + 1
        elif isinstance(answer, Rewind):
            at = answer.seq + 1
        elif isinstance(answer, Hold):
            with_opener = True
    raise AssertionError(f"not settled after {SENDS_MAX} sends, at {at}")


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), data=st.data())
def test_any_order_ends_with_each_record_once(kind: str, history, data) -> None:
    any_order(kind, history, data)


@pytest.mark.long
@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), data=st.data())
def test_very_many_orders_end_with_each_record_once(kind: str, history, data) -> None:
    any_order(kind, history, data)


def any_order(kind: str, history, data) -> None:
    epochs, twin_epochs, restored_at, size = history
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        centre = Centre(stack.enter_context(new_store(kind, folder)), centre_keys())
        first = SimTerminal(centre.keys)
        centre.enrol(first)
        grow(first, epochs)
        machines = [first]
        if twin_epochs:
            machines.append(first.restored(restored_at))
            grow(machines[1], twin_epochs)
        sent = [(machine, raw) for machine in machines for raw in machine.batches(size)]
        order = data.draw(st.lists(st.integers(-1, len(sent) - 1), max_size=40))
        for index in order:  # -1: the centre starts again
            if index < 0:
                centre.restart()
                continue
            machine, raw = sent[index]
            centre.now_ms += data.draw(st.sampled_from((0, 400, 1_100)))
            check_answer(machine, centre.take(raw).answer)
        for machine in machines:
            drain(centre, machine, size)

        told = {(row.seq, row.link) for machine in machines for row in machine.rows}
        records = centre.records()
        assert sorted((row.seq, row.link) for row in records) == sorted(told)
        main = [row for row in records if row.branch == 0]
        assert [row.seq for row in main] == list(range(1, len(main) + 1))
        visits = centre.visits()
        assert [row[:3] for row in visits] == [row[:3] for row in records if row.kind == 1]
        assert all(row.held == (row.branch > 0) for row in visits)
        branches = len({row.branch for row in records})
        assert len(centre.alarms()) == branches - 1


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 9), order=st.lists(st.integers(0, 30), max_size=60))
def test_both_stores_decide_the_same(size: int, order: list[int]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        centres = [
            Centre(stack.enter_context(new_store(kind, folder)), centre_keys()) for kind in STORES
        ]
        terminal = SimTerminal(centres[0].keys)
        for _ in range(3):
            terminal.new_epoch()
            terminal.visit(9)
        raws = list(terminal.batches(size))
        for centre in centres:
            centre.enrol(terminal)
        for index in order:
            raw = raws[index % len(raws)]
            memory, sqlite = (centre.take(raw) for centre in centres)
            assert memory == sqlite
        assert centres[0].records() == centres[1].records()
        assert centres[0].visits() == centres[1].visits()
