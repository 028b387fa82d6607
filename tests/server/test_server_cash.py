"""Officers and cash: vouchers paid out once, cases closed and booked, cassettes counted."""

import datetime
from pathlib import Path

import apsw
import pytest

from protocol.slip_proof import SlipProof, sign_slip
from sync_server import audit, cash, cash_cassettes, cash_desk
from sync_server.core import ledger
from sync_server.units import Scope
from tests.server.cash_tools import (
    FEE,
    balances,
    cases,
    close_case,
    emptied,
    in_doubt,
    owing_hall,
    paid,
    refused,
    stacked,
    unbalanced,
)
from tests.server.hall import OTHER_HALL, Hall
from tests.server.making import DAY, UNIT

HERE, THERE = Scope(UNIT), Scope(OTHER_HALL)
DAY_MS = 86_400_000


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


@pytest.fixture
def owing(tmp_path: Path) -> Hall:
    return owing_hall(tmp_path)


def slip(hall: Hall, gate: int, number: str, day: str = DAY, service: str = FEE) -> str:
    terminal = hall.gates[gate - 1]
    unit = OTHER_HALL if gate == 3 else UNIT
    proof = SlipProof(terminal.name, number, datetime.date.fromisoformat(day), service, unit)
    return sign_slip(terminal.device, proof)


def what_was_done(hall: Hall) -> list[tuple[str, str, str, str]]:
    return [(e.who, e.what, e.about, e.detail) for e in audit.entries(hall.connection)]


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
    close_case(hall, 1, ledger.PAID_OUT)
    assert balances(hall.store)["held:gate-1"] == 15
    assert balances(hall.store)[f"till:{UNIT}"] == -15


# ---- cases


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
    close_case(hall, 1, outcome)
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
    close_case(hall, 1, outcome)
    assert balances(hall.store) == left
    assert cash.sheet(hall.connection, HERE)[0]["balanced"]


def test_what_is_found_after_its_cassette_left_is_in_the_collected_one(hall: Hall) -> None:
    hall.append(1, in_doubt(1, 1))
    hall.append(1, emptied(0, 0))
    close_case(hall, 1, ledger.KEPT)
    assert balances(hall.store) == {"collected:gate-1": 20, f"surplus:{UNIT}": -20}
    assert cash.sheet(hall.connection, HERE)[0]["cassette_fen"] == 0


def test_missing_notes_are_written_off_and_come_late_as_a_case_of_their_own(hall: Hall) -> None:
    hall.append(1, paid(1, 20, 20))
    close_case(hall, 1, ledger.NOT_THERE)
    assert balances(hall.store) == {f"loss:{UNIT}": 20, f"revenue:{FEE}": -20}
    hall.append(1, stacked(1, 1))
    assert cases(hall.store) == [("missing", 20, True), ("late", 20, False)]


def test_a_case_is_closed_once_in_its_hall_with_an_outcome_that_fits(hall: Hall) -> None:
    hall.append(1, stacked(1, None))
    with refused("no_case"):
        close_case(hall, 1, ledger.KEPT, THERE)
    with refused("outcome") as error:
        close_case(hall, 1, ledger.NOTED)
    assert "given_back, paid_out, kept" in str(error.value)
    with refused("note"):
        cash_desk.close(hall.connection, HERE, 1, ledger.KEPT, "li.wei", " ", hall.now_ms)
    close_case(hall, 1, ledger.KEPT)
    with refused("closed") as error:
        close_case(hall, 1, ledger.GIVEN_BACK)
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
    close_case(hall, 1, ledger.KEPT)
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
