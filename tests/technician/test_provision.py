"""From a board with nothing but an interpreter to a tested terminal: one command, no question."""

from pathlib import Path

import pytest

from edge_agent.technician.report import read_report
from tests.technician.bench import TERMINAL, Bench, BoardThread

pytestmark = pytest.mark.live


def test_one_command_makes_a_tested_board_and_a_signed_report(bench: Bench, tmp_path: Path) -> None:
    with BoardThread(tmp_path / "board") as there:
        said = bench.provision(there.port)
    assert said.code == 0, said.told
    assert "?" not in said.told
    report = read_report(Path(said.data["report_file"]), bench.verify_key)
    assert report["terminal"] == TERMINAL
    assert report["board"]["unique_id"] == there.board.unique_id
    assert {d["device"]: (d["outcome"], d["by"]) for d in report["devices"]} == dict.fromkeys(
        ("help_button", "voice", "printer", "card_reader", "gate"), ("passed", "person")
    )
    assert "441900190001010027" not in Path(said.data["report_file"]).read_text()
    assert (tmp_path / "gate-1.board" / "label.png").stat().st_size > 1000
    assert not (tmp_path / "gate-1.board" / "provision.json").exists()
