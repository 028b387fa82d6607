"""Databases open durable, migrate once, in order, and refuse what a newer program wrote."""

from pathlib import Path

import apsw
import pytest

from tongban import database
from tongban.database import DatabaseError, migrate, open_database


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "some_package" / "migrations"
    folder.mkdir(parents=True)
    monkeypatch.setattr(database.resources, "files", lambda _name: tmp_path / "some_package")
    (folder / "0001_first.sql").write_text("CREATE TABLE a(x INTEGER) STRICT;")
    (folder / "README").write_text("not a migration")
    return folder


def test_commits_are_durable_when_they_return(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "a.db")
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2  # FULL


def test_each_migration_is_applied_once_and_in_order(tmp_path: Path, package: Path) -> None:
    connection = open_database(tmp_path / "a.db")
    assert migrate(connection, "some_package") == 1
    (package / "0002_second.sql").write_text("ALTER TABLE a ADD COLUMN y TEXT;")
    assert migrate(connection, "some_package") == 2
    assert migrate(connection, "some_package") == 2
    connection.execute("INSERT INTO a VALUES(1, 'y')")


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, package: Path) -> None:
    (package / "0002_second.sql").write_text("CREATE TABLE b(x); CREATE TABLE a(again);")
    connection = open_database(tmp_path / "a.db")
    with pytest.raises(apsw.SQLError):
        migrate(connection, "some_package")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema")]
    assert "a" in names
    assert "b" not in names
    (package / "0002_second.sql").write_text("CREATE TABLE b(x INTEGER) STRICT;")
    assert migrate(connection, "some_package") == 2


def test_a_gap_in_the_numbers_is_our_mistake(tmp_path: Path, package: Path) -> None:
    (package / "0003_third.sql").write_text("SELECT 1;")
    with pytest.raises(DatabaseError, match="gaps"):
        migrate(open_database(tmp_path / "a.db"), "some_package")


def test_a_newer_database_asks_for_the_newer_program(tmp_path: Path, package: Path) -> None:
    connection = open_database(tmp_path / "a.db")
    migrate(connection, "some_package")
    connection.execute("INSERT INTO schema_migration VALUES(2, '0002_future.sql')")
    with pytest.raises(DatabaseError, match="newer"):
        migrate(connection, "some_package")


def test_what_is_no_database_is_refused_with_a_cure(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"no database, but long enough to be read as one" * 100)
    with pytest.raises(DatabaseError, match="Check"):
        open_database(path)
    with pytest.raises(DatabaseError, match="Check"):
        open_database(tmp_path / "missing" / "a.db")
