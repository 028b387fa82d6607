"""Terminals that make real sealed batches, and a centre around either store."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from protocol.batch import Batch, build_batch, parse_batch
from protocol.envelope import LINK_ZERO, Epoch, Sealed
from protocol.keys import CentreKeys, DeviceKey
from protocol.people import check_character
from protocol.receipts import Answer
from protocol.records import (
    DIRECTION_ENTRY,
    GROUND_AGE,
    GROUND_OFFICER,
    Body,
    Common,
    DeviceState,
    GatePassage,
    Person,
    TicketIssued,
    TimeQuality,
    encode,
)
from sync_server.core.intake import Intake, Taken
from sync_server.core.store_port import ConflictRow, RecordRow, Store, TicketRow, VisitRow
from sync_server.people import PersonVault
from sync_server.store_memory import MemoryStore
from sync_server.store_sqlite import SqliteStore, open_store

UNIT = "dongguan/nancheng/hall-1"
NOON_MS = 1_785_643_200_000  # 2026-08-02 12:00 in Shanghai
DAY = "2026-08-02"
STORES = ("memory", "sqlite")


def number_of(index: int) -> str:
    """A test identity, born in 1900."""
    digits = f"44190019000101{index % 1000:03}"
    return digits + check_character(digits)


def spoilt(raw: bytes) -> bytes:
    """`raw` with one bit of its last byte wrong: never by chance the same bytes."""
    return raw[:-1] + bytes((raw[-1] ^ 1,))


def passage(index: int = 0, direction: int = DIRECTION_ENTRY) -> GatePassage:
    return GatePassage("gate", 1, direction, Person("C", number_of(index), "样例甲"), 0, 7)


def ticket(
    number: str,
    index: int = 0,
    *,
    matter: str = "pension",
    day: str = DAY,
    officer: int | None = None,
) -> TicketIssued:
    """A walk-in number for person `index`, by age or by the word of officer `officer`."""
    person = Person("C", number_of(index), "样例甲")
    if officer is None:
        return TicketIssued("ticket", 1, matter, number, day, GROUND_AGE, person)
    word = Person("C", number_of(officer), "样例乙")
    return TicketIssued("ticket", 1, matter, number, day, GROUND_OFFICER, person, word)


def common_now() -> Common:
    """Of a record of noon, when the clock is good."""
    return Common(1, NOON_MS, TimeQuality.SYNCED, NOON_MS, bytes(8), bytes(8))


class SimTerminal:
    """A terminal's disk and key: seals records in real epochs and builds batches of them."""

    def __init__(self, centre: CentreKeys, name: str = "gate-1", seed: int = 1) -> None:
        self.draw = random.Random(f"{name}/{seed}")
        self.centre = centre
        self.name = name
        self.device = DeviceKey(self.draw.randbytes(32))
        self.rows: list[Sealed] = []
        self.epoch_of: list[Epoch] = []
        self.epoch: Epoch | None = None

    @property
    def link(self) -> bytes:
        return self.rows[-1].link if self.rows else LINK_ZERO

    def new_epoch(self) -> Epoch:
        self.epoch = Epoch.open(
            self.name,
            self.centre.public,
            self.device,
            self.draw.randbytes(16),
            self.draw.randbytes(32),
            len(self.rows) + 1,
            self.link,
        )
        return self.epoch

    def append(
        self, body: Body, at_ms: int = NOON_MS, quality: TimeQuality = TimeQuality.SYNCED
    ) -> Sealed:
        common = Common(1, at_ms, quality, at_ms, self.draw.randbytes(8), self.draw.randbytes(8))
        return self.append_raw(*encode(common, body))

    def append_raw(self, kind: int, coding: int, plaintext: bytes) -> Sealed:
        epoch = self.epoch
        if epoch is None or not epoch.is_open:
            epoch = self.new_epoch()
        row = epoch.seal(kind, coding, plaintext)
        self.rows.append(row)
        self.epoch_of.append(epoch)
        return row

    def visit(self, count: int = 1) -> "SimTerminal":
        """`count` people pass."""
        for _ in range(count):
            self.append(passage(len(self.rows)))
        return self

    def tick(self) -> None:
        """A record that is no visit."""
        self.append(DeviceState(1, 0))

    def link_before(self, seq: int) -> bytes:
        return self.rows[seq - 2].link if seq > 1 else LINK_ZERO

    def batch(self, first: int, last: int, *, opener: bool = True) -> bytes:
        """Records first..last, which lie in one epoch."""
        epoch = self.epoch_of[first - 1]
        assert epoch is self.epoch_of[last - 1], "a batch is of one epoch"
        return build_batch(
            self.device,
            self.name,
            epoch.epoch_id,
            epoch.opener if opener else sha256_of(epoch.opener),
            self.link_before(first),
            self.rows[first - 1 : last],
        )

    def batches(self, size: int = 200) -> Iterator[bytes]:
        """All records, in batches of at most `size` that keep to their epochs."""
        first = 1
        while first <= len(self.rows):
            last = first
            while (
                last < len(self.rows)
                and last - first + 1 < size
                and self.epoch_of[last] is self.epoch_of[first - 1]
            ):
                last += 1
            yield self.batch(first, last)
            first = last + 1

    def restored(self, seq: int, seed: int = 2) -> "SimTerminal":
        """The same terminal with its disk as it was after `seq`."""
        twin = SimTerminal(self.centre, self.name, seed)
        twin.device = self.device
        twin.rows = self.rows[:seq]
        twin.epoch_of = self.epoch_of[:seq]
        return twin

    def parsed(self, raw: bytes) -> Batch:
        return parse_batch(raw, self.device.verify_key, self.name)


