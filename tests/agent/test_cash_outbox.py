"""Cash in the real outbox: credited once through power cuts; a ledger that a technician reads."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from edge_agent.cash_entries import entry_of
from edge_agent.cash_report import read_cash
from edge_agent.core import cash_events as cx
from edge_agent.data_folder import OUTBOX_FILE
from edge_agent.outbox import OutboxFailedError
from tests.agent.cash_outbox_guards import append, order, power_cut_violations
from tests.agent.outbox_guards import open_outbox
from tests.warm_process import run

NOTE = (7 << 32) + 1


def test_a_cut_at_every_operation_neither_loses_nor_doubles_money(tmp_path: Path) -> None:
    assert power_cut_violations(tmp_path, each=5) == []


@pytest.mark.long
def test_a_cut_at_each_single_operation(tmp_path: Path) -> None:
    assert power_cut_violations(tmp_path) == []


def test_the_database_refuses_a_second_end_and_a_voucher_twice(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.db")
    try:
        for number in (1, 2):
            append(outbox, cx.OpenPayment(order(number)))
        end = cx.EndNote(NOTE, order(1).payment, 1, 2_000, cx.STACKED)
        append(outbox, end)
        entry = entry_of(cx.EndNote(NOTE, order(1).payment, 1, 2_000, cx.RETURNED))
        with pytest.raises(OutboxFailedError, match="has an end already"):
            outbox.append(sha256(b"again").digest()[:16], [], entry.effects).result(5)
        append(outbox, cx.EndPayment(order(1), 2_000, 1_500, "VB-001", 1, 1))
        with pytest.raises(OutboxFailedError, match="voucher VB-001 was given already"):
            append(outbox, cx.EndPayment(order(2), 2_000, 0, "VB-001", 1, 1))
        with pytest.raises(OutboxFailedError, match="do not make up the cassette"):
            append(outbox, cx.EndCassette(1, 2, 4_000))
        assert outbox.cash().vouchers == 1
    finally:
        outbox.close()


def test_the_ledger_shows_what_is_where_and_balances(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / OUTBOX_FILE)
    try:
        append(outbox, cx.OpenPayment(order(1)))
        append(outbox, cx.EndNote(NOTE, order(1).payment, 1, 2_000, cx.STACKED))
        append(outbox, cx.EndNote(NOTE + 1, order(1).payment, 1, 500, cx.RETURNED))
        append(outbox, cx.EndPayment(order(1), 2_000, 1_500, "VB-001", 1, 2))
        append(outbox, cx.OpenPayment(order(2)))
        append(outbox, cx.EndNote(NOTE + 2, order(2).payment, 2, 1_000, cx.STACKED))
        append(outbox, cx.WantNote(NOTE + 3, order(2).payment, 2, 5_000))
        append(outbox, cx.EndNote(NOTE + 4, cx.NO_PAYMENT, 9, 10_000, cx.CASE, 2, 18))
        append(outbox, cx.EndNote(NOTE + 5, cx.NO_PAYMENT, 9, 100, cx.STACKED))
    finally:
        outbox.close()
    done = run("terminal", "cash", "--data", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == read_cash(tmp_path)
    assert found["balances"]
    assert found["inserted"] == 18_600
    assert found["inserted"] == sum(
        found[name] for name in ("stacked", "returned", "cases", "undecided")
    )
    assert (found["kept"], found["vouchers"], found["of_open_payments"]) == (1_500, 500, 1_000)
    assert (found["without_payment"], found["cassette"], found["cassette_notes"]) == (100, 3_100, 3)
    assert [row["undecided"] for row in found["open_payments"]] == [5_000]
    assert found["open_cases"][0]["place"] == "between validator and cassette"
    assert found["open_cases"][0]["reason"] == "bill jammed"
    shown = run("terminal", "cash", "--data", str(tmp_path))
    assert "between validator and cassette: bill jammed" in shown.stdout


def test_a_folder_without_an_outbox_is_an_error_with_a_cure(tmp_path: Path) -> None:
    done = run("terminal", "cash", "--data", str(tmp_path))
    assert done.returncode == 2
    assert "Give the agent's data folder with --data" in done.stderr
