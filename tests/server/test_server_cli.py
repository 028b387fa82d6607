"""What an operator types: JSON for programs, words for people, errors that name the next step."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.bundle import from_toml
from protocol.keys import DeviceKey
from protocol.records import CODING_MSGPACK
from sync_server.centre import open_centre
from sync_server.config import ServerConfig, example
from sync_server.core.codes import IntakeCode
from sync_server.intake_worker import Message
from tests.server.guards import Answers, message_of, worker_of
from tests.server.making import Centre, SimTerminal, number_of, spoilt
from tongban.config import load

HALL = "dongguan/nancheng/hall-1"
OTHER_HALL = "dongguan/songshanhu/hall-1"


def add(typed, tmp_path: Path, name: str, hall: str = HALL, *more: str) -> tuple[int, str, str]:
    return typed(
        "add-terminal", name, "--hall", hall, "--out", str(tmp_path / f"{name}.toml"), *more
    )


def lines(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def filled(typed, tmp_path: Path) -> Path:
    """Two terminals of two halls; one with visits, a quarantined record, a branch; a stranger."""
    for name, hall in (("gate-1", HALL), ("gate-2", OTHER_HALL)):
        assert add(typed, tmp_path, name, hall)[0] == 0
    opened = open_centre(tmp_path / "centre")
    centre = Centre(opened.store, opened.keyring.centre)
    terminals = []
    for name in ("gate-1", "gate-2"):
        terminal = SimTerminal(centre.keys, name)
        bundle = from_toml((tmp_path / f"{name}.toml").read_text("utf-8"))
        terminal.device = DeviceKey(bundle.device_seed)
        terminals.append(terminal.visit(4))
    first, second = terminals
    first.append_raw(1, CODING_MSGPACK, b"no record")
    twin = first.restored(2).visit(1)
    worker_of(centre, Answers(centre).publish).handle(
        [
            message_of(first.batch(1, 5)),
            message_of(second.batch(1, 4), "gate-2"),
            message_of(twin.batch(3, 3)),
            message_of(spoilt(first.batch(1, 5))),
            Message("tb/1/nobody/up/batch", b"hello", 5),
        ]
    )
    opened.store.close()
    return tmp_path


def test_a_bundle_is_secret_complete_and_never_written_over(typed, tmp_path: Path) -> None:
    code, out, err = add(typed, tmp_path, "gate-1", HALL, "--broker", "10.0.0.5:8883")
    assert (code, out) == (0, "")
    assert "tongban terminal run --bundle" in err
    path = tmp_path / "gate-1.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    bundle = from_toml(path.read_text("utf-8"))
    assert (bundle.terminal, bundle.unit) == ("gate-1", HALL)
    assert (bundle.broker_host, bundle.broker_port) == ("10.0.0.5", 8883)
    before = path.read_bytes()
    code, _, err = typed("add-terminal", "gate-2", "--hall", HALL, "--out", str(path))
    assert code == 1
    assert "choose another --out" in err
    assert path.read_bytes() == before


def test_a_terminal_is_enrolled_once_and_no_file_is_left(typed, tmp_path: Path) -> None:
    add(typed, tmp_path, "gate-1")
    code, _, err = typed(
        "add-terminal", "gate-1", "--hall", HALL, "--out", str(tmp_path / "again.toml")
    )
    assert code == 1
    assert "enrolled already" in err
    assert not (tmp_path / "again.toml").exists()


@pytest.mark.parametrize(
    ("name", "hall", "broker", "cure"),
    [
        ("Gate", HALL, "127.0.0.1:1883", "3 to 32 of a-z"),
        ("gate-1", "Dongguan!", "127.0.0.1:1883", "dongguan/nancheng/hall-1"),
        ("gate-1", HALL, "nowhere", "HOST:PORT"),
        ("gate-1", HALL, "host:99999", "HOST:PORT"),
    ],
)
def test_wrong_words_get_a_sentence_with_the_cure(
    typed, tmp_path: Path, name: str, hall: str, broker: str, cure: str
) -> None:
    code, out, err = add(typed, tmp_path, name, hall, "--broker", broker)
    assert (code, out) == (1, "")
    assert cure in err
    assert not (tmp_path / f"{name}.toml").exists()


def test_database_and_keys_are_private(filled: Path) -> None:
    for path in [filled / "centre" / "centre.db", *(filled / "centre" / "keys").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_listings_before_there_is_a_centre_say_how_to_start_one(typed) -> None:
    for command in ("status", "records", "quarantine", "alarms", "refused"):
        code, out, err = typed(command)
        assert (code, out) == (1, "")
        assert "tongban server run --data" in err


def test_listings_of_an_empty_centre_are_friendly(typed, tmp_path: Path) -> None:
    add(typed, tmp_path, "gate-1")
    for command, sentence in (
        ("status", "0 records"),
        ("records", "No records here yet"),
        ("quarantine", "Nothing is in quarantine"),
        ("alarms", "No alarms"),
        ("refused", "Nothing was refused"),
    ):
        code, out, _ = typed(command)
        assert code == 0
        assert sentence in out
        code, out, _ = typed(command, "--json")
        assert code == 0
        assert out == "" or command == "status"
    assert "add-terminal" in typed("status", "--unit", "elsewhere")[1]


def test_records_as_json(filled: Path, typed) -> None:
    code, out, _ = typed("records", "--json")
    assert code == 0
    rows = lines(out)
    assert [(r["terminal"], r["branch"], r["seq"]) for r in rows] == [
        *[("gate-1", 0, seq) for seq in range(1, 6)],
        ("gate-1", 1, 3),
        *[("gate-2", 0, seq) for seq in range(1, 5)],
    ]
    first = rows[0]
    assert first["kind"] == "gate.passage"
    assert (first["visit"], first["held"], first["direction"]) == (True, False, "entry")
    assert (first["unit"], first["business_date"]) == (HALL, "2026-08-02")
    assert len(bytes.fromhex(first["person_ref"])) == 32
    assert len(bytes.fromhex(first["correlation"])) == 8
    assert (rows[4]["visit"], rows[4]["exception"]) == (False, "quarantined_schema")
    assert (rows[5]["held"], rows[5]["exception"]) == (True, "branch_held")
    assert "4419" not in out


def test_records_can_be_narrowed(filled: Path, typed) -> None:
    rows = lines(typed("records", "--json")[1])
    assert len(lines(typed("records", "--json", "--visits")[1])) == 9
    assert len(lines(typed("records", "--json", "--terminal", "gate-2")[1])) == 4
    assert len(lines(typed("records", "--json", "--limit", "3")[1])) == 3
    wanted = rows[1]["correlation"]
    assert lines(typed("records", "--json", "--correlation", wanted)[1]) == [rows[1]]
    code, _, err = typed("records", "--correlation", "zz")
    assert code == 1
    assert "hex digits" in err


def test_every_listing_keeps_to_its_unit(filled: Path, typed) -> None:
    for command in ("records", "quarantine", "alarms", "refused"):
        everything = lines(typed(command, "--json")[1])
        assert everything
        here = typed(command, "--json", "--unit", "dongguan/nancheng")[1]
        there = typed(command, "--json", "--unit", OTHER_HALL)[1]
        assert "gate-2" not in here
        assert "gate-1" not in there
    status = json.loads(typed("status", "--json", "--unit", OTHER_HALL)[1])
    assert [row["terminal"] for row in status["by_terminal"]] == ["gate-2"]
    assert (status["records"], status["visits"], status["held"]) == (4, 4, 0)
    assert (status["quarantined"], status["alarms"], status["terminals"]) == (0, 0, 1)
    assert status["intake"] == {"accepted": 1}


def test_status_as_json(filled: Path, typed) -> None:
    status = json.loads(typed("status", "--json")[1])
    assert (status["generation"], status["terminals"], status["records"]) == (1, 2, 10)
    assert (status["visits"], status["held"]) == (8, 1)
    assert (status["quarantined"], status["alarms"]) == (1, 1)
    assert status["intake"] == {
        "accepted": 2,
        "branch_accepted": 1,
        "refused_bad_signature": 1,
        "refused_unknown_terminal": 1,
    }
    first = status["by_terminal"][0]
    assert (first["terminal"], first["watermark"], first["branches"]) == ("gate-1", 5, 1)


def test_quarantine_alarms_and_samples_as_json(filled: Path, typed) -> None:
    (row,) = lines(typed("quarantine", "--json")[1])
    assert (row["terminal"], row["seq"], row["code"]) == ("gate-1", 5, "quarantined_schema")
    assert bytes.fromhex(row["ciphertext"])
    (row,) = lines(typed("alarms", "--json")[1])
    assert (row["terminal"], row["code"]) == ("gate-1", "branch")
    rows = lines(typed("refused", "--json")[1])
    assert {row["code"] for row in rows} == {"refused_bad_signature", "refused_unknown_terminal"}


def test_tables_for_people(filled: Path, typed) -> None:
    assert "gate-1" in typed("status")[1]
    out = typed("records")[1]
    assert "gate.passage" in out
    assert number_of(0) not in out
    assert "branch 1" in out
    assert "The first 2" in typed("records", "--limit", "2")[1]
    assert "quarantined_schema" in typed("quarantine")[1]
    assert "cloned" in typed("alarms")[1]
    assert "refused_bad_signature" in typed("refused")[1]


def test_every_reason_code_is_listed_with_what_to_do(typed) -> None:
    rows = lines(typed("codes", "--json")[1])
    assert {row["number"] for row in rows} == {code.value for code in IntakeCode}
    assert all(row["text"].endswith(".") for row in rows)
    page = (Path(__file__).parents[2] / "docs" / "server.md").read_text("utf-8")
    for row in rows:
        assert f"`{row['name']}`" in page, "docs/server.md lists every code"
    assert "gap_rewound" in typed("codes")[1]


def test_revoke_needs_a_terminal_that_is_enrolled(filled: Path, typed) -> None:
    assert typed("revoke", "gate-2")[0] == 0
    assert json.loads(typed("status", "--json")[1])["by_terminal"][1]["revoked"]
    code, _, err = typed("revoke", "gate-7")
    assert code == 1
    assert "tongban server status" in err


def test_a_status_list_is_imported(filled: Path, typed, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"document,number,status\nC,{number_of(1)},blocked\n", "utf-8")
    code, out, err = typed("status-list", "import", str(path))
    assert (code, out) == (0, "")
    assert "status list 1 with 1 people is in force" in err
    assert json.loads(typed("status", "--json")[1])["status_list_version"] == 1
    code, _, err = typed("status-list", "import", str(tmp_path / "none.csv"))
    assert code == 1
    assert "no such file" in err
    path.write_text(f"document,number,status\nC,{number_of(1)},what\n", "utf-8")
    code, _, err = typed("status-list", "import", str(path))
    assert code == 1
    assert "line 2" in err
    assert number_of(1) not in err


def test_a_listing_cut_short_by_head_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tongban.cli", "server", "codes", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 0


def test_no_data_folder_is_a_sentence(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TONGBAN_DATA")
    code, _, err = typed("status")
    assert code == 1
    assert "--data DIR" in err


def test_the_example_file_holds_every_key_with_its_default(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text(example(), "utf-8")
    assert load(path, ServerConfig, {}) == ServerConfig()
    for key in ("data", "log_level", "[broker]", "host", "port", "[health]"):
        assert key in example()
