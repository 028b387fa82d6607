"""The store on SQLite: one connection, one writer; other processes may read and enrol beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import apsw

from sync_server.core.store_port import (
    Arrival,
    Chain,
    ConflictRow,
    SampleRow,
    StateRow,
    StoredEpoch,
    StoredTicket,
    StoreError,
    Terminal,
    TicketRow,
)
from sync_server.store_sqlite_cash import SqliteCash
from tongban.database import migrate, open_database

DATABASE_FILE = "centre.db"
CACHE_KIB = 64 * 1024
ROWS_A_STATEMENT = 64
CHECKPOINT_PAGES = 8_000  # 32 MiB of log: each page is then copied once for many commits


def open_store(path: Path | str, *, vfs: str | None = None) -> "SqliteStore":
    """Open (or make) the centre's database and bring its schema up to date.

    Raises tongban.database.DatabaseError.
    """
    connection = open_database(path, vfs=vfs)
    connection.pragma("cache_size", -CACHE_KIB)
    connection.pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
    migrate(connection, "sync_server")
    return SqliteStore(connection)


@contextmanager
def immediate(connection: apsw.Connection) -> Iterator[None]:
    """One durable commit that holds the write lock from its beginning. Raises StoreError."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:  # SQLite ended it already on a full or failing disk
            connection.execute("ROLLBACK")
        if isinstance(error, apsw.Error):
            raise StoreError(f"database: {error}") from error
        raise


