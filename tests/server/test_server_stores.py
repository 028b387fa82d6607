"""The contract of core.store_port, for both adapters."""

import os
from pathlib import Path

import apsw
import pytest

from sync_server.core.store_port import (
    Arrival,
    Chain,
    ConflictRow,
    DeviceChangeRow,
    HelpAnswerRow,
    HelpCallRow,
    PersonRow,
    QuarantineRow,
    RecordRow,
    SampleRow,
    StateRow,
    Store,
    StoredTicket,
    StoreError,
    TicketRow,
    VisitRow,
)
from sync_server.store_memory import MemoryStore
from sync_server.store_sqlite import open_store
from tests.server.making import STORES, UNIT, enrol, new_store


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path):
    with new_store(request.param, tmp_path) as made:
        enrol(made, "gate-1", b"k" * 32)
        yield made


def arrival(number: int, seq: int, *, branch: int = 0, exception: int = 0) -> Arrival:
    chain = Chain(branch, seq, bytes((seq,)) * 32, 0, 0, number)
    record = RecordRow(
        1, branch, seq, number, 1, 1, 5, 2, b"c" * 8, exception, bytes((seq,)) * 32, b"sealed"
    )
    visit = VisitRow(1, branch, seq, "2026-08-02", b"p" * 32, 1, "gate", 0, 0, 0)
    line = [QuarantineRow(1, branch, seq, "why")] if exception else []
    return Arrival(
        number,
        chain,
        UNIT,
        9,
        [record],
        [visit],
        [PersonRow(b"p" * 32, "C", b"name")],
        line,
        help_calls=[HelpCallRow(1, branch, seq, 7, 5)],
        help_answers=[HelpAnswerRow(1, branch, seq, 7, 6, None, 1)],
        device_changes=[DeviceChangeRow(1, branch, seq, 2, 4, 2, 5)],
    )


def put(store: Store, seq: int, **options: int) -> None:
    with store.transaction() as tx:
        epoch = tx.epoch(1, b"h" * 32) or tx.add_epoch(1, b"h" * 32, b"e" * 16, b"opener", 0)
        tx.add(1, arrival(tx.new_arrival(1, epoch.number, 9, None), seq, **options))


def test_a_terminal_is_found_by_name_and_unknown_ones_are_not(store: Store) -> None:
    with store.transaction() as tx:
        found = tx.terminal("gate-1")
        assert found is not None
        assert (found.number, found.unit, found.verify_key, found.revoked) == (
            1,
            UNIT,
            b"k" * 32,
            False,
        )
        assert tx.terminal("gate-2") is None


def test_a_terminal_revoked_by_another_process_is_seen_in_the_next_transaction(
    store: Store,
) -> None:
    with store.transaction() as tx:
        tx.terminal("gate-1")
    enrol(store, "gate-1", b"k" * 32, revoked=True)
    with store.transaction() as tx:
        found = tx.terminal("gate-1")
        assert found is not None
        assert found.revoked


def test_what_is_added_is_read_back(store: Store) -> None:
    put(store, 1)
    put(store, 2, exception=2)
    with store.transaction() as tx:
        assert tx.chains(1) == [Chain(0, 2, b"\2" * 32, 0, 0, 2)]
        assert tx.chains(2) == []
        assert tx.link_at(1, 0, 1) == b"\1" * 32
        assert tx.link_at(1, 1, 1) is None
        assert tx.exceptions(1, 0, 1, 9) == [(2, 2)]
        assert tx.exceptions(1, 0, 3, 9) == []
        epoch = tx.epoch(1, b"h" * 32)
        assert epoch is not None
        assert epoch[1:] == (b"e" * 16, b"opener", 0)
        assert tx.epoch(2, b"h" * 32) is None


def test_a_transaction_sees_its_own_writes(store: Store) -> None:
    with store.transaction() as tx:
        epoch = tx.add_epoch(1, b"h" * 32, b"e" * 16, b"opener", 0)
        assert tx.epoch(1, b"h" * 32) == epoch
        tx.add(1, arrival(tx.new_arrival(1, epoch.number, 9, 4), 1))
        assert tx.link_at(1, 0, 1) is not None
        assert tx.chains(1)[0].seq == 1


