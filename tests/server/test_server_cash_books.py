"""The books of cash by terminal and day: they balance, and what does not is an alarm."""

from pathlib import Path

import apsw
import pytest

from protocol.records import TimeQuality
from sync_server import cash, cash_desk, overview
from sync_server.core import ledger
from sync_server.units import Scope
from tests.server.cash_tools import (
    balances,
    close_case,
    emptied,
    in_doubt,
    owing_hall,
    paid,
    refused,
    returned,
    stacked,
)
from tests.server.hall import OTHER_HALL, Hall
from tests.server.making import DAY, NOON_MS, UNIT

HERE, THERE = Scope(UNIT), Scope(OTHER_HALL)
DAY_MS = 86_400_000


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


@pytest.fixture
def owing(tmp_path: Path) -> Hall:
    return owing_hall(tmp_path)


def test_the_books_of_a_day_and_of_all_days(owing: Hall) -> None:
    for body in (returned(2, 1, 100), in_doubt(3, 2, 50)):
        owing.append(1, body)
    owing.later(DAY_MS)
    for body in (stacked(4, 3), paid(3, 20, 20), emptied(2, 40)):
        owing.append(1, body)
    cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms)
    close_case(owing, 1, ledger.GIVEN_BACK)
    (first,) = cash.sheet(owing.connection, HERE, day=DAY)
    assert picked(first) == (170, 20, 100, 50, 15, 5, 0, 20)
    assert (first["vouchers_open"], first["vouchers_open_fen"], first["cases_open"]) == (1, 500, 1)
    assert first["tender"] == {"cash": {"2000": 1}}
    (second,) = cash.sheet(owing.connection, HERE, day="2026-08-03")
    assert picked(second) == (20, 20, 50, -50, 20, 0, 5, 0)
    assert (second["vouchers_open"], second["cases_open"]) == (0, 0)
    (whole,) = cash.sheet(owing.connection, HERE)
    assert picked(whole) == (190, 40, 150, 0, 35, 5, 5, 0)
    assert all(row["balanced"] for row in (first, second, whole))
    assert cash.out_of_balance(owing.connection, Scope()) == []


def picked(row: dict) -> tuple[int, ...]:
    keys = ("inserted", "stacked", "returned", "in_cases", "kept", "refunds", "paid_out")
    return tuple(row[key + "_fen"] // 100 for key in (*keys, "cassette"))


def test_sums_of_a_scope(owing: Hall) -> None:
    rows = cash.sheet(owing.connection, Scope())
    assert [row["terminal"] for row in rows] == ["gate-1", "gate-3"]
    total = cash.totals(rows)
    assert (total["inserted_fen"], total["vouchers_open"], total["balanced"]) == (4000, 2, True)
    assert cash.sheet(owing.connection, THERE)[0]["terminal"] == "gate-3"
    assert cash.sheet(owing.connection, Scope(), terminal="gate-3")[0]["unit"] == OTHER_HALL
    assert cash.totals([])["balanced"]


def test_a_payment_that_says_more_than_its_notes_is_out_of_balance(hall: Hall) -> None:
    hall.append(1, stacked(1, 1))
    hall.append(1, paid(1, 30, 30))
    assert not cash.sheet(hall.connection, HERE)[0]["balanced"]
    hall.append(1, stacked(2, 1, 10))
    assert cash.sheet(hall.connection, HERE)[0]["balanced"]


def test_a_note_that_never_reached_the_ledger_is_found(owing: Hall) -> None:
    """As after a fault of ours: the row is there, its booking is not."""
    owing.connection.execute(
        "INSERT INTO cash_note VALUES(1, 0, 99, ?, ?, 77, zeroblob(8), 5000, 1, 0, 0, 5, 0)",
        (UNIT, DAY),
    )
    (row,) = cash.sheet(owing.connection, HERE)
    assert (row["balanced"], row["difference_fen"]) == (False, 5000)
    assert cash.out_of_balance(owing.connection, Scope()) == [("gate-1", UNIT, 5000, NOON_MS)]
    assert cash.out_of_balance(owing.connection, THERE) == []


def test_held_money_is_shown_and_counts_nowhere(hall: Hall) -> None:
    hall.append(1, stacked(1, 1))
    twin = hall.gates[0].restored(0)
    twin.append(stacked(9, 2, 50))
    hall.centre.take(twin.batch(1, 1), "gate-1")
    (row,) = cash.sheet(hall.connection, HERE)
    assert (row["held_fen"], row["inserted_fen"], row["balanced"]) == (5000, 2000, True)


def reasons(hall: Hall, scope: Scope) -> dict[str, tuple[str, str]]:
    """Terminal -> its worst reason why it needs somebody, by cash."""
    found = {}
    for row in overview.attention(hall.connection, scope, hall.now_ms):
        for reason in row["reasons"]:
            if reason["code"] in {"cash", "unbalanced"}:
                found.setdefault(row["terminal"], (reason["code"], reason["en"]))
    return found


def test_an_open_case_is_an_alarm_until_it_is_closed(hall: Hall) -> None:
    assert reasons(hall, Scope()) == {}
    hall.append(1, stacked(1, None))
    assert reasons(hall, HERE) == {"gate-1": ("cash", "Cash to look after: 1")}
    assert reasons(hall, THERE) == {}
    hall.later(ledger.CASE_MS + 1)
    assert reasons(hall, HERE)["gate-1"][1] == "Cash to look after: 1, 1 overdue"
    close_case(hall, 1, ledger.KEPT)
    assert reasons(hall, Scope()) == {}


def test_books_that_do_not_agree_are_an_alarm(owing: Hall) -> None:
    owing.append(1, emptied(1, 50))
    assert reasons(owing, Scope())["gate-1"][0] == "unbalanced"
    owing.connection.execute(
        "INSERT INTO cash_note VALUES(3, 0, 99, ?, ?, 77, zeroblob(8), 5000, 1, 0, 0, 5, 0)",
        (OTHER_HALL, DAY),
    )
    assert reasons(owing, THERE) == {"gate-3": ("unbalanced", "Its books differ by 50.00 yuan")}


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2026-8-2", "20260802"])
def test_a_day_is_written_in_one_way(hall: Hall, day: str) -> None:
    with refused("day"):
        cash.sheet(hall.connection, HERE, day=day)


def test_money_counts_on_the_day_in_shanghai(hall: Hall) -> None:
    midnight_ms = NOON_MS + DAY_MS // 2  # 16:00 UTC
    hall.later(DAY_MS)
    hall.append(1, stacked(1, 1), midnight_ms - 1)
    hall.append(1, stacked(2, 1), midnight_ms)
    hall.append(1, stacked(3, 1), 0, TimeQuality.UNKNOWN)
    sql = "SELECT business_date, unit FROM cash_booking ORDER BY booking"
    found = hall.connection.execute(sql).fetchall()
    assert found == [(DAY, UNIT), ("2026-08-03", UNIT), ("2026-08-03", UNIT)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO cash_entry VALUES(1, 'till:x', 5)",
        "INSERT INTO cash_entry VALUES(2, 'till:x', 5)",
        "UPDATE cash_entry SET fen = fen + 1",
        "DELETE FROM cash_entry",
        "UPDATE cash_booking SET unit = 'elsewhere'",
        "DELETE FROM cash_booking",
    ],
)
def test_the_ledger_is_not_changed_by_hand(hall: Hall, sql: str) -> None:
    hall.append(1, stacked(1, 1))
    before = balances(hall.store)
    with pytest.raises(apsw.ConstraintError):
        hall.connection.execute(sql)
    assert balances(hall.store) == before