class SqliteStore:
    """Adapter of core.store_port.Store. Not thread-safe: one thread uses it at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._terminals: dict[str, Terminal | None] = {}
        self._terminals_seen = -1

    @property
    def generation(self) -> int:
        """New after each restore of the centre from a backup."""
        return int(self.connection.execute("SELECT value FROM meta WHERE name = 'generation'").get)

    @contextmanager
    def transaction(self) -> Iterator["SqliteTransaction"]:
        """One durable commit, or nothing. Raises StoreError."""
        with immediate(self.connection):
            yield SqliteTransaction(self.connection, self._fresh_terminals())

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _fresh_terminals(self) -> dict[str, Terminal | None]:
        """Terminals by name, forgotten when another process has changed the database."""
        version = self.connection.pragma("data_version")
        if version != self._terminals_seen:
            self._terminals.clear()
            self._terminals_seen = version
        return self._terminals


@lru_cache
def _values(into: str, rows: int, columns: int) -> str:
    """`into` with placeholders."""
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES{', '.join([row] * rows)}"


class SqliteTransaction(SqliteCash):
    """Adapter of core.store_port.Transaction."""

    def __init__(self, connection: apsw.Connection, terminals: dict[str, Terminal | None]) -> None:
        super().__init__(connection)
        self._many = connection.executemany
        self._connection = connection
        self._terminals = terminals

    def _row(self, sql: str, *values: object) -> Any:
        """The first row as a tuple, or None."""
        return self._do(sql, values).fetchone()

    def terminal(self, name: str) -> Terminal | None:
        found = self._terminals.get(name)
        if found is None:
            row = self._row(
                "SELECT terminal, name, unit, verify_key, revoked FROM terminal WHERE name = ?",
                name,
            )
            if row is not None:
                number, _, unit, key, revoked = row
                found = Terminal(number, name, unit, key, bool(revoked))
                self._terminals[name] = found
        return found

    def chains(self, terminal: int) -> list[Chain]:
        rows = self._do(
            "SELECT branch, seq, link, parent, fork_seq, arrival FROM chain "
            "WHERE terminal = ? ORDER BY branch",
            (terminal,),
        )
        return [Chain(*row) for row in rows]

    def link_at(self, terminal: int, branch: int, seq: int) -> bytes | None:
        row = self._row(
            "SELECT link FROM record WHERE terminal = ? AND branch = ? AND seq = ?",
            terminal,
            branch,
            seq,
        )
        return None if row is None else bytes(row[0])

    def exceptions(
        self, terminal: int, branch: int, first: int, last: int
    ) -> list[tuple[int, int]]:
        rows = self._do(
            "SELECT seq, exception FROM record WHERE terminal = ? AND branch = ? "
            "AND seq BETWEEN ? AND ? AND exception <> 0 ORDER BY seq",
            (terminal, branch, first, last),
        )
        return [(seq, code) for seq, code in rows]

    def epoch(self, terminal: int, opener_hash: bytes) -> StoredEpoch | None:
        row = self._row(
            "SELECT epoch, epoch_id, opener, branch FROM epoch "
            "WHERE terminal = ? AND opener_hash = ?",
            terminal,
            opener_hash,
        )
        return None if row is None else StoredEpoch(*row)

    def clock_offset_ms(self, terminal: int) -> int | None:
        row = self._row("SELECT clock_offset_ms FROM terminal_state WHERE terminal = ?", terminal)
        return None if row is None else int(row[0])

    def add_epoch(
        self, terminal: int, opener_hash: bytes, epoch_id: bytes, opener: bytes, branch: int
    ) -> StoredEpoch:
        self._do(
            "INSERT INTO epoch(terminal, opener_hash, epoch_id, opener, branch) "
            "VALUES(?, ?, ?, ?, ?)",
            (terminal, opener_hash, epoch_id, opener, branch),
        )
        return StoredEpoch(self._connection.last_insert_rowid(), epoch_id, opener, branch)

    def new_arrival(
        self, terminal: int, epoch: int, received_ms: int, clock_offset_ms: int | None
    ) -> int:
        self._do(
            "INSERT INTO arrival(terminal, epoch, received_ms, clock_offset_ms) VALUES(?, ?, ?, ?)",
            (terminal, epoch, received_ms, clock_offset_ms),
        )
        return self._connection.last_insert_rowid()

    def add(self, terminal: int, arrival: Arrival) -> None:
        self._insert("INSERT INTO record", arrival.records)
        self._add_visits(terminal, arrival)
        self._insert("INSERT OR IGNORE INTO person", arrival.people)
        self._insert("INSERT INTO quarantine", arrival.quarantined)
        self._insert("INSERT INTO help_call", arrival.help_calls)
        self._insert("INSERT INTO help_answer", arrival.help_answers)
        self._insert("INSERT INTO device_change", arrival.device_changes)
        self._do(
            "INSERT INTO chain(terminal, branch, seq, link, parent, fork_seq, arrival) "
            "VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "seq = excluded.seq, link = excluded.link, arrival = excluded.arrival",
            (terminal, *arrival.chain),
        )

    def _add_visits(self, terminal: int, arrival: Arrival) -> None:
        """The rows, and how many there are: of one batch all are held or none."""
        count = len(arrival.visits)
        if not count:
            return
        self._insert("INSERT INTO visit", arrival.visits)
        held = count if arrival.chain.branch else 0
        self._do(
            "INSERT INTO visit_count VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET "
            "visits = visits + excluded.visits, held = held + excluded.held",
            (terminal, count - held, held),
        )

    def _insert(self, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows by as few statements as can be: one of many rows costs a third less."""
        whole = len(rows) - len(rows) % ROWS_A_STATEMENT
        for at in range(0, whole, ROWS_A_STATEMENT):
            some = rows[at : at + ROWS_A_STATEMENT]
            self._do(_values(into, len(some), len(some[0])), list(chain.from_iterable(some)))
        if whole < len(rows):
            self._many(_values(into, 1, len(rows[0])), rows[whole:])

    def tickets_of(
        self, unit: str, business_date: str, matter: str, person_ref: bytes
    ) -> list[StoredTicket]:
        return self._tickets(
            "unit = ? AND business_date = ? AND person_ref = ? AND matter = ?",
            (unit, business_date, person_ref, matter),
        )

    def tickets_numbered(self, unit: str, business_date: str, number: str) -> list[StoredTicket]:
        values = (unit, business_date, number)
        return self._tickets("unit = ? AND business_date = ? AND number = ?", values)

    def _tickets(self, condition: str, values: tuple[str | bytes, ...]) -> list[StoredTicket]:
        sql = f"SELECT ticket, stands FROM ticket WHERE {condition} ORDER BY ticket"
        return [StoredTicket(ticket, bool(stands)) for ticket, stands in self._do(sql, values)]

    def add_ticket(self, row: TicketRow) -> int:
        self._do(
            "INSERT INTO ticket(terminal, branch, seq, unit, business_date, matter, number, "
            "person_ref, ground, officer_ref, issued_ms, queued_ms, held, stands) "
            "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        return self._connection.last_insert_rowid()

    def add_conflict(self, row: ConflictRow) -> None:
        self._do(
            "INSERT INTO conflict(reason, unit, found_ms, deadline_ms, first_ticket, later_ticket) "
            "VALUES(?, ?, ?, ?, ?, ?)",
            row,
        )

    def raise_alarm(self, terminal: int, code: str, now_ms: int, text: str) -> None:
        self._do(
            "INSERT INTO alarm(terminal, code, raised_ms, text) VALUES(?, ?, ?, ?)",
            (terminal, code, now_ms, text),
        )

    def state_order(self, terminal: int) -> tuple[int, int] | None:
        row = self._row("SELECT session, number FROM terminal_state WHERE terminal = ?", terminal)
        return None if row is None else (row[0], row[1])

    def put_state(self, row: StateRow) -> None:
        self._do("INSERT OR REPLACE INTO terminal_state VALUES(?, ?, ?, ?, ?, ?)", row)

    def forget_state(self, terminal: int) -> None:
        self._do("DELETE FROM terminal_state WHERE terminal = ?", (terminal,))

    def count(self, terminal: int, code: int, count: int, now_ms: int) -> None:
        self._do(
            "INSERT INTO intake_count VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "count = count + excluded.count, last_ms = excluded.last_ms",
            (terminal, code, count, now_ms),
        )

    def put_sample(self, row: SampleRow) -> None:
        self._do("INSERT OR REPLACE INTO intake_sample VALUES(?, ?, ?, ?, ?, ?, ?)", row)
