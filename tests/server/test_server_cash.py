"""Officers and cash: vouchers paid out once, cases closed and booked, books that balance."""

import datetime
from pathlib import Path

import apsw
import pytest

from protocol.records import TimeQuality
from protocol.slip_proof import SlipProof, sign_slip
from sync_server import audit, cash, cash_cassettes, cash_desk, overview
from sync_server.cash_desk import CashError
from sync_server.core import ledger
from sync_server.units import Scope
from tests.server.cash_tools import (
    FEE,
    balances,
    cases,
    emptied,
    in_doubt,
    paid,
    returned,
    stacked,
    unbalanced,
)
from tests.server.hall import OTHER_HALL, Hall
from tests.server.making import DAY, NOON_MS, UNIT

HERE, THERE = Scope(UNIT), Scope(OTHER_HALL)
DAY_MS = 86_400_000


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


@pytest.fixture
def owing(hall: Hall) -> Hall:
    """gate-1 owes 5 yuan under VA-001, gate-3 in the other hall 10 under VA-001, too."""
    for body in (stacked(1, 1), paid(1, 20, 15, "VA-001", person=3)):
        hall.append(1, body)
    for body in (stacked(1, 1), paid(1, 20, 10, "VA-001")):
        hall.append(3, body)
    return hall


def slip(hall: Hall, gate: int, number: str, day: str = DAY, service: str = FEE) -> str:
    terminal = hall.gates[gate - 1]
    unit = OTHER_HALL if gate == 3 else UNIT
    proof = SlipProof(terminal.name, number, datetime.date.fromisoformat(day), service, unit)
    return sign_slip(terminal.device, proof)


def what_was_done(hall: Hall) -> list[tuple[str, str, str, str]]:
    return [(e.who, e.what, e.about, e.detail) for e in audit.entries(hall.connection)]


def refused(code: str):
    """A CashError of this code."""
    return pytest.raises(CashError, check=lambda error: error.code == code)


# ---- vouchers


def test_a_voucher_is_paid_out_once_and_says_by_whom_and_when(owing: Hall) -> None:
    row = cash_desk.find_voucher(owing.connection, HERE, "va-001 ")
    paid_out = cash_desk.settle(owing.connection, HERE, row["voucher"], "li.wei", owing.now_ms)
    assert (paid_out["settled_by"], paid_out["fen"]) == ("li.wei", 500)
    assert balances(owing.store)[f"till:{UNIT}"] == -5
    assert "voucher:1" not in balances(owing.store)
    assert what_was_done(owing) == [
        ("li.wei", "voucher.settled", f"{UNIT} VA-001", "5.00 by its number")
    ]
    with refused("settled") as error:
        cash_desk.settle(owing.connection, HERE, row["voucher"], "zhao.yun", owing.later(9))
    assert (error.value.by, error.value.at_ms) == ("li.wei", owing.now_ms - 9)
    assert "li.wei" in str(error.value)
    assert len(what_was_done(owing)) == 1
    assert unbalanced(owing.store) == []


def test_two_halls_may_have_one_number_and_each_pays_its_own(owing: Hall) -> None:
    assert cash_desk.find_voucher(owing.connection, THERE, "VA-001")["fen"] == 1000
    with refused("several") as error:
        cash_desk.find_voucher(owing.connection, Scope(), "VA-001")
    assert f"1 ({UNIT})" in str(error.value)
    assert cash_desk.find_voucher(owing.connection, Scope(), "2")["unit"] == OTHER_HALL


def test_another_halls_voucher_is_not_there(owing: Hall) -> None:
    with refused("no_voucher"):
        cash_desk.settle(owing.connection, THERE, 1, "chen.jie", owing.now_ms)
    with refused("no_voucher"):
        cash_desk.find_voucher(owing.connection, THERE, "1")
    assert what_was_done(owing) == []


def test_the_code_on_a_slip_finds_its_voucher_and_is_checked(owing: Hall) -> None:
    text = slip(owing, 1, "VA-001")
    assert cash_desk.find_voucher(owing.connection, HERE, text.lower())["voucher"] == 1
    cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms, slip=text)
    assert what_was_done(owing)[0][3] == "5.00 slip checked"


def test_a_slip_proves_the_number_of_its_record(owing: Hall) -> None:
    assert cash_desk.find_voucher(owing.connection, HERE, slip(owing, 1, "2"))["voucher"] == 1
    for wrong in (slip(owing, 1, "1"), slip(owing, 2, "2"), slip(owing, 1, "2", "2026-08-03")):
        with refused("no_voucher"):
            cash_desk.find_voucher(owing.connection, HERE, wrong)