def sha256_of(data: bytes) -> bytes:
    return sha256(data).digest()


class Centre:
    """Intake over a store, one commit a batch."""

    def __init__(self, store: Store, keys: CentreKeys) -> None:
        self.store = store
        self.keys = keys
        self.vault = PersonVault(b"r" * 32, b"s" * 32, random.Random(7).randbytes)
        self.intake = Intake(keys, self.vault, store.generation)
        self.now_ms = NOON_MS

    def restart(self) -> None:
        """What a new process knows: the store, nothing else."""
        self.intake = Intake(self.keys, self.vault, self.store.generation)

    def enrol(self, terminal: SimTerminal, unit: str = UNIT, *, revoked: bool = False) -> None:
        enrol(self.store, terminal.name, terminal.device.verify_key, unit, revoked=revoked)

    def take(self, raw: bytes, name: str = "gate-1") -> Taken:
        with self.store.transaction() as tx:
            taken = self.intake.take(tx, name, raw, self.now_ms)
        self.intake.committed()
        return taken

    def answer(self, raw: bytes, name: str = "gate-1") -> Answer:
        answer = self.take(raw, name).answer
        assert answer is not None
        return answer

    # ---- what is stored

    def records(self) -> list[RecordRow]:
        return sorted(_rows(self.store, "record", RecordRow))

    def visits(self) -> list[VisitRow]:
        return sorted(_rows(self.store, "visit", VisitRow), key=lambda row: row[:3])

    def tickets(self) -> dict[int, TicketRow]:
        """By id."""
        if isinstance(self.store, MemoryStore):
            return dict(self.store.tables.ticket)
        assert isinstance(self.store, SqliteStore)
        columns = ", ".join(TicketRow._fields)
        found = self.store.connection.execute(f"SELECT ticket, {columns} FROM ticket")
        return {ticket: TicketRow(*row) for ticket, *row in found}

    def conflicts(self) -> list[ConflictRow]:
        """In the order they were found."""
        if isinstance(self.store, MemoryStore):
            return list(self.store.tables.conflict)
        assert isinstance(self.store, SqliteStore)
        columns = ", ".join(ConflictRow._fields)
        found = self.store.connection.execute(f"SELECT {columns} FROM conflict ORDER BY conflict")
        return [ConflictRow(*row) for row in found]

    def main_seqs(self) -> list[int]:
        return [row.seq for row in self.records() if row.branch == 0]

    def alarms(self) -> list[str]:
        if isinstance(self.store, MemoryStore):
            return [text for _, _, _, text in self.store.tables.alarm]
        assert isinstance(self.store, SqliteStore)
        return [row[0] for row in self.store.connection.execute("SELECT text FROM alarm")]


def _rows(store: Store, table: str, form: type) -> list:
    if isinstance(store, MemoryStore):
        return list(getattr(store.tables, table).values())
    assert isinstance(store, SqliteStore)
    return [form(*row) for row in store.connection.execute(f"SELECT * FROM {table}")]


def enrol(
    store: Store, name: str, verify_key: bytes, unit: str = UNIT, *, revoked: bool = False
) -> None:
    if isinstance(store, MemoryStore):
        store.enrol(name, unit, verify_key, revoked=revoked)
        return
    assert isinstance(store, SqliteStore)
    other = open_store(store.connection.filename)  # as the command line does it, beside a server
    other.connection.execute(
        "INSERT INTO terminal(name, unit, letter, verify_key, revoked, added_ms) "
        "VALUES(?, ?, (SELECT char(65 + count(*)) FROM terminal), ?, ?, 0) "
        "ON CONFLICT(name) DO UPDATE SET revoked = excluded.revoked",
        (name, unit, verify_key, revoked),
    )
    other.close()


def centre_keys() -> CentreKeys:
    return CentreKeys(b"x" * 32, b"e" * 32)


@contextmanager
def new_store(kind: str, folder: Path) -> Iterator[Store]:
    if kind == "memory":
        yield MemoryStore()
        return
    store = open_store(folder / "centre.db")
    try:
        yield store
    finally:
        store.close()
