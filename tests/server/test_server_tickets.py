"""Officers at their counters: one ticket for one officer, each paper honoured, nobody named."""

import json
import threading
from pathlib import Path

import apsw
import msgspec
import pytest

from protocol.commands import CallTicket
from protocol.records import TimeQuality
from sync_server import audit, tickets
from sync_server.commands import CALL_TICKET_MS, COMMANDS_WAITING_MAX
from sync_server.core.queue import QueueError
from sync_server.units import Scope
from tests.server.guards import one_ticket_for_one_officer
from tests.server.hall import OTHER_HALL, UNIT, Hall, name_and_number
from tests.server.making import ticket

EVERYTHING, HERE = Scope(), Scope(UNIT)
DAY_MS = 86_400_000


@pytest.fixture
def hall(tmp_path: Path):
    made = Hall(tmp_path)
    yield made
    made.store.close()


def numbers(rows) -> list[str]:
    return [row["number"] for row in rows]


def waiting(hall: Hall, scope: Scope = HERE) -> list[str]:
    return numbers(tickets.waiting(hall.connection, scope, hall.now_ms))


def codes(row: dict) -> list[str]:
    return [reason["code"] for reason in row["reasons"]]


def call_next(hall: Hall, counter: str = "3", **more: str) -> dict:
    row = tickets.call_next(hall.connection, UNIT, counter, "li.wei", hall.now_ms, **more)
    assert row is not None
    return row


def commands(hall: Hall) -> list[tuple]:
    found = hall.connection.execute(
        "SELECT t.name, c.body, c.issued_ms, c.expires_ms FROM command c "
        "JOIN terminal t ON t.terminal = c.terminal ORDER BY c.number"
    )
    return [
        (name, msgspec.msgpack.decode(body, type=CallTicket), issued_ms, expires_ms)
        for name, body, issued_ms, expires_ms in found
    ]


# ---- the list


def test_the_list_is_in_the_order_of_printing_with_reasons(hall: Hall) -> None:
    hall.issue(1, "A-001", 1, 60_000)
    hall.issue(2, "B-001", 2, 90_000, officer=9)
    hall.issue(2, "B-002", 1, 30_000)
    hall.append(1, ticket("A-002", 4), 5, TimeQuality.UNKNOWN)
    rows = list(tickets.waiting(hall.connection, HERE, hall.now_ms))
    assert numbers(rows) == ["B-001", "A-001", "B-002", "A-002"]
    assert [row["place"] for row in rows] == [1, 2, 3, 4]
    assert [codes(row) for row in rows] == [
        ["officer"],
        ["age"],
        ["age", "same_person"],
        ["age", "by_arrival"],
    ]
    first = rows[0]
    assert (first["matter"], first["terminal"], first["unit"]) == ("pension", "gate-2", UNIT)
    assert (first["waited_ms"], first["state"], first["possible"]) == (90_000, "waiting", ("call",))


