"""`slip-keys`: what counters check slips with, from the registry, signed, without the revoked."""

from pathlib import Path

import pytest

from protocol.bundle import from_toml
from protocol.slip_keys import key_fingerprint, open_slip_keys

HALL, OTHER = "city/nancheng/hall-1", "city/songshan/hall-1"


@pytest.fixture
def enrolled(typed, tmp_path: Path) -> Path:
    for name, hall in (("gate-1", HALL), ("gate-2", HALL), ("gate-3", OTHER)):
        out = str(tmp_path / f"{name}.toml")
        assert typed("add-terminal", name, "--hall", hall, "--out", out)[0] == 0
    return tmp_path


def test_the_keys_are_those_of_the_terminals_in_force(typed, enrolled: Path) -> None:
    assert typed("revoke", "gate-2")[0] == 0
    out = enrolled / "slip-keys.json"
    code, stdout, err = typed("slip-keys", "--unit", "city/nancheng", "--out", str(out))
    assert (code, stdout) == (0, "")
    keys = open_slip_keys(out.read_bytes())
    bundle = from_toml((enrolled / "gate-1.toml").read_text("utf-8"))
    assert {name: (t.unit, t.key) for name, t in keys.terminals.items()} == {
        "gate-1": (HALL, bundle.device_key.verify_key)
    }
    assert keys.unit == "city/nancheng"
    assert key_fingerprint(bundle.centre_public.verify_key) == keys.fingerprint
    assert keys.fingerprint in err


def test_without_a_unit_all_terminals_are_in_it_and_an_older_file_is_replaced(
    typed, enrolled: Path
) -> None:
    out = enrolled / "slip-keys.json"
    out.write_text("old", "utf-8")
    assert typed("slip-keys", "--out", str(out))[0] == 0
    assert sorted(open_slip_keys(out.read_bytes()).terminals) == ["gate-1", "gate-2", "gate-3"]


@pytest.mark.parametrize(
    ("unit", "sentence"), [("city/nowhere", "no terminal in force"), ("City", "unit 'City'")]
)
def test_a_unit_without_terminals_is_said(typed, enrolled: Path, unit: str, sentence: str) -> None:
    code, _, err = typed("slip-keys", "--unit", unit, "--out", str(enrolled / "k.json"))
    assert code == 1
    assert sentence in err
    assert not (enrolled / "k.json").exists()
