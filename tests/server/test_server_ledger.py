"""The rule "ledger": what records of cash do at the centre, over both stores."""

import pytest

from protocol.records import Body, CashNote
from sync_server.core.cash_port import Booking
from sync_server.core.store_port import StoreError
from tests.server.cash_tools import (
    FEE,
    balances,
    cases,
    emptied,
    in_doubt,
    paid,
    payment_id,
    returned,
    stacked,
    unbalanced,
    vouchers,
)
from tests.server.making import DAY, UNIT, Centre, SimTerminal

REVENUE = f"revenue:{FEE}"
P1 = f"payment:gate-1/{payment_id(1).hex()}"


def send(centre: Centre, terminal: SimTerminal, *bodies: Body) -> None:
    """Records that are at the centre at once, each in a batch of its own."""
    for body in bodies:
        terminal.append(body)
        last = len(terminal.rows)
        centre.take(terminal.batch(last, last))
    assert unbalanced(centre.store) == []


def test_a_paid_matter_is_revenue_and_the_rest_is_owed_by_voucher(
    centre: Centre, terminal: SimTerminal
) -> None:
    send(centre, terminal, stacked(1, 1), stacked(2, 1, 10), returned(3, 1, 100))
    assert balances(centre.store) == {"cassette:gate-1": 30, P1: -30}
    send(centre, terminal, paid(1, 30, 25, "VB-001", person=3))
    assert balances(centre.store) == {"cassette:gate-1": 30, REVENUE: -25, "voucher:1": -5}
    assert vouchers(centre.store) == [("VB-001", 5)]
    assert cases(centre.store) == []
    assert [(visit.service, visit.business_date) for visit in centre.visits()] == [(FEE, DAY)]


def test_who_stops_is_owed_everything(centre: Centre, terminal: SimTerminal) -> None:
    send(centre, terminal, stacked(1, 1), paid(1, 20, 0, "VB-001"))
    assert balances(centre.store) == {"cassette:gate-1": 20, "voucher:1": -20}


def test_a_payment_without_money_books_nothing(centre: Centre, terminal: SimTerminal) -> None:
    send(centre, terminal, returned(1, 1), paid(1, 0, 0))
    assert balances(centre.store) == {}
    assert cases(centre.store) == []


def test_a_note_of_which_nobody_can_tell_is_a_case_and_no_money(
    centre: Centre, terminal: SimTerminal
) -> None:
    send(centre, terminal, in_doubt(1, 1), paid(1, 0, 0))
    assert balances(centre.store) == {"doubt:gate-1": 20, "claim:1": -20}
    assert cases(centre.store) == [("in_doubt", 20, False)]


def test_a_note_without_payment_is_a_case(centre: Centre, terminal: SimTerminal) -> None:
    send(centre, terminal, stacked(1, None))
    assert balances(centre.store) == {"cassette:gate-1": 20, "claim:1": -20}
    assert cases(centre.store) == [("unclaimed", 20, False)]


def test_a_note_that_comes_after_its_payment_is_owed(centre: Centre, terminal: SimTerminal) -> None:
    send(centre, terminal, stacked(1, 1), paid(1, 20, 20), stacked(2, 1, 50))
    assert balances(centre.store) == {"cassette:gate-1": 70, REVENUE: -20, "claim:1": -50}
    assert cases(centre.store) == [("late", 50, False)]


def test_a_payment_that_comes_before_its_notes_misses_them_until_they_come(
    centre: Centre, terminal: SimTerminal
) -> None:
    send(centre, terminal, paid(1, 30, 25, "VB-001"))
    assert cases(centre.store) == [("missing", 30, False)]
    send(centre, terminal, stacked(1, 1))
    assert balances(centre.store)[P1] == 10
    assert cases(centre.store) == [("missing", 30, False)]
    send(centre, terminal, stacked(2, 1, 20))
    assert P1 not in balances(centre.store)
    assert balances(centre.store)["claim:2"] == -10
    assert cases(centre.store) == [("missing", 30, True), ("late", 10, False)]


