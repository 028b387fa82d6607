"""What the uplink reads from the outbox, what it settles in it, and whose outbox it is."""

from pathlib import Path

import apsw
import pytest

from edge_agent.outbox import OutboxFailedError
from protocol.batch import build_batch, parse_batch
from protocol.envelope import LINK_ZERO
from tests.agent.outbox_tools import (
    DEVICE,
    KEYS,
    NOON_MS,
    TERMINAL,
    WAIT_S,
    Clock,
    open_outbox,
    outbox_at,
    plaintexts,
    put,
    receipt_for,
    settle,
)
from tongban.database import DatabaseError, migrate, migrations, open_database


def test_what_is_pending_makes_batches_that_the_centre_can_check(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, *range(5))
        link = LINK_ZERO
        for after, limit in ((0, 2), (2, 2), (4, 2)):
            rows = outbox.pending(after, limit)
            assert rows.link_before == link
            raw = build_batch(
                DEVICE, TERMINAL, rows.epoch_id, rows.opener, rows.link_before, rows.rows
            )
            batch = parse_batch(raw, DEVICE.verify_key, TERMINAL)
            assert batch.first_seq == after + 1
            link = batch.link_last
        assert link == outbox.head().link
        assert outbox.pending(5, 2) is None


def test_settlement_is_durable_and_never_goes_back_by_a_receipt(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, *range(6))
        assert (outbox.settled_seq, outbox.generation) == (0, 0)
        settle(outbox, 4, generation=2, secured=2)
        settle(outbox, 3, generation=1)
        assert (outbox.settled_seq, outbox.generation) == (4, 2)
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert (outbox.settled_seq, outbox.generation) == (4, 2)


def test_receipts_and_their_exceptions_are_kept(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, *range(3))
        receipt, raw = receipt_for(outbox, 3)
        receipt = receipt._replace(exceptions=((2, 1),))
        outbox.settle(receipt, raw, NOON_MS).result(WAIT_S)
    connection = apsw.Connection(str(tmp_path / "outbox.db"))
    assert connection.execute("SELECT raw FROM receipt").get == raw
    assert list(connection.execute("SELECT * FROM exception")) == [(2, 1)]
    connection.close()


def test_the_opener_is_at_the_centre_once_a_receipt_of_its_epoch_came(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 1, 2)
        assert not outbox.pending(0, 1).at_centre
        settle(outbox, 1)
        assert outbox.pending(1, 1).at_centre


def test_what_a_restored_centre_lacks_is_unsettled_again_with_its_openers(tmp_path: Path) -> None:
    path, clock = tmp_path / "outbox.db", Clock()
    for person in range(3):  # an epoch each
        with outbox_at(path, clock) as outbox:
            put(outbox, 2 * person, 2 * person + 1)
    with outbox_at(path, clock) as outbox:
        for seq in (2, 4, 6):
            settle(outbox, seq)
        outbox.offer_again(3, 2, lost_records=True).result(WAIT_S)
        assert (outbox.settled_seq, outbox.generation) == (3, 2)
        assert [outbox.pending(seq, 1).at_centre for seq in range(6)] == [
            *(True, True),
            *(False, False, False, False),
        ]
        assert outbox.backlog()[0] == 3


def test_a_missing_opener_alone_unsettles_nothing(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 1, 2)
        settle(outbox, 1)
        outbox.offer_again(1, 1, lost_records=False).result(WAIT_S)
        assert outbox.settled_seq == 1
        assert not outbox.pending(1, 1).at_centre


def test_backlog_and_visits_are_counted(tmp_path: Path) -> None:
    clock = Clock()
    with outbox_at(tmp_path / "outbox.db", clock) as outbox:
        assert (outbox.backlog(), outbox.visits()) == ((0, 0), (0, 0))
        put(outbox, 1, 2)
        clock.ms += 1_000
        put(outbox, 3)
        assert (outbox.backlog(), outbox.visits()) == ((3, NOON_MS), (3, 0))
        settle(outbox, 2)
        assert (outbox.backlog(), outbox.visits()) == ((1, NOON_MS + 1_000), (3, 2))
        settle(outbox, 3)
        assert (outbox.backlog(), outbox.visits()) == ((0, 0), (3, 3))
        outbox.offer_again(1, 2, lost_records=True).result(WAIT_S)
        assert outbox.visits() == (3, 1)
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert outbox.visits() == (3, 1)