def test_a_slip_that_is_not_the_vouchers_pays_nothing(owing: Hall) -> None:
    good = slip(owing, 1, "VA-001")
    wrong = {
        "slip_forged": good[:-2] + ("AA" if good[-2:] != "AA" else "BA"),
        "no_voucher": slip(owing, 1, "VA-001", day="2026-08-03"),
        "slip_other": slip(owing, 3, "VA-001"),
    }
    for code, text in wrong.items():
        with refused(code):
            cash_desk.settle(owing.connection, Scope(), 1, "li.wei", owing.now_ms, slip=text)
    with refused("slip_forged"):
        cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms, slip="VA-001")
    with refused("no_voucher"):
        cash_desk.find_voucher(owing.connection, HERE, wrong["slip_other"])
    owing.connection.execute("UPDATE terminal SET revoked = 1 WHERE name = 'gate-1'")
    with refused("slip_unknown"):
        cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms, slip=good)
    assert what_was_done(owing) == []


def test_vouchers_are_listed_open_ones_first_in_their_hall(owing: Hall) -> None:
    owing.append(1, stacked(2, 2))
    owing.append(1, paid(2, 20, 0, "VA-002"))
    numbers = [row["number"] for row in cash_desk.vouchers(owing.connection, HERE)]
    assert numbers == ["VA-001", "VA-002"]
    cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms)
    assert [row["voucher"] for row in cash_desk.vouchers(owing.connection, HERE)] == [3]
    done = list(cash_desk.vouchers(owing.connection, HERE, settled=True))
    assert [row["number"] for row in done] == ["VA-001"]


def test_the_database_itself_pays_nothing_twice(owing: Hall) -> None:
    cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms)
    with pytest.raises(apsw.ConstraintError, match="settled already"):
        owing.connection.execute("UPDATE cash_voucher SET settled_by = 'x' WHERE voucher = 1")


def test_a_held_voucher_leads_to_its_case(hall: Hall) -> None:
    hall.append(1, stacked(1, 1))
    twin = hall.gates[0].restored(0)
    for body in (stacked(9, 2), paid(2, 20, 5, "VA-009")):
        twin.append(body)
    hall.centre.take(twin.batch(1, 2), "gate-1")
    with refused("no_voucher") as error:
        cash_desk.find_voucher(hall.connection, HERE, "VA-009")
    assert "case 1" in str(error.value)
    close(hall, 1, ledger.PAID_OUT)
    assert balances(hall.store)["held:gate-1"] == 15
    assert balances(hall.store)[f"till:{UNIT}"] == -15


# ---- cases


def close(hall: Hall, case: int, outcome: str, scope: Scope = HERE) -> None:
    cash_desk.close(hall.connection, scope, case, outcome, "li.wei", "looked", hall.now_ms)
    assert unbalanced(hall.store) == []


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (ledger.GIVEN_BACK, {}),
        (ledger.NOT_THERE, {}),
        (ledger.PAID_OUT, {"cassette:gate-1": 20, f"till:{UNIT}": -20}),
        (ledger.KEPT, {"cassette:gate-1": 20, f"surplus:{UNIT}": -20}),
    ],
)
def test_a_note_in_doubt_is_closed_with_what_was_found(
    hall: Hall, outcome: str, left: dict[str, int]
) -> None:
    hall.append(1, in_doubt(1, 1))
    (row,) = cash_desk.cases(hall.connection, HERE)
    assert (row["reason"], row["owner"], row["fen"]) == ("in_doubt", UNIT, 2000)
    assert row["where"]["en"] == "between validator and cassette, bill jammed"
    assert row["deadline_ms"] == hall.now_ms + DAY_MS
    close(hall, 1, outcome)
    assert balances(hall.store) == left
    (row,) = cash.sheet(hall.connection, HERE)
    assert row["balanced"]
    assert list(cash_desk.cases(hall.connection, HERE)) == []
    assert [row["outcome"] for row in cash_desk.cases(hall.connection, HERE, closed=True)] == [
        outcome
    ]
    assert what_was_done(hall) == [
        ("li.wei", "cash_case.closed", f"{UNIT} 1", f"{outcome} 20.00: looked")
    ]


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (ledger.GIVEN_BACK, {}),
        (ledger.PAID_OUT, {"cassette:gate-1": 20, f"till:{UNIT}": -20}),
        (ledger.KEPT, {"cassette:gate-1": 20, f"surplus:{UNIT}": -20}),
    ],
)
def test_a_note_of_nobody_is_closed_with_what_became_of_it(
    hall: Hall, outcome: str, left: dict[str, int]
) -> None:
    hall.append(1, stacked(1, None))
    close(hall, 1, outcome)
    assert balances(hall.store) == left
    assert cash.sheet(hall.connection, HERE)[0]["balanced"]


def test_what_is_found_after_its_cassette_left_is_in_the_collected_one(hall: Hall) -> None:
    hall.append(1, in_doubt(1, 1))
    hall.append(1, emptied(0, 0))
    close(hall, 1, ledger.KEPT)
    assert balances(hall.store) == {"collected:gate-1": 20, f"surplus:{UNIT}": -20}
    assert cash.sheet(hall.connection, HERE)[0]["cassette_fen"] == 0