def test_more_notes_than_a_payment_says_are_owed(centre: Centre, terminal: SimTerminal) -> None:
    send(centre, terminal, stacked(1, 1), stacked(2, 1), paid(1, 20, 20))
    assert balances(centre.store) == {"cassette:gate-1": 40, REVENUE: -20, "claim:1": -20}
    assert cases(centre.store) == [("late", 20, False)]


def test_what_is_owed_without_a_voucher_is_a_case(centre: Centre, terminal: SimTerminal) -> None:
    send(centre, terminal, stacked(1, 1), paid(1, 20, 15))
    assert balances(centre.store) == {"cassette:gate-1": 20, REVENUE: -15, "claim:1": -5}
    assert cases(centre.store) == [("no_voucher", 5, False)]


def test_the_same_said_again_does_nothing_and_another_thing_is_a_case(
    centre: Centre, terminal: SimTerminal
) -> None:
    first = (stacked(1, 1), paid(1, 20, 15, "VB-001"))
    send(centre, terminal, *first)
    before = balances(centre.store)
    send(centre, terminal, *first, stacked(1, None))
    assert (balances(centre.store), cases(centre.store)) == (before, [])
    send(centre, terminal, CashNote(1, payment_id(1), 5000, 1), paid(1, 20, 20))
    assert balances(centre.store) == before
    assert [case[0] for case in cases(centre.store)] == ["contradiction", "contradiction"]
    assert vouchers(centre.store) == [("VB-001", 5)]


def test_a_cassette_takes_what_the_ledger_has_and_another_count_is_a_case(
    centre: Centre, terminal: SimTerminal
) -> None:
    send(centre, terminal, stacked(1, 1), paid(1, 20, 20), emptied(1, 20))
    assert balances(centre.store) == {"collected:gate-1": 20, REVENUE: -20}
    send(centre, terminal, stacked(2, 2), paid(2, 20, 20), emptied(2, 70))
    assert balances(centre.store) == {"collected:gate-1": 40, REVENUE: -40}
    assert cases(centre.store) == [("recount", 50, False)]


def test_a_batch_again_books_nothing_again(centre: Centre, terminal: SimTerminal) -> None:
    for body in (stacked(1, 1), paid(1, 20, 15, "VB-001"), emptied(1, 20)):
        terminal.append(body)
    batch = terminal.batch(1, 3)
    centre.take(batch)
    before = balances(centre.store)
    centre.restart()
    centre.take(batch)
    assert balances(centre.store) == before


def test_a_restored_disk_books_nothing_and_its_voucher_is_a_case(
    centre: Centre, terminal: SimTerminal
) -> None:
    send(centre, terminal, stacked(1, 1), paid(1, 20, 15, "VB-001"))
    before = balances(centre.store)
    twin = terminal.restored(0)
    for body in (stacked(1, 1), stacked(7, 2), paid(2, 20, 5, "VB-001"), emptied(1, 20)):
        twin.append(body)
        centre.take(twin.batch(len(twin.rows), len(twin.rows)))
    assert balances(centre.store) == before
    assert cases(centre.store) == [("held", 15, False)]


BALANCED = {"cassette:gate-1": 500, "payment:x": -500}


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"cassette:gate-1": 5},
        {"cassette:gate-1": 5, "payment:x": -4},
        {"cassette:gate-1": 0, "payment:x": 0},
    ],
)
def test_a_booking_that_does_not_balance_cannot_be_stored(
    centre: Centre, terminal: SimTerminal, entries: dict[str, int]
) -> None:
    booking = Booking("note", "gate-1/1", 1, UNIT, DAY, 1, "", entries)
    with pytest.raises((ValueError, StoreError)), centre.store.transaction() as tx:
        tx.book(booking)
    with centre.store.transaction() as tx:
        tx.book(booking._replace(entries=BALANCED))
    with pytest.raises((ValueError, StoreError)), centre.store.transaction() as tx:
        tx.book(booking._replace(entries=BALANCED))
    assert balances(centre.store) == {"cassette:gate-1": 5, "payment:x": -5}
    assert unbalanced(centre.store) == []
