"""One ticket a person, matter and day in a hall stands; the other is kept, honoured and seen."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.receipts import ExceptionCode, Receipt
from protocol.records import TimeQuality
from sync_server.core.store_port import TicketRow
from sync_server.core.unique import DECIDE_MS, SAME_NUMBER, SAME_PERSON
from tests.server.guards import Answers, message_of, worker_of
from tests.server.making import (
    DAY,
    NOON_MS,
    STORES,
    UNIT,
    Centre,
    SimTerminal,
    centre_keys,
    new_store,
    ticket,
)
from tests.server.test_server_intake_disorder import drain

OTHER_HALL = "dongguan/songshanhu/hall-1"


def two_terminals(centre: Centre, other_unit: str = UNIT) -> tuple[SimTerminal, SimTerminal]:
    made = SimTerminal(centre.keys, "gate-1"), SimTerminal(centre.keys, "gate-2")
    centre.enrol(made[0])
    centre.enrol(made[1], other_unit)
    return made


def take_all(centre: Centre, *terminals: SimTerminal) -> list[tuple[tuple[int, int], ...]]:
    """Exceptions of each receipt, in order."""
    answers = [
        centre.answer(terminal.batch(1, len(terminal.rows)), terminal.name)
        for terminal in terminals
    ]
    assert all(isinstance(answer, Receipt) for answer in answers)
    return [answer.exceptions for answer in answers if isinstance(answer, Receipt)]


def standing(centre: Centre) -> list[str]:
    return [row.number for row in centre.tickets().values() if row.stands]


@pytest.mark.parametrize("first", [0, 1])
def test_the_first_that_is_receipted_stands_and_the_other_is_a_conflict(
    centre: Centre, first: int
) -> None:
    terminals = two_terminals(centre)
    for terminal, number, age_ms in zip(terminals, ("A-001", "B-001"), (9, 5), strict=True):
        terminal.tick()
        terminal.append(ticket(number), NOON_MS - age_ms)
    ordered = terminals if first == 0 else terminals[::-1]
    numbers = ["A-001", "B-001"] if first == 0 else ["B-001", "A-001"]
    assert take_all(centre, *ordered) == [(), ((2, ExceptionCode.CONFLICT),)]
    assert standing(centre) == numbers[:1]
    assert [row.number for row in centre.tickets().values()] == numbers
    (conflict,) = centre.conflicts()
    assert (conflict.reason, conflict.unit) == (SAME_PERSON, UNIT)
    assert conflict.deadline_ms == centre.now_ms + DECIDE_MS
    assert (conflict.first_ticket, conflict.later_ticket) == (1, 2)
    assert len(centre.visits()) == 2, "both people were told, both visits count"
    assert all(not visit.held for visit in centre.visits())


def test_a_batch_that_comes_again_hears_of_its_conflict_again(centre: Centre) -> None:
    first, second = two_terminals(centre)
    first.append(ticket("A-001"))
    second.append(ticket("B-001"))
    for _ in range(2):
        assert take_all(centre, first, second) == [(), ((1, ExceptionCode.CONFLICT),)]
        centre.restart()
    assert len(centre.conflicts()) == 1


@pytest.mark.parametrize(
    "other",
    [
        ticket("B-001", 1),
        ticket("B-001", matter="housing"),
        ticket("B-001", day="2026-08-03"),
    ],
    ids=["person", "matter", "day"],
)
def test_another_person_matter_or_day_is_no_conflict(centre: Centre, other) -> None:
    first, second = two_terminals(centre)
    first.append(ticket("A-001"))
    second.append(other)
    assert take_all(centre, first, second) == [(), ()]
    assert standing(centre) == ["A-001", "B-001"]
    assert centre.conflicts() == []


def test_each_hall_has_its_own_numbers_and_people(centre: Centre) -> None:
    first, second = two_terminals(centre, OTHER_HALL)
    first.append(ticket("A-001"))
    second.append(ticket("A-001"))
    assert take_all(centre, first, second) == [(), ()]
    assert standing(centre) == ["A-001", "A-001"]
    assert centre.conflicts() == []


def test_several_of_one_person_in_one_batch(centre: Centre) -> None:
    (first, _) = two_terminals(centre)
    for index in range(3):
        first.append(ticket(f"A-00{index + 1}"))
    assert take_all(centre, first) == [((2, ExceptionCode.CONFLICT), (3, ExceptionCode.CONFLICT))]
    pairs = [(row.first_ticket, row.later_ticket) for row in centre.conflicts()]
    assert pairs == [(1, 2), (1, 3)]


def test_several_batches_in_one_commit(centre: Centre) -> None:
    first, second = two_terminals(centre)
    first.append(ticket("A-001"))
    second.append(ticket("B-001"))
    answers = Answers(centre)
    worker_of(centre, answers.publish).handle(
        [message_of(second.batch(1, 1), "gate-2"), message_of(first.batch(1, 1))]
    )
    said = {answer.terminal: answer.exceptions for answer in answers}
    assert said == {"gate-2": (), "gate-1": ((1, ExceptionCode.CONFLICT),)}
    assert standing(centre) == ["B-001"]


def test_the_same_number_twice_in_a_hall_is_seen(centre: Centre) -> None:
    first, second = two_terminals(centre)
    first.append(ticket("A-001", 1))
    second.append(ticket("A-001", 2))
    assert take_all(centre, first, second) == [(), ((1, ExceptionCode.CONFLICT),)]
    assert standing(centre) == ["A-001", "A-001"], "both people stand"
    assert [row.reason for row in centre.conflicts()] == [SAME_NUMBER]


def test_a_restored_disk_holds_its_tickets_and_they_take_nobodys_place(centre: Centre) -> None:
    first, second = two_terminals(centre)
    first.tick()
    twin = first.restored(1)
    first.append(ticket("A-001", 1))
    twin.append(ticket("A-001", 2))
    second.append(ticket("B-001", 2))
    take_all(centre, first)
    answer = centre.answer(twin.batch(2, 2))
    assert isinstance(answer, Receipt)
    assert answer.exceptions == ((2, ExceptionCode.BRANCH_HELD),)
    assert take_all(centre, second) == [()]
    assert standing(centre) == ["A-001", "B-001"]
    held = [row for row in centre.tickets().values() if row.held]
    assert [(row.number, row.stands) for row in held] == [("A-001", 0)]
    seen = {(row.reason, row.first_ticket, row.later_ticket) for row in centre.conflicts()}
    assert seen == {(SAME_NUMBER, 1, 2), (SAME_PERSON, 3, 2)}


def test_an_officers_word_names_the_officer_by_pseudonym(centre: Centre) -> None:
    first, _ = two_terminals(centre)
    first.append(ticket("A-001", 1, officer=9))
    take_all(centre, first)
    (row,) = centre.tickets().values()
    person, officer = (centre.vault.ref(ticket("A-001", index).person) for index in (1, 9))
    assert (row.person_ref, row.officer_ref, row.ground) == (person, officer, 2)
    people = (
        centre.store.tables.person.keys()
        if hasattr(centre.store, "tables")
        else [row[0] for row in centre.store.connection.execute("SELECT person_ref FROM person")]
    )
    assert set(people) == {person, officer}


@pytest.mark.parametrize(
    ("at_ms", "quality", "queued_ms"),
    [
        (NOON_MS - 60_000, TimeQuality.SYNCED, NOON_MS - 60_000),
        (NOON_MS - 60_000, TimeQuality.FLOOR, NOON_MS - 60_000),
        (NOON_MS + 60_000, TimeQuality.SYNCED, NOON_MS),
        (5, TimeQuality.UNKNOWN, NOON_MS),
    ],
)
def test_a_place_in_the_queue_goes_by_a_time_that_can_be_believed(
    centre: Centre, at_ms: int, quality: TimeQuality, queued_ms: int
) -> None:
    first, _ = two_terminals(centre)
    first.append(ticket("A-001"), at_ms, quality)
    take_all(centre, first)
    (row,) = centre.tickets().values()
    assert (row.issued_ms, row.queued_ms) == (at_ms, queued_ms)


# ---- disorder


@st.composite
def halls(draw: st.DrawFn) -> list[list[tuple[int, int]]]:
    """(person, matter) of each ticket of three terminals; the last one is in another hall."""
    one = st.tuples(st.integers(0, 2), st.integers(0, 1))
    return [draw(st.lists(one, min_size=1, max_size=6)) for _ in range(3)]


def grow(terminal: SimTerminal, letter: str, tickets: list[tuple[int, int]], at: int = 1) -> None:
    for index, (person, matter) in enumerate(tickets, at):
        if index % 3 == 0:
            terminal.new_epoch()
        terminal.append(ticket(f"{letter}-{index:03}", person, matter=f"matter-{matter}"))


def check(centre: Centre, told: list[tuple[str, str]]) -> None:
    """Every ticket is here once; of each person, matter and hall the first main one stands; the
    others are in a conflict with it, the receipts say so."""
    rows = centre.tickets()
    assert sorted((row.unit, row.number) for row in rows.values()) == sorted(told)
    of_person = [row for row in centre.conflicts() if row.reason == SAME_PERSON]
    keys: dict[tuple, list[int]] = {}
    for id_, row in rows.items():
        keys.setdefault((row.unit, row.matter, row.person_ref), []).append(id_)
    expected = set()
    for ids in keys.values():
        main = [id_ for id_ in ids if not rows[id_].held]
        assert [id_ for id_ in ids if rows[id_].stands] == main[:1]
        expected |= {(main[0], id_) for id_ in ids if main and id_ != main[0]}
    assert {(row.first_ticket, row.later_ticket) for row in of_person} == expected
    assert len(of_person) == len(expected), "each is found once"
    numbered = [row for row in centre.conflicts() if row.reason == SAME_NUMBER]
    later = {row.later_ticket for row in (*of_person, *numbered)}
    for record in centre.records():
        row_id = next((i for i, row in rows.items() if row[:3] == record[:3]), None)
        if row_id is not None and record.branch == 0:
            said = record.exception == ExceptionCode.CONFLICT
            assert said == (row_id in later), rows[row_id]


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hall=halls(), twin=st.lists(st.integers(0, 2), max_size=3), data=st.data())
def test_any_order_ends_with_one_standing_and_the_others_seen(kind, hall, twin, data) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        centre = Centre(stack.enter_context(new_store(kind, folder)), centre_keys())
        machines: list[SimTerminal] = []
        told: list[tuple[str, str]] = []
        for index, tickets in enumerate(hall):
            letter, unit = "ABA"[index], UNIT if index < 2 else OTHER_HALL
            terminal = SimTerminal(centre.keys, f"gate-{index + 1}")
            centre.enrol(terminal, unit)
            grow(terminal, letter, tickets)
            machines.append(terminal)
            told += [(unit, f"{letter}-{number:03}") for number in range(1, len(tickets) + 1)]
        if twin:  # the first one's disk is put back, and its numbers come again
            machines.append(machines[0].restored(1))
            grow(machines[-1], "A", [(person, 0) for person in twin], 2)
            told += [(UNIT, f"A-{number:03}") for number in range(2, len(twin) + 2)]
        size = data.draw(st.integers(1, 4))
        sent = [(machine, raw) for machine in machines for raw in machine.batches(size)]
        group = st.lists(st.integers(0, len(sent) - 1), max_size=4)  # empty: the centre restarts
        for indexes in data.draw(st.lists(group, max_size=15)):
            if not indexes:
                centre.restart()
            centre.now_ms += 400
            messages = [message_of(sent[index][1], sent[index][0].name) for index in indexes]
            worker_of(centre, Answers(centre).publish).handle(messages)
        for machine in machines:
            drain(centre, machine, size)
        check(centre, told)


@settings(max_examples=20, deadline=None)
@given(hall=halls(), order=st.lists(st.integers(0, 30), max_size=40))
def test_both_stores_leave_the_same_to_people(hall, order: list[int]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        centres = [
            Centre(stack.enter_context(new_store(kind, folder)), centre_keys()) for kind in STORES
        ]
        machines = [SimTerminal(centres[0].keys, f"gate-{index + 1}") for index in range(3)]
        for machine, letter, tickets in zip(machines, "ABC", hall, strict=True):
            grow(machine, letter, tickets)
            for centre in centres:
                centre.enrol(machine)
        sent = [(machine, raw) for machine in machines for raw in machine.batches(2)]
        for index in order:
            machine, raw = sent[index % len(sent)]
            memory, sqlite = (centre.take(raw, machine.name) for centre in centres)
            assert memory == sqlite
        assert centres[0].tickets() == centres[1].tickets()
        assert centres[0].conflicts() == centres[1].conflicts()


def test_a_ticket_row_says_its_day_as_the_paper_does(centre: Centre) -> None:
    first, _ = two_terminals(centre)
    first.append(ticket("A-001"), NOON_MS + 13 * 3_600_000)  # printed after midnight by its clock
    take_all(centre, first)
    (row,) = centre.tickets().values()
    assert isinstance(row, TicketRow)
    assert row.business_date == DAY
