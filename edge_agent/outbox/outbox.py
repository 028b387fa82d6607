"""The outbox as the rest of the agent sees it: append, read, settle. All of it is thread-safe.

What is written gives a future that has a result once it is durable, and is written once somebody
asks it: by `add_done_callback`, by `result` or by `exception` (writer.py).
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import apsw

from edge_agent.core.cash_events import SavedCash, SavedNote
from edge_agent.outbox import cash
from edge_agent.outbox.jobs import AppendJob, OfferAgainJob, SettleJob, SqlJob
from edge_agent.outbox.sealer import Sealer, read_head
from edge_agent.outbox.types import (
    INTENT_BYTES,
    RECORDS_AN_APPEND_MAX,
    Appended,
    Draft,
    Head,
    LocalEffect,
    PendingRows,
    TicketDay,
)
from edge_agent.outbox.writer import Writer, explained, open_outbox_database
from protocol.envelope import PLAINTEXT_BYTES_MAX, Sealed
from protocol.fields import U16_MAX
from protocol.keys import CentrePublic, DeviceKey
from protocol.receipts import Receipt

SALT_BYTES = 16
U8_MAX = 0xFF
T = TypeVar("T")

_PENDING_EPOCH = (
    "SELECT e.number, e.epoch_id, e.opener, e.at_centre, e.first_seq, e.link_before FROM record r "
    "JOIN epoch e ON e.number = r.epoch WHERE r.seq > ? ORDER BY r.seq LIMIT 1"
)
_PENDING_ROWS = (
    "SELECT seq, kind, coding, ciphertext, link FROM record "
    "WHERE seq > ? AND epoch = ? ORDER BY seq LIMIT ?"
)
_NEXT_SESSION = (
    "INSERT INTO number VALUES ('session', 1) "
    "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
)
_RAISE_SESSION = (
    "INSERT INTO number VALUES ('session', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
)
_TAKE_COMMAND = (
    "INSERT INTO number VALUES ('commands_through', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
)
_COUNT_VISITS = "SELECT count(*) FROM record WHERE visit = 1 AND seq > ? AND seq <= ?"
_SET_STATUS_LIST = (
    "INSERT INTO status_list VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET "
    "version = excluded.version, raw = excluded.raw WHERE excluded.version > version"
)


class _VisitCount:
    """Visits through a seq; only the records between the last question and this one are read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._count = 0

    def at(self, seq: int, count: Callable[[int, int], int]) -> int:
        """`count(after, through)` reads the visits of some records."""
        with self._lock:
            if seq >= self._seq:
                self._count += count(self._seq, seq)
            else:  # the centre was restored, and what was settled is not
                self._count -= count(seq, self._seq)
            self._seq = seq
            return self._count


