"""What a terminal prints under a fee is what the centre pays out: the code of the slip finds it."""

import json
from pathlib import Path

import pytest

from edge_agent.slips import prover
from protocol.bundle import from_toml
from sync_server.centre import clock_ms
from sync_server.core.reconcile import business_date
from tests.server.cash_tools import paid, stacked
from tests.server.test_server_cli_cash import bring
from tongban.cli import app

HALL = "city/nancheng/hall-1"


@pytest.fixture
def typed(capsys, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TONGBAN_DATA", str(tmp_path / "centre"))

    def run(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            app(["server", *map(str, words)])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def test_the_slip_of_a_terminal_pays_its_voucher(typed, tmp_path: Path) -> None:
    out = tmp_path / "gate-1.toml"
    assert typed("add-terminal", "gate-1", "--hall", HALL, "--out", out)[0] == 0
    bring(tmp_path, "gate-1", stacked(1, 1), stacked(2, 1, 10), paid(1, 30, 20, "VA-001"))
    bundle = from_toml(out.read_text("utf-8"))
    prove = prover(bundle.device_key, bundle.terminal, bundle.unit)
    day = business_date(clock_ms())
    facts = {"number": 3, "date": day, "voucher": "VA-001", "refund": 1000}  # as core/flow_pay.py
    other = prove("fee", {**facts, "number": 2})
    assert typed("voucher", "settle", "VA-001", "--slip", other, "--json") == (1, "")
    slip = prove("fee", facts)
    code, said = typed("voucher", "settle", slip, "--slip", slip, "--json")
    assert code == 0
    assert (json.loads(said)["number"], json.loads(said)["fen"]) == ("VA-001", 1000)
