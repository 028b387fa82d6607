"""Cash at the centre from a keyboard: JSON for programs, words for people, one of two who pays."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlite_utils

from protocol.bundle import from_toml
from protocol.keys import DeviceKey
from protocol.records import Body
from sync_server.centre import clock_ms, open_centre
from sync_server.core.reconcile import business_date
from tests.server.cash_tools import emptied, in_doubt, paid, stacked
from tests.server.hall import name_and_number
from tests.server.making import Centre, SimTerminal
from tests.server.test_server_cli import HALL, OTHER_HALL, add, lines


def bring(folder: Path, name: str, *bodies: Body) -> None:
    """Records of now of a terminal that has sent none yet."""
    opened = open_centre(folder / "centre")
    centre = Centre(opened.store, opened.keyring.centre)
    centre.vault = opened.keyring.vault
    centre.restart()
    now_ms = centre.now_ms = clock_ms()
    terminal = SimTerminal(centre.keys, name)
    bundle = from_toml((folder / f"{name}.toml").read_text("utf-8"))
    terminal.device = DeviceKey(bundle.device_seed)
    for body in bodies:
        terminal.append(body, now_ms)
    centre.take(terminal.batch(1, len(bodies)), name)
    opened.store.close()


@pytest.fixture
def hall(typed, tmp_path: Path) -> Path:
    """A paid matter with a voucher of 5 yuan, a note in doubt; the other hall has not begun."""
    for name, unit in (("gate-1", HALL), ("gate-3", OTHER_HALL)):
        assert add(typed, tmp_path, name, unit)[0] == 0
    bring(tmp_path, "gate-1", stacked(1, 1), paid(1, 20, 15, "VA-001", 3), in_doubt(2, 2, 50))
    return tmp_path


def test_the_books_of_a_hall(hall: Path, typed) -> None:
    (row,) = lines(typed("cash", "--json")[1])
    assert (row["terminal"], row["inserted_fen"], row["balanced"]) == ("gate-1", 7000, True)
    assert row["tender"] == {"cash": {"2000": 1}}
    today = business_date(clock_ms())
    assert lines(typed("cash", "--json", "--day", today)[1])[0]["kept_fen"] == 1500
    code, out, _ = typed("cash", "--terminal", "gate-1", "--unit", HALL)
    assert code == 0
    assert "inserted 70.00 = stacked 20.00 + returned 0.00 + in cases 50.00" in out
    assert typed("cash", "--json", "--unit", OTHER_HALL)[1] == ""
    assert "No terminal here has taken cash yet" in typed("cash", "--unit", OTHER_HALL)[1]


def test_a_terminal_out_of_balance_ends_with_1_and_what_to_do(hall: Path, typed) -> None:
    bring(hall, "gate-3", paid(1, 20, 20))
    code, out, err = typed("cash")
    assert code == 1
    assert "NOT BALANCED" in out
    assert "not balanced: gate-3" in err
    assert "tongban server cases" in err
    assert typed("cash", "--unit", HALL)[0] == 0


def test_cash_of_a_cloned_disk_is_named_and_not_booked(hall: Path, typed) -> None:
    bring(hall, "gate-1", stacked(9, 9, 100))
    code, out, _ = typed("cash", "--unit", HALL)
    assert code == 0
    assert "held, not booked" in out
    assert "100.00 at gate-1" in out
    assert "inserted 70.00" in out


def test_a_voucher_is_listed_paid_and_listed_as_paid(hall: Path, typed) -> None:
    (row,) = lines(typed("vouchers", "--json")[1])
    assert (row["number"], row["fen"], row["settled_ms"]) == ("VA-001", 500, None)
    assert "VA-001" in typed("vouchers", "--unit", HALL)[1]
    (row,) = lines(typed("voucher", "settle", "VA-001", "--json")[1])
    assert row["settled_by"].startswith("cli")
    assert "No vouchers" in typed("vouchers")[1]
    assert "cli" in typed("vouchers", "--settled")[1]
    assert lines(typed("vouchers", "--number", "va-001", "--json")[1])[0]["settled_ms"]
    code, _, err = typed("voucher", "settle", "VA-001")
    assert code == 1
    assert "VA-001 was paid out by cli" in err


def test_a_case_is_listed_and_closed(hall: Path, typed) -> None:
    (row,) = lines(typed("cases", "--json")[1])
    assert (row["reason"], row["owner"], row["fen"]) == ("in_doubt", HALL, 5000)
    out = typed("cases", "--unit", HALL)[1]
    assert "A note in doubt" in out
    assert "given_back" in out
    words = ("case", "close", "1", "--outcome", "given_back", "--note", "unjammed")
    (row,) = lines(typed(*words, "--json")[1])
    assert (row["outcome"], row["decision"]) == ("given_back", "unjammed")
    assert "No cases: every note is accounted for." in typed("cases")[1]
    assert "unjammed" in typed("cases", "--closed")[1]
    assert lines(typed("cash", "--json")[1])[0]["returned_fen"] == 5000
    assert "cash_case.closed" in typed("audit")[1]


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("cash", "--day", "today"), "2026-11-27"),
        (("voucher", "settle", "VA-009"), "tongban server status"),
        (("voucher", "settle", "9"), "tongban server vouchers"),
        (("voucher", "settle", "VA-001", "--unit", OTHER_HALL), "Check the number"),
        (("voucher", "settle", "VA-001", "--slip", "TB1/X"), "scan its code again"),
        (("case", "close", "9", "--outcome", "kept", "--note", "x"), "tongban server cases"),
        (("case", "close", "1", "--outcome", "noted", "--note", "x"), "possible: given_back"),
        (("case", "close", "1", "--outcome", "kept", "--note", " "), "1 to 200"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_with_the_cure(hall: Path, typed, words, cure) -> None:
    code, out, err = typed(*words)
    assert (code, out) == (1, "")
    assert cure in err


def test_a_cassette_is_listed_and_counted(hall: Path, typed) -> None:
    assert "No cassettes wait" in typed("cassettes")[1]
    bring(hall, "gate-3", stacked(1, 1), paid(1, 20, 20), emptied(1, 20))
    (row,) = lines(typed("cassettes", "--json")[1])
    assert (row["terminal"], row["seq"], row["told_fen"]) == ("gate-3", 3, 2000)
    words = ("cassette", "count", "gate-3", "3", "--note", "complete")
    assert "1250.50" in typed(*words, "--yuan", "twenty")[2]
    (row,) = lines(typed(*words, "--yuan", "20.00", "--json")[1])
    assert (row["due_fen"], row["counted_fen"]) == (2000, 2000)
    assert "complete" in typed("cassettes", "--counted", "--unit", OTHER_HALL)[1]
    code, _, err = typed(*words, "--yuan", "20")
    assert (code, "has counted this cassette already" in err) == (1, True)
    other = ("cassette", "count", "gate-3", "9", "--note", "x", "--yuan", "1")
    assert "tongban server cassettes" in typed(*other)[2]


def test_who_paid_what_a_case_is_about_is_shown_once_the_log_says_who_looks(
    hall: Path, typed
) -> None:
    bring(hall, "gate-3", in_doubt(1, 1), paid(1, 0, person=3), stacked(2, None))
    (case,) = (
        row for row in lines(typed("cases", "--json", "--unit", OTHER_HALL)[1]) if row["note"] == 1
    )
    words = ("unmask", str(case["case"]), "--case", "--why", "has a note to get back")
    name, number = name_and_number(3)
    assert lines(typed(*words, "--json")[1]) == [{"document": "C", "number": number, "name": name}]
    (entry,) = lines(typed("audit", "--json")[1])
    assert entry["what"] == "person.unmasked"
    assert entry["about"] == f"{OTHER_HALL} case {case['case']}"
    code, out, err = typed("unmask", "1", "--case", "--why", "whose is it")
    assert (code, out) == (1, "")
    assert "nobody is known for case 1" in err


def test_an_export_holds_the_books_of_its_unit(hall: Path, typed, tmp_path: Path) -> None:
    bring(hall, "gate-3", stacked(1, 1))
    typed("voucher", "settle", "VA-001")
    out = tmp_path / "books.db"
    rows = json.loads(typed("export", str(out), "--unit", HALL, "--json")[1])["rows"]
    counted = [rows[name] for name in ("record", "cash_note", "cash_case", "cash_booking")]
    assert counted == [3, 2, 1, 4]
    books = sqlite_utils.Database(out)
    (voucher,) = books["cash_voucher"].rows
    assert (voucher["terminal"], voucher["number"], voucher["fen"]) == ("gate-1", "VA-001", 500)
    assert sum(row["fen"] for row in books["cash_entry"].rows) == 0
    facts = json.loads(next(iter(books["record"].rows))["facts"])
    assert facts["payment"] == next(iter(books["cash_note"].rows))["payment"]
    assert "样例甲".encode() not in out.read_bytes()


def test_of_two_processes_that_pay_one_voucher_at_once_one_pays(hall: Path) -> None:
    command = [sys.executable, "-m", "tongban.cli", "server", "voucher", "settle", "VA-001"]
    both = [
        subprocess.Popen(
            [*command, "--json", "--data", str(hall / "centre")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [(*process.communicate(timeout=60), process.returncode) for process in both]
    assert sorted(code for _, _, code in ends) == [0, 1]
    (paid_out,) = (json.loads(out) for out, _, code in ends if code == 0)
    assert paid_out["number"] == "VA-001"
    (said,) = (err for _, err, code in ends if code == 1)
    assert "was paid out by" in said