class Outbox:
    """`clock()` gives Unix ms; `entropy(n)` n random bytes. Use `Outbox.open`, end with `close`."""

    def __init__(
        self, writer: Writer, reader: apsw.Connection, entropy: Callable[[int], bytes]
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._entropy = entropy
        self._reading = threading.Lock()
        self._visits = _VisitCount()
        self._settled_visits = _VisitCount()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        terminal: str,
        centre_public: CentrePublic,
        device_key: DeviceKey,
        entropy: Callable[[int], bytes],
        clock: Callable[[], int],
        vfs: str | None = None,
    ) -> "Outbox":
        """Open or make the database at `path`. Raises DatabaseError."""
        sealer = Sealer(terminal, centre_public, device_key, entropy, clock)
        reader = open_outbox_database(path, vfs, terminal)
        try:
            writer = Writer(path, vfs, terminal, sealer)
        except BaseException:
            reader.close(True)
            raise
        return cls(writer, reader, entropy)

    def close(self) -> None:
        """Finish what waits, then close."""
        self._writer.stop()
        with self._reading:
            self._reader.close(True)

    # ---- writing

    def append(
        self, intent: bytes, drafts: Sequence[Draft], effects: Sequence[LocalEffect] = ()
    ) -> "Future[Appended]":
        """One FULL commit of records and local effects, written once the future is asked.

        `intent`: 16 bytes; the same one again gives the first result. The future fails with
        OutboxFailedError: then nothing may be told. Raises OutboxFullError, ValueError at once.
        """
        if len(intent) != INTENT_BYTES:
            raise ValueError(f"an intent has {INTENT_BYTES} bytes, not {len(intent)}")
        if len(drafts) > RECORDS_AN_APPEND_MAX:
            raise ValueError(f"{len(drafts)} records at once, at most {RECORDS_AN_APPEND_MAX}")
        for draft in drafts:
            if len(draft.plaintext) > PLAINTEXT_BYTES_MAX:
                raise ValueError(f"record of {len(draft.plaintext)} bytes is too long")
            if not (0 <= draft.kind <= U16_MAX and 0 <= draft.coding <= U8_MAX):
                raise ValueError(f"kind {draft.kind} or coding {draft.coding} is out of range")
        return self._writer.submit(AppendJob(intent, tuple(drafts), tuple(effects)))

    def settle(self, receipt: Receipt, raw: bytes, now_ms: int) -> "Future[int]":
        """Settle through a receipt that was verified against `link_at`; durable when resolved."""
        return self._writer.submit(SettleJob(receipt, raw, now_ms))

    def offer_again(self, after_seq: int, generation: int, *, lost_records: bool) -> "Future[None]":
        """The centre lacks the openers, or with `lost_records` the records too, after a seq."""
        return self._writer.submit(OfferAgainJob(after_seq, generation, lost_records))

    def raise_session(self, above: int) -> "Future[None]":
        """The next session will be greater than `above`."""
        return self._writer.submit(SqlJob(_RAISE_SESSION, (above,)))

    def next_session(self) -> "Future[int]":
        """A connection number that was never used before, durable."""
        return self._writer.submit(SqlJob(_NEXT_SESSION, ()))

    def take_command(self, number: int) -> "Future[None]":
        """The centre's commands through this number are taken, for ever."""
        return self._writer.submit(SqlJob(_TAKE_COMMAND, (number,)))

    def keep_status_list(self, version: int, raw: bytes) -> "Future[None]":
        """Keep a verified signed list unless a newer one is in force."""
        return self._writer.submit(SqlJob(_SET_STATUS_LIST, (version, raw)))

    def day_salt(self, day: str) -> bytes:
        """The 16-byte salt of a day (ISO date), made when first asked for."""
        found = self._value("SELECT salt FROM day_salt WHERE day = ?", day)
        if found is None:
            new = (day, self._entropy(SALT_BYTES))
            self._writer.submit(
                SqlJob("INSERT OR IGNORE INTO day_salt VALUES (?, ?)", new)
            ).result()
            found = self._value("SELECT salt FROM day_salt WHERE day = ?", day)
        return bytes(found)

    # ---- reading

    def head(self) -> Head:
        """The end of the chain."""
        with self._reading:
            return self._guarded(lambda: read_head(self._reader))

    def link_at(self, seq: int) -> bytes | None:
        """Our own chain value after record `seq`, None when we have no such record."""
        found = self._value("SELECT link FROM record WHERE seq = ?", seq)
        return None if found is None else bytes(found)

    def pending(self, after_seq: int, limit: int) -> PendingRows | None:
        """Up to `limit` records after a seq, all of one epoch; None when there is none."""
        with self._reading:
            return self._guarded(lambda: self._read_pending(after_seq, limit))

    def _read_pending(self, after_seq: int, limit: int) -> PendingRows | None:
        epoch = self._reader.execute(_PENDING_EPOCH, (after_seq,)).fetchone()
        if epoch is None:
            return None
        number, epoch_id, opener, at_centre, first_seq, link_before = epoch
        cursor = self._reader.execute(_PENDING_ROWS, (after_seq, number, limit))
        rows = [Sealed(*row) for row in cursor]
        if rows[0].seq != first_seq:
            sql = "SELECT link FROM record WHERE seq = ?"
            link_before = self._reader.execute(sql, (rows[0].seq - 1,)).get
        return PendingRows(epoch_id, opener, bool(at_centre), link_before, rows)

    @property
    def settled_seq(self) -> int:
        """Everything through this seq is settled."""
        return int(self._value("SELECT through_seq FROM settled") or 0)

    @property
    def generation(self) -> int:
        """The highest generation of the centre that was ever seen, 0 before the first receipt."""
        return int(self._value("SELECT generation FROM settled") or 0)

    def backlog(self) -> tuple[int, int]:
        """(unsettled records, Unix ms when the oldest of them was made or 0)."""
        settled = self.settled_seq
        count = self.head().seq - settled
        made = self._value("SELECT made_ms FROM record WHERE seq = ?", settled + 1)
        return count, int(made or 0)

    def visits(self) -> tuple[int, int]:
        """(visits, settled visits) ever recorded here."""
        head, settled = self.head().seq, self.settled_seq
        return self._visits.at(head, self._count_visits), self._settled_visits.at(
            settled, self._count_visits
        )

    def _count_visits(self, after: int, through: int) -> int:
        return int(self._value(_COUNT_VISITS, after, through))

    def flows(self) -> list[tuple[bytes, bytes]]:
        """(flow id, state) of visits that were under way."""
        with self._reading:
            return self._guarded(lambda: list(self._reader.execute("SELECT * FROM flow")))

    def passage(self, day: str, who: bytes) -> str | None:
        """Which way this person (scrypt digest) went last today."""
        sql = "SELECT direction FROM passage WHERE day = ? AND who = ?"
        found = self._value(sql, day, who)
        return None if found is None else str(found)

    def ticket_day(self, day: str, who: bytes, matter: str) -> TicketDay:
        """The walk-in numbers of a day, and the one that this person (scrypt digest) has."""
        with self._reading:
            return self._guarded(lambda: TicketDay(*self._read_tickets(day, who, matter)))

    def _read_tickets(self, day: str, who: bytes, matter: str) -> tuple[int, int, bool]:
        counter = self._reader.execute(
            "SELECT last, closed FROM ticket_counter WHERE day = ?", (day,)
        ).fetchone()
        own = self._reader.execute(
            "SELECT number FROM ticket WHERE day = ? AND who = ? AND matter = ?", (day, who, matter)
        ).get
        last, closed = counter or (0, 0)
        return own or 0, last, bool(closed)

    def cash(self) -> SavedCash:
        """What an earlier life left of cash: open payments, undecided notes, counters."""
        with self._reading:
            return self._guarded(lambda: cash.read_saved(self._reader))

    def cash_note(self, note: int) -> SavedNote | None:
        """A bank note by its number."""
        with self._reading:
            return self._guarded(lambda: cash.read_note(self._reader, note))

    def cash_payment_of(self, session: int) -> bytes | None:
        """The payment that had this session of the board."""
        with self._reading:
            return self._guarded(lambda: cash.read_payment_of(self._reader, session))

    def floor_ms(self) -> int:
        """Highest time ever seen, Unix ms; 0 when none."""
        return self.number("floor_ms")

    def commands_through(self) -> int:
        """The highest number of the centre's commands that was taken, 0 for none."""
        return self.number("commands_through")

    def number(self, name: str) -> int:
        """A number by its name, 0 when it was never kept."""
        return int(self._value("SELECT value FROM number WHERE name = ?", name) or 0)

    def status_list(self) -> bytes | None:
        """The signed status list in force, as it came."""
        found = self._value("SELECT raw FROM status_list")
        return None if found is None else bytes(found)

    def _value(self, sql: str, *values: "apsw.SQLiteValue") -> Any:
        with self._reading:
            return self._guarded(lambda: self._reader.execute(sql, values).get)

    @staticmethod
    def _guarded(read: Callable[[], T]) -> T:
        try:
            return read()
        except apsw.Error as error:
            raise explained(error) from error