def test_nobody_is_named_anywhere(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    hall.issue(2, "B-001", 1, officer=9)
    call_next(hall)
    shown = json.dumps(
        [
            *tickets.waiting(hall.connection, EVERYTHING, hall.now_ms),
            *tickets.called(hall.connection, EVERYTHING, hall.now_ms),
            *tickets.conflicts(hall.connection, EVERYTHING),
            *audit.entries(hall.connection),
        ],
        ensure_ascii=False,
    )
    for index in (1, 9):
        for secret in name_and_number(index):
            assert secret not in shown


def test_each_scope_sees_its_own(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    hall.issue(3, "C-001", 2)
    assert waiting(hall) == ["A-001"]
    assert waiting(hall, Scope(OTHER_HALL)) == ["C-001"]
    rows = list(tickets.waiting(hall.connection, Scope("dongguan"), hall.now_ms))
    assert [(row["number"], row["place"]) for row in rows] == [("A-001", 1), ("C-001", 1)]
    assert tickets.counts(hall.connection, HERE, hall.now_ms) == {
        "waiting": 1,
        "called": 0,
        "no_show": 0,
        "done": 0,
        "issued": 1,
    }


# ---- calling


def test_next_is_who_waits_longest_and_then_nobody(hall: Hall) -> None:
    hall.issue(1, "A-001", 1, 60_000)
    hall.issue(2, "B-001", 2, 90_000)
    hall.issue(3, "C-001", 3, 99_000)
    row = call_next(hall)
    assert (row["number"], row["state"], row["counter"], row["calls"]) == (
        "B-001",
        "called",
        "3",
        1,
    )
    hall.later(1)
    assert call_next(hall, "4")["number"] == "A-001"
    assert tickets.call_next(hall.connection, UNIT, "3", "li.wei", hall.now_ms) is None
    assert waiting(hall, EVERYTHING) == ["C-001"], "another hall's people stay"
    assert numbers(tickets.called(hall.connection, HERE, hall.now_ms)) == ["A-001", "B-001"]


def test_next_of_a_matter(hall: Hall) -> None:
    hall.issue(1, "A-001", 1, 60_000)
    hall.issue(1, "A-002", 2, 30_000, matter="housing")
    assert call_next(hall, matter="housing")["number"] == "A-002"
    assert (
        tickets.call_next(hall.connection, UNIT, "3", "li.wei", hall.now_ms, matter="housing")
        is None
    )


def test_two_officers_who_press_at_once_never_get_the_same_ticket() -> None:
    assert one_ticket_for_one_officer() == []


def test_a_hall_full_of_officers_serves_each_ticket_once(hall: Hall) -> None:
    for index in range(24):
        hall.issue(1, f"A-{index:03}", index, 24 - index)
    got: list[str] = []

    def press(counter: int) -> None:
        store = hall.another()
        while row := tickets.call_next(store.connection, UNIT, str(counter), "x", hall.now_ms):
            got.append(row["number"])
        store.close()

    officers = [threading.Thread(target=press, args=(counter,)) for counter in range(1, 5)]
    for officer in officers:
        officer.start()
    for officer in officers:
        officer.join()
    assert sorted(got) == [f"A-{index:03}" for index in range(24)]


def test_a_call_is_announced_by_the_terminal_that_printed_it(hall: Hall) -> None:
    hall.issue(2, "B-001", 1)
    row = call_next(hall)
    assert row["announced"]
    assert commands(hall) == [
        ("gate-2", CallTicket("B-001", "3"), hall.now_ms, hall.now_ms + CALL_TICKET_MS)
    ]
    hall.later(5_000)
    again = tickets.call_again(hall.connection, HERE, row["ticket"], "5", "li.wei", hall.now_ms)
    assert (again["calls"], again["counter"]) == (2, "5")
    first, second = commands(hall)
    assert first[3] == hall.now_ms, "the older call is not announced any more"
    assert second[1] == CallTicket("B-001", "5")


@pytest.mark.parametrize("act", [tickets.no_show, tickets.done])
def test_who_is_served_or_not_there_is_not_called_out_any_more(hall: Hall, act) -> None:
    hall.issue(1, "A-001", 1)
    ticket_id = call_next(hall)["ticket"]
    hall.later(5_000)
    assert not act(hall.connection, HERE, ticket_id, "li.wei", hall.now_ms)["announced"]
    ((_, _, _, expires_ms),) = commands(hall)
    assert expires_ms == hall.now_ms


def test_a_terminal_that_takes_no_commands_stops_no_call(hall: Hall) -> None:
    count = COMMANDS_WAITING_MAX + 1
    for index in range(count):
        hall.issue(1, f"A-{index:03}", index)
    announced = [call_next(hall)["announced"] for _ in range(count)]
    assert announced == [True] * COMMANDS_WAITING_MAX + [False]
    hall.later(CALL_TICKET_MS)
    hall.issue(1, "A-999", 99)
    assert call_next(hall)["announced"], "those that expired wait no more"


def test_a_no_show_can_come_back_all_day(hall: Hall) -> None:
    hall.issue(1, "A-001", 1, 60_000)
    hall.issue(1, "A-002", 2, 30_000)
    ticket_id = call_next(hall)["ticket"]
    assert tickets.no_show(hall.connection, HERE, ticket_id, "li.wei", hall.now_ms)["calls"] == 1
    rows = list(tickets.waiting(hall.connection, HERE, hall.now_ms))
    assert [(row["number"], row["place"]) for row in rows] == [("A-002", 1), ("A-001", None)]
    assert codes(rows[1]) == ["age", "no_show"]
    assert call_next(hall)["number"] == "A-002", "next is for those who wait"
    hall.later(3_600_000)
    back = tickets.call_again(hall.connection, HERE, ticket_id, "3", "li.wei", hall.now_ms)
    assert (back["state"], back["calls"]) == ("called", 2)
    assert tickets.done(hall.connection, HERE, ticket_id, "li.wei", hall.now_ms)["state"] == "done"
    assert tickets.counts(hall.connection, HERE, hall.now_ms)["done"] == 1


def test_yesterdays_tickets_are_listed_apart_and_paper_is_honoured(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    hall.issue(1, "A-002", 2)
    missed = call_next(hall)["ticket"]
    tickets.no_show(hall.connection, HERE, missed, "li.wei", hall.now_ms)
    hall.later(DAY_MS)
    hall.issue(1, "A-003", 1, day="2026-08-03")
    assert waiting(hall) == ["A-003"]
    rows = list(tickets.other_days(hall.connection, HERE, hall.now_ms))
    assert sorted(numbers(rows)) == ["A-001", "A-002"]
    by_number = {row["number"]: row for row in rows}
    assert by_number["A-001"]["possible"] == ()
    with pytest.raises(QueueError, match="take a new number"):
        tickets.call_again(hall.connection, HERE, missed, "3", "li.wei", hall.now_ms)
    never_called = by_number["A-002"]["ticket"]
    assert tickets.call_again(hall.connection, HERE, never_called, "3", "li.wei", hall.now_ms)
    tickets.done(hall.connection, HERE, never_called, "li.wei", hall.now_ms)
    assert numbers(tickets.other_days(hall.connection, HERE, hall.now_ms)) == ["A-001"]


def test_the_list_of_other_days_is_bounded(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "OTHER_DAYS_ROWS_MAX", 2)
    for day in ("2026-07-30", "2026-08-01", "2026-07-31"):
        hall.issue(1, f"A-0{day[-2:]}", 1, day=day)
    rows = list(tickets.other_days(hall.connection, HERE, hall.now_ms))
    assert [row["business_date"] for row in rows] == ["2026-08-01", "2026-07-31"]


def test_what_is_not_possible_is_refused_and_leaves_no_trace(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    (row,) = tickets.waiting(hall.connection, HERE, hall.now_ms)
    before = hall.connection.total_changes()
    for act in (tickets.no_show, tickets.done):
        with pytest.raises(QueueError, match="A-001 is waiting; possible: call"):
            act(hall.connection, HERE, row["ticket"], "li.wei", hall.now_ms)
    for counter in ("", "three", "100", "3\n"):
        with pytest.raises(QueueError, match="1 to 99"):
            tickets.call_next(hall.connection, UNIT, counter, "li.wei", hall.now_ms)
    assert hall.connection.total_changes() == before


def test_an_officer_cannot_touch_another_halls_ticket(hall: Hall) -> None:
    hall.issue(3, "C-001", 1)
    (row,) = tickets.waiting(hall.connection, EVERYTHING, hall.now_ms)
    with pytest.raises(QueueError, match="no such ticket in this hall"):
        tickets.call_again(hall.connection, HERE, row["ticket"], "3", "li.wei", hall.now_ms)
    for act in (tickets.no_show, tickets.done):
        with pytest.raises(QueueError, match="no such ticket in this hall"):
            act(hall.connection, HERE, row["ticket"], "li.wei", hall.now_ms)


def test_what_officers_do_is_on_two_logs_that_only_grow(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    ticket_id = call_next(hall)["ticket"]
    tickets.no_show(hall.connection, HERE, ticket_id, "wang.fang", hall.now_ms)
    found = hall.connection.execute("SELECT officer, counter, action FROM ticket_event").fetchall()
    assert found == [("li.wei", "3", "call"), ("wang.fang", "3", "no_show")]
    for sql in ("DELETE FROM ticket_event", "UPDATE ticket_event SET officer = 'x'"):
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            hall.connection.execute(sql)
    logged = [(entry.who, entry.what, entry.about) for entry in audit.entries(hall.connection)]
    assert logged == [
        ("wang.fang", "ticket.no_show", f"{UNIT} 2026-08-02 A-001"),
        ("li.wei", "ticket.call", f"{UNIT} 2026-08-02 A-001"),
    ]
    assert audit.problem(hall.connection) == ""


# ---- numbers and conflicts


def test_a_number_is_found_in_its_hall_today_first(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    first = tickets.find(hall.connection, UNIT, "A-001", hall.now_ms)
    hall.later(DAY_MS)
    assert tickets.find(hall.connection, UNIT, "A-001", hall.now_ms) == first
    hall.issue(1, "A-001", 2, day="2026-08-03")
    second = tickets.find(hall.connection, UNIT, "A-001", hall.now_ms)
    assert second != first
    with pytest.raises(QueueError, match="has no ticket"):
        tickets.find(hall.connection, OTHER_HALL, "A-001", hall.now_ms)
    hall.issue(2, "A-001", 3, day="2026-08-03")
    with pytest.raises(QueueError, match=f"name one by its id: {second}, "):
        tickets.find(hall.connection, UNIT, "A-001", hall.now_ms)


def test_a_conflict_is_seen_decided_once_and_both_stay(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    hall.later(60_000)
    hall.issue(2, "B-001", 1)
    (row,) = tickets.conflicts(hall.connection, HERE)
    assert row["reason"]["code"] == "same_person"
    assert (row["first"]["number"], row["later"]["number"]) == ("A-001", "B-001")
    assert (row["first"]["terminal"], row["later"]["terminal"]) == ("gate-1", "gate-2")
    assert row["deadline_ms"] > hall.now_ms
    assert list(tickets.conflicts(hall.connection, Scope(OTHER_HALL))) == []

    def decide(scope: Scope, text: str) -> None:
        tickets.decide_conflict(
            hall.connection, scope, row["conflict"], "li.wei", text, hall.now_ms
        )

    for scope, text, problem in (
        (Scope(OTHER_HALL), "both served", "no such conflict"),
        (HERE, "  ", "1 to 200"),
        (HERE, "x" * 201, "1 to 200"),
    ):
        with pytest.raises(QueueError, match=problem):
            decide(scope, text)
    decide(HERE, " both are served,\n 44190019000101000X asked ")
    with pytest.raises(QueueError, match="decided already"):
        decide(HERE, "again")
    (row,) = tickets.conflicts(hall.connection, HERE)
    assert (row["officer"], row["decided_ms"]) == ("li.wei", hall.now_ms)
    assert row["decision"] == "both are served, 441900********000X asked"
    assert waiting(hall) == ["A-001", "B-001"]
    assert [codes(r) for r in tickets.waiting(hall.connection, HERE, hall.now_ms)] == [["age"]] * 2


def test_both_tickets_of_one_number_are_marked(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    hall.issue(2, "A-001", 2)
    rows = list(tickets.waiting(hall.connection, HERE, hall.now_ms))
    assert [codes(row) for row in rows] == [["age", "same_number"]] * 2
