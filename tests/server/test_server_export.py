"""Records in a plain file: whole or not there, nobody named, nothing overwritten."""

import json
from pathlib import Path

import sqlite_utils

from tests.server.test_server_cli import HALL, filled, lines

__all__ = ["filled"]


def test_an_export_holds_what_the_listing_says(filled: Path, typed, tmp_path: Path) -> None:
    out = tmp_path / "records.db"
    code, said, _ = typed("export", str(out), "--json")
    assert code == 0
    listed = lines(typed("records", "--json", "--facts")[1])
    assert json.loads(said)["records"] == len(listed)
    rows = list(sqlite_utils.Database(out)["record"].rows)
    assert [(r["terminal"], r["branch"], r["seq"]) for r in rows] == [
        (r["terminal"], r["branch"], r["seq"]) for r in listed
    ]
    assert json.loads(rows[0]["facts"])["service"] == "gate"
    assert "样例甲".encode() not in out.read_bytes()


def test_facts_name_no_person(filled: Path, typed) -> None:
    rows = lines(typed("records", "--json", "--facts")[1])
    said = [row["facts"] for row in rows if row["visit"]]
    assert all("person" not in facts for facts in said)
    assert [row["facts"] for row in rows if row["exception"] == "quarantined_schema"] == [None]


def test_an_export_keeps_to_its_unit(filled: Path, typed, tmp_path: Path) -> None:
    out = tmp_path / "one.db"
    assert typed("export", str(out), "--unit", HALL)[0] == 0
    units = {row["unit"] for row in sqlite_utils.Database(out)["record"].rows}
    assert units == {HALL}


def test_a_file_that_exists_or_a_folder_that_does_not_is_refused(
    filled: Path, typed, tmp_path: Path
) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("mine")
    code, _, err = typed("export", str(taken))
    assert code == 1
    assert "exists" in err
    assert taken.read_text() == "mine"
    code, _, err = typed("export", str(tmp_path / "none" / "x.db"))
    assert code == 1
    assert "Check the folder" in err
