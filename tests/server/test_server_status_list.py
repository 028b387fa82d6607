"""The status list: from CSV to a signed, retained message; nobody's number stays."""

from pathlib import Path

import pytest

from protocol import topics
from protocol.status_list import CODE_NONE, CODE_OFFICER, Scrypt, open_status_list
from sync_server import status_lists
from sync_server.status_lists import (
    DAY_MS,
    StatusFileError,
    StatusListPublisher,
    hash_people,
    import_status_list,
    read_status_file,
)
from sync_server.store_sqlite import open_store
from tests.server.making import NOON_MS, centre_keys, number_of

HEADER = "document,number,status\n"


def csv_file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "list.csv"
    path.write_text(header + "".join(line + "\n" for line in lines), "utf-8")
    return path


@pytest.fixture
def connection(tmp_path: Path):
    store = open_store(tmp_path / "centre.db")
    yield store.connection
    store.close()


def run_import(connection, path: Path, now_ms: int = NOON_MS):
    return import_status_list(
        connection,
        centre_keys(),
        read_status_file(path),
        now_ms=now_ms,
        valid_days=3,
        progress=lambda done, of: None,
    )


def test_people_of_the_file_are_found_by_their_digest(connection, tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, f"C,{number_of(1)},blocked", f"J,{number_of(2)},17", "I,AAA000000000000,officer"
    )
    assert run_import(connection, path)[:2] == (1, 3)
    signed = connection.execute("SELECT signed FROM status_list").get
    found = open_status_list(signed, centre_keys().public)
    assert (found.version, found.issued_ms, found.expires_ms) == (1, NOON_MS, NOON_MS + 3 * DAY_MS)
    assert found.lookup(found.scrypt.digest("C", number_of(1))) == 1
    assert found.lookup(found.scrypt.digest("J", number_of(2))) == 17
    assert found.lookup(found.scrypt.digest("I", "AAA000000000000")) == CODE_OFFICER
    assert found.lookup(found.scrypt.digest("C", number_of(2))) == CODE_NONE


def test_a_new_list_replaces_the_old_one_with_fresh_salt(connection, tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"C,{number_of(1)},blocked")
    run_import(connection, path)
    first = open_status_list(
        connection.execute("SELECT signed FROM status_list").get, centre_keys().public
    )
    assert run_import(connection, path).version == 2
    second = open_status_list(
        connection.execute("SELECT signed FROM status_list").get, centre_keys().public
    )
    assert first.scrypt.salt != second.scrypt.salt


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("C,441900190001010028,blocked", "line 3.*check character"),
        ("X,441900190001010027,blocked", "line 3: document must be"),
        ("I,aaa000000000000,blocked", "3 capital letters"),
        ("C,441900190001010027,naughty", "line 3: status must be"),
        ("C,441900190001010027,0", "status must be"),
        ("C,441900190001010027,256", "status must be"),
        ("C,441900190001010027", "needs 3 values"),
        (f"C,{number_of(1)},blocked", "same person as line 2"),
    ],
)
def test_wrong_lines_are_named_without_the_number(tmp_path: Path, line: str, problem: str) -> None:
    path = csv_file(tmp_path, f"C,{number_of(1)},blocked", line)
    with pytest.raises(StatusFileError, match=problem) as caught:
        read_status_file(path)
    assert "44190019" not in str(caught.value)


def test_wrong_files_are_refused_with_the_cure(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(StatusFileError, match="no such file"):
        read_status_file(tmp_path / "none.csv")
    with pytest.raises(StatusFileError, match="line 1 must be document,number,status"):
        read_status_file(csv_file(tmp_path, header="a,b\n"))
    (tmp_path / "gb.csv").write_bytes("文".encode("gb18030"))
    with pytest.raises(StatusFileError, match="UTF-8"):
        read_status_file(tmp_path / "gb.csv")
    monkeypatch.setattr(status_lists, "ENTRIES_MAX", 1)
    people = [f"C,{number_of(index)},blocked" for index in range(2)]
    with pytest.raises(StatusFileError, match="a list holds 1"):
        read_status_file(csv_file(tmp_path, *people))


def test_an_empty_list_is_a_list(connection, tmp_path: Path) -> None:
    assert run_import(connection, csv_file(tmp_path))[:2] == (1, 0)


def test_progress_is_told(tmp_path: Path) -> None:
    people = read_status_file(csv_file(tmp_path, *(f"C,{number_of(i)},2" for i in range(3))))
    steps = []
    hash_people(people, Scrypt(b"s" * 16, 4), lambda done, of: steps.append((done, of)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_the_list_is_published_after_each_connection_and_once(connection, tmp_path: Path) -> None:
    out = []
    works = [True]
    now_ms = [NOON_MS]

    def publish(topic: str, payload: bytes) -> bool:
        if works[0]:
            out.append((topic, payload))
        return works[0]

    publisher = StatusListPublisher(connection, publish, lambda: now_ms[0])
    publisher.tick()
    assert out == []
    run_import(connection, csv_file(tmp_path, f"C,{number_of(1)},blocked"))
    works[0] = False
    publisher.tick()
    works[0] = True
    publisher.tick()
    publisher.tick()
    assert [topic for topic, _ in out] == [topics.status_list()]
    publisher.connected()
    publisher.tick()
    assert len(out) == 2
    now_ms[0] += 3 * DAY_MS
    publisher.tick()
    assert out[-1] == (topics.status_list(), b""), "an expired list is taken away"
    publisher.tick()
    assert len(out) == 3
    assert run_import(connection, csv_file(tmp_path)).version == 2, "versions never go back"