def test_sessions_count_up_for_ever_and_over_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        assert [outbox.next_session().result(WAIT_S) for _ in range(2)] == [1, 2]
        outbox.raise_session(40).result(WAIT_S)
        outbox.raise_session(30).result(WAIT_S)
    with outbox_at(path) as outbox:
        assert outbox.next_session().result(WAIT_S) == 41


def test_only_a_newer_status_list_replaces_the_one_in_force(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert outbox.status_list() is None
        for version, raw, stands in (
            (5, b"five", b"five"),
            (4, b"four", b"five"),
            (5, b"other five", b"five"),
            (6, b"six", b"six"),
        ):
            outbox.keep_status_list(version, raw).result(WAIT_S)
            assert outbox.status_list() == stands
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert outbox.status_list() == b"six"


# ---- whose file, and of which version


def test_a_newer_schema_is_refused_with_its_cure_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        put(outbox, 1)
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO schema_migration VALUES (99, '0099_future.sql')")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="install the newer version"):
        open_outbox(path)
    assert path.read_bytes() == before


def test_migrations_are_applied_once_each(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    for person in range(2):
        with outbox_at(path) as outbox:
            put(outbox, person)
    connection = open_database(path)
    done = list(connection.execute("SELECT number, name FROM schema_migration ORDER BY number"))
    assert done == [(number, name) for number, name, _ in migrations("edge_agent")]
    assert migrate(connection, "edge_agent") == len(done)
    assert connection.execute("SELECT count(*) FROM schema_migration").get == len(done)
    connection.close()
    assert len(plaintexts(path)) == 2


def test_a_failed_migration_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [(1, "0001_a.sql", "CREATE TABLE a (x); CREATE TABLE b (x)"), (2, "0002_c.sql", "")]
    broken = [two[0], (2, "0002_c.sql", "CREATE TABLE c (x); CREATE TABLE a (x)")]
    connection = open_database(tmp_path / "any.db")
    monkeypatch.setattr("tongban.database.migrations", lambda _package: broken)
    with pytest.raises(apsw.SQLError):
        migrate(connection, "any")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema ORDER BY name")]
    assert names == ["a", "b", "schema_migration"]
    monkeypatch.setattr("tongban.database.migrations", lambda _package: two)
    assert migrate(connection, "any") == 2
    connection.close()


def test_another_terminals_outbox_is_refused(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        put(outbox, 1)
    monkeypatch.setattr("tests.agent.outbox_tools.TERMINAL", "gate-2")
    with pytest.raises(DatabaseError, match=f"outbox of terminal {TERMINAL}, not gate-2"):
        open_outbox(path)


def test_what_is_no_database_or_no_folder_is_refused_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database" * 1000)
    for path in (tmp_path / "text.db", tmp_path / "nowhere" / "outbox.db"):
        with pytest.raises(DatabaseError, match=r"[Cc]heck|damaged"):
            open_outbox(path)


def test_every_commit_is_durable_by_configuration(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 1)
        for connection in (outbox._reader, outbox._writer._connection):
            assert connection.pragma("journal_mode") == "wal"
            assert connection.pragma("synchronous") == 2
            assert connection.pragma("secure_delete") == 1


def test_a_reader_that_fails_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        put(outbox, 1)
        outbox._reader.execute("DROP TABLE status_list")
        with pytest.raises(OutboxFailedError, match="status_list"):
            outbox.status_list()


def test_openers_are_sealed_to_this_centre_only(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 1)
        assert KEYS.public.key_id in outbox.pending(0, 1).opener
