"""From the centre's registry to a counter without network: only commands and files in between."""

import json
from pathlib import Path

import pytest

from edge_agent.catalogue import load_service, load_texts
from edge_agent.core.slip import Paper
from edge_agent.raster import rasterise
from edge_agent.settings import Settings
from edge_agent.slips import Slips, prover
from protocol.bundle import Bundle, from_toml
from simulator.paper import render
from simulator.paper.cli import print_bytes
from tongban.cli import app

FACTS = {"number": 7, "date": "2026-11-27", "time": "09:14", "ticket": "A-001"}
FACTS |= {"day": "2026-11-27", "matter": "social", "ground": "age"}
HALL = "city/nancheng/hall-1"


@pytest.fixture
def typed(capsys, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TONGBAN_DATA", str(tmp_path / "centre"))

    def run(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            app([str(word) for word in words])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def bundle_of(typed, folder: Path, terminal: str) -> Bundle:
    out = folder / f"{terminal}.toml"
    assert typed("server", "add-terminal", terminal, "--hall", HALL, "--out", out)[0] == 0
    return from_toml(out.read_text("utf-8"))


def printed_by(bundle: Bundle, folder: Path) -> Path:
    """A picture of the ticket that this terminal prints."""
    texts = load_texts(Settings().texts_folders)
    slips = Slips(
        load_service(Settings().services_folder, "number", texts),
        texts,
        paper=Paper,
        prove=prover(bundle.device_key, bundle.terminal, bundle.unit),
        rasterise=rasterise,
    )
    out = folder / f"{bundle.terminal}.png"
    facts = {**FACTS, "terminal": bundle.terminal}
    out.write_bytes(render(print_bytes(slips.build("ticket", "zh-CN", facts))[0]))
    return out


def test_a_ticket_is_genuine_at_the_counter_until_its_terminal_is_revoked(
    typed, tmp_path: Path
) -> None:
    bundles = [bundle_of(typed, tmp_path, name) for name in ("gate-1", "gate-2")]
    tickets = [printed_by(bundle, tmp_path) for bundle in bundles]
    keys = tmp_path / "slip-keys.json"
    assert typed("server", "slip-keys", "--unit", HALL, "--out", keys)[0] == 0

    def verdict(ticket: Path) -> tuple[int, str]:
        code, out = typed("slip", "verify", "--image", ticket, "--keys", keys, "--json")
        said = json.loads(out)
        assert said["genuine"] == (code == 0)
        return code, said["verdict"]

    assert [verdict(ticket) for ticket in tickets] == [(0, "genuine")] * 2
    assert typed("server", "revoke", "gate-2")[0] == 0
    assert typed("server", "slip-keys", "--unit", HALL, "--out", keys)[0] == 0
    assert [verdict(ticket) for ticket in tickets] == [(0, "genuine"), (1, "unknown_terminal")]