def test_missing_notes_are_written_off_and_come_late_as_a_case_of_their_own(hall: Hall) -> None:
    hall.append(1, paid(1, 20, 20))
    close(hall, 1, ledger.NOT_THERE)
    assert balances(hall.store) == {f"loss:{UNIT}": 20, f"revenue:{FEE}": -20}
    hall.append(1, stacked(1, 1))
    assert cases(hall.store) == [("missing", 20, True), ("late", 20, False)]


def test_a_case_is_closed_once_in_its_hall_with_an_outcome_that_fits(hall: Hall) -> None:
    hall.append(1, stacked(1, None))
    with refused("no_case"):
        close(hall, 1, ledger.KEPT, THERE)
    with refused("outcome") as error:
        close(hall, 1, ledger.NOTED)
    assert "given_back, paid_out, kept" in str(error.value)
    with refused("note"):
        cash_desk.close(hall.connection, HERE, 1, ledger.KEPT, "li.wei", " ", hall.now_ms)
    close(hall, 1, ledger.KEPT)
    with refused("closed") as error:
        close(hall, 1, ledger.GIVEN_BACK)
    assert error.value.by == "li.wei"
    assert len(what_was_done(hall)) == 1
    with pytest.raises(apsw.ConstraintError, match="closed already"):
        hall.connection.execute("UPDATE cash_case SET outcome = 'paid_out'")


# ---- cassettes


def count(hall: Hall, seq: int, yuan: str) -> dict:
    fen = cash_cassettes.fen_of(yuan)
    row = cash_cassettes.count(
        hall.connection, HERE, "gate-1", seq, fen, "li.wei", "counted", hall.now_ms
    )
    assert unbalanced(hall.store) == []
    assert cash.out_of_balance(hall.connection, Scope()) == []
    return row


@pytest.mark.parametrize(
    ("yuan", "left"),
    [
        ("20", {f"bank:{UNIT}": 20}),
        ("15.00", {f"bank:{UNIT}": 15, f"loss:{UNIT}": 5}),
        ("25", {f"bank:{UNIT}": 25, f"surplus:{UNIT}": -5}),
        ("0", {f"loss:{UNIT}": 20}),
    ],
)
def test_a_cassette_that_was_counted_is_at_the_bank(
    hall: Hall, yuan: str, left: dict[str, int]
) -> None:
    for body in (stacked(1, 1), paid(1, 20, 20), emptied(1, 20)):
        hall.append(1, body)
    row = count(hall, 3, yuan)
    assert (row["due_fen"], row["counted_by"]) == (2000, "li.wei")
    assert balances(hall.store) == {f"revenue:{FEE}": -20, **left}
    (books,) = cash.sheet(hall.connection, HERE)
    assert (books["stacked_fen"], books["balanced"]) == (2000, True)
    assert what_was_done(hall)[0][1:3] == ("cassette.counted", f"{UNIT} gate-1 3")
    with refused("counted") as error:
        count(hall, 3, "20")
    assert error.value.by == "li.wei"
    assert len(what_was_done(hall)) == 1


def test_each_cassette_is_counted_for_itself_and_a_note_found_late_is_in_the_oldest(
    hall: Hall,
) -> None:
    for body in (stacked(1, 1), in_doubt(2, 1, 50), emptied(1, 20), stacked(3, 2), emptied(1, 20)):
        hall.append(1, body)
    close(hall, 1, ledger.KEPT)
    assert count(hall, 5, "20")["due_fen"] == 2000
    assert count(hall, 3, "70")["due_fen"] == 7000
    assert "collected:gate-1" not in balances(hall.store)


def test_another_halls_cassette_is_not_there(hall: Hall) -> None:
    hall.append(3, emptied(0, 0))
    with refused("no_cassette"):
        cash_cassettes.count(hall.connection, HERE, "gate-3", 1, 0, "li.wei", "x", hall.now_ms)


@pytest.mark.parametrize("text", ["", "ten", "-1", "1.005", "1e9", "NaN", "１"])
def test_an_amount_is_yuan_with_two_digits_at_most(text: str) -> None:
    assert [cash_cassettes.fen_of(good) for good in ("12", "12.5", " 0.05 ")] == [1200, 1250, 5]
    with refused("amount"):
        cash_cassettes.fen_of(text)


# ---- books


def test_the_books_of_a_day_and_of_all_days(owing: Hall) -> None:
    for body in (returned(2, 1, 100), in_doubt(3, 2, 50)):
        owing.append(1, body)
    owing.later(DAY_MS)
    for body in (stacked(4, 3), paid(3, 20, 20), emptied(2, 40)):
        owing.append(1, body)
    cash_desk.settle(owing.connection, HERE, 1, "li.wei", owing.now_ms)
    close(owing, 1, ledger.GIVEN_BACK)
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
    close(hall, 1, ledger.KEPT)
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