def ticket(seq: int, number: str, person: bytes = b"p" * 32, *, stands: int = 0) -> TicketRow:
    day = "2026-08-02"
    return TicketRow(1, 0, seq, UNIT, day, "pension", number, person, 1, None, 5, 5, 0, stands)


def test_tickets_are_found_by_person_and_by_number(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.add_ticket(ticket(1, "A-001", stands=1)) == 1
        assert tx.add_ticket(ticket(2, "A-002")) == 2
        assert tx.add_ticket(ticket(3, "A-001", b"q" * 32)) == 3
        tx.add_conflict(ConflictRow("same_person", UNIT, 9, 10, 1, 2))
    day = "2026-08-02"
    with store.transaction() as tx:
        stored = [StoredTicket(1, True), StoredTicket(2, False)]
        assert tx.tickets_of(UNIT, day, "pension", b"p" * 32) == stored
        assert tx.tickets_of(UNIT, day, "housing", b"p" * 32) == []
        assert tx.tickets_of("elsewhere", day, "pension", b"p" * 32) == []
        assert tx.tickets_of(UNIT, "2026-08-03", "pension", b"p" * 32) == []
        assert [row.ticket for row in tx.tickets_numbered(UNIT, day, "A-001")] == [1, 3]
        assert tx.tickets_numbered("elsewhere", day, "A-001") == []


def test_an_exception_undoes_everything(store: Store) -> None:
    put(store, 1)

    def fail_in_the_middle() -> None:
        with store.transaction() as tx:
            tx.add(1, arrival(tx.new_arrival(1, 1, 9, None), 2))
            tx.raise_alarm(1, "branch", 1, "x")
            tx.add_ticket(ticket(2, "A-002"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_middle()
    with store.transaction() as tx:
        assert tx.chains(1)[0].seq == 1
        assert tx.link_at(1, 0, 2) is None
        assert tx.tickets_numbered(UNIT, "2026-08-02", "A-002") == []


def test_the_same_record_twice_is_refused_and_undone(store: Store) -> None:
    put(store, 1)
    with pytest.raises((KeyError, StoreError)):
        put(store, 1)
    put(store, 2)


def test_the_same_person_twice_is_one_person(store: Store) -> None:
    put(store, 1)
    put(store, 2)
    if isinstance(store, MemoryStore):
        assert len(store.tables.person) == 1
    else:
        assert store.connection.execute("SELECT count(*) FROM person").get == 1


def test_states_replace_each_other_and_can_be_forgotten(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.state_order(1) is None
        assert tx.clock_offset_ms(1) is None
        tx.put_state(StateRow(1, 3, 7, 100, -5, b"a"))
        tx.put_state(StateRow(1, 4, 0, 200, -6, b"b"))
        assert tx.state_order(1) == (4, 0)
        assert tx.clock_offset_ms(1) == -6
        tx.forget_state(1)
        assert tx.state_order(1) is None


def test_counts_add_up_and_samples_stay_in_their_slots(store: Store) -> None:
    for size in (1, 2):
        with store.transaction() as tx:
            tx.count(0, 33, 2, 9)
            tx.put_sample(SampleRow(33, 0, 9, "tb/1/x/up/batch", "bad", size, b"head"))
    if isinstance(store, MemoryStore):
        assert store.tables.counts[0, 33] == (4, 9)
        assert store.tables.samples[33, 0].message_bytes == 2
    else:
        assert store.connection.execute("SELECT count FROM intake_count").get == 4
        assert store.connection.execute("SELECT message_bytes FROM intake_sample").get == 2


def test_the_database_is_durable_by_its_settings(tmp_path: Path) -> None:
    store = open_store(tmp_path / "centre.db")
    assert store.connection.pragma("synchronous") == 2  # FULL
    assert store.connection.pragma("journal_mode") == "wal"
    tables = store.connection.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' "
        "AND name NOT LIKE 'sqlite_%' AND type = 'table'"
    ).fetchall()
    assert len(tables) > 10
    assert all(strict for _, strict in tables)
    store.close()


def test_a_locked_database_is_a_store_error(tmp_path: Path) -> None:
    store = open_store(tmp_path / "centre.db")
    store.connection.set_busy_timeout(1)
    other = apsw.Connection(os.fspath(tmp_path / "centre.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"), store.transaction():
        pass
    other.execute("ROLLBACK")
    with store.transaction() as tx:
        assert tx.chains(1) == []
    store.close()
    other.close()
