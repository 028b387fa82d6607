"""The store in memory: for worlds in virtual time and for checks against SQLite."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, fields
from typing import TypeVar

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
    StoredEpoch,
    StoredTicket,
    Terminal,
    TicketRow,
    VisitRow,
)
from sync_server.store_memory_cash import CashTables, MemoryCash

Key = tuple[int, int, int]
Row = TypeVar("Row")


@dataclass
class Tables(CashTables):
    """Everything that is stored; a transaction works on a copy of it."""

    terminals: dict[str, Terminal] = field(default_factory=dict)
    chain: dict[tuple[int, int], Chain] = field(default_factory=dict)
    epoch: dict[tuple[int, bytes], StoredEpoch] = field(default_factory=dict)
    arrival: dict[int, tuple[int, int, int, int | None]] = field(default_factory=dict)
    record: dict[Key, RecordRow] = field(default_factory=dict)
    visit: dict[Key, VisitRow] = field(default_factory=dict)
    person: dict[bytes, PersonRow] = field(default_factory=dict)
    quarantine: dict[Key, QuarantineRow] = field(default_factory=dict)
    ticket: dict[int, TicketRow] = field(default_factory=dict)
    conflict: list[ConflictRow] = field(default_factory=list)
    help_call: dict[Key, HelpCallRow] = field(default_factory=dict)
    help_answer: dict[Key, HelpAnswerRow] = field(default_factory=dict)
    device_change: dict[Key, DeviceChangeRow] = field(default_factory=dict)
    alarm: list[tuple[int, str, int, str]] = field(default_factory=list)
    state: dict[int, StateRow] = field(default_factory=dict)
    counts: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    samples: dict[tuple[int, int], SampleRow] = field(default_factory=dict)

    def snapshot(self) -> "Tables":
        """The same rows in tables of their own."""
        return Tables(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})


class MemoryStore:
    """Adapter of core.store_port.Store; nothing outlives the process."""

    def __init__(self, generation: int = 1) -> None:
        self.generation = generation
        self.tables = Tables()

    def enrol(self, name: str, unit: str, verify_key: bytes, *, revoked: bool = False) -> None:
        """Add a terminal, or change it."""
        known = self.tables.terminals.get(name)
        number = known.number if known else len(self.tables.terminals) + 1
        self.tables.terminals[name] = Terminal(number, name, unit, verify_key, revoked)

    @contextmanager
    def transaction(self) -> Iterator["MemoryTransaction"]:
        """All or nothing."""
        before = self.tables.snapshot()
        try:
            yield MemoryTransaction(self.tables)
        except BaseException:
            self.tables = before
            raise


class MemoryTransaction(MemoryCash):
    """Adapter of core.store_port.Transaction."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._tables = tables

    def terminal(self, name: str) -> Terminal | None:
        return self._tables.terminals.get(name)

    def chains(self, terminal: int) -> list[Chain]:
        found = [chain for (owner, _), chain in self._tables.chain.items() if owner == terminal]
        return sorted(found)

    def link_at(self, terminal: int, branch: int, seq: int) -> bytes | None:
        row = self._tables.record.get((terminal, branch, seq))
        return None if row is None else row.link

    def exceptions(
        self, terminal: int, branch: int, first: int, last: int
    ) -> list[tuple[int, int]]:
        rows = (self._tables.record.get((terminal, branch, seq)) for seq in range(first, last + 1))
        return [(row.seq, row.exception) for row in rows if row is not None and row.exception]

    def epoch(self, terminal: int, opener_hash: bytes) -> StoredEpoch | None:
        return self._tables.epoch.get((terminal, opener_hash))

    def clock_offset_ms(self, terminal: int) -> int | None:
        row = self._tables.state.get(terminal)
        return None if row is None else row.clock_offset_ms

    def add_epoch(
        self, terminal: int, opener_hash: bytes, epoch_id: bytes, opener: bytes, branch: int
    ) -> StoredEpoch:
        epoch = StoredEpoch(len(self._tables.epoch) + 1, epoch_id, opener, branch)
        self._tables.epoch[terminal, opener_hash] = epoch
        return epoch

    def new_arrival(
        self, terminal: int, epoch: int, received_ms: int, clock_offset_ms: int | None
    ) -> int:
        number = len(self._tables.arrival) + 1
        self._tables.arrival[number] = (terminal, epoch, received_ms, clock_offset_ms)
        return number

    def add(self, terminal: int, arrival: Arrival) -> None:
        tables = self._tables
        for row in arrival.records:
            _insert(tables.record, row[:3], RecordRow(*row))
        for row in arrival.visits:
            _insert(tables.visit, row[:3], VisitRow(*row))
        for person in arrival.people:
            tables.person.setdefault(person.person_ref, person)
        for line in arrival.quarantined:
            _insert(tables.quarantine, line[:3], line)
        for call in arrival.help_calls:
            _insert(tables.help_call, call[:3], call)
        for answer in arrival.help_answers:
            _insert(tables.help_answer, answer[:3], answer)
        for change in arrival.device_changes:
            _insert(tables.device_change, change[:3], change)
        tables.chain[terminal, arrival.chain.branch] = arrival.chain

    def tickets_of(
        self, unit: str, business_date: str, matter: str, person_ref: bytes
    ) -> list[StoredTicket]:
        wanted = (unit, business_date, matter, person_ref)
        return self._tickets(
            lambda row: (row.unit, row.business_date, row.matter, row.person_ref) == wanted
        )

    def tickets_numbered(self, unit: str, business_date: str, number: str) -> list[StoredTicket]:
        wanted = (unit, business_date, number)
        return self._tickets(lambda row: (row.unit, row.business_date, row.number) == wanted)

    def _tickets(self, is_wanted: Callable[[TicketRow], bool]) -> list[StoredTicket]:
        found = self._tables.ticket.items()
        return [StoredTicket(id_, bool(row.stands)) for id_, row in found if is_wanted(row)]

    def add_ticket(self, row: TicketRow) -> int:
        ticket = len(self._tables.ticket) + 1
        self._tables.ticket[ticket] = row
        return ticket

    def add_conflict(self, row: ConflictRow) -> None:
        self._tables.conflict.append(row)

    def raise_alarm(self, terminal: int, code: str, now_ms: int, text: str) -> None:
        self._tables.alarm.append((terminal, code, now_ms, text))

    def state_order(self, terminal: int) -> tuple[int, int] | None:
        row = self._tables.state.get(terminal)
        return None if row is None else (row.session, row.number)

    def put_state(self, row: StateRow) -> None:
        self._tables.state[row.terminal] = row

    def forget_state(self, terminal: int) -> None:
        self._tables.state.pop(terminal, None)

    def count(self, terminal: int, code: int, count: int, now_ms: int) -> None:
        before, _ = self._tables.counts.get((terminal, code), (0, 0))
        self._tables.counts[terminal, code] = (before + count, now_ms)

    def put_sample(self, row: SampleRow) -> None:
        self._tables.samples[row.code, row.slot] = row


def _insert(table: dict[Key, Row], key: Key, row: Row) -> None:
    """As a primary key does it: the same key twice is an error."""
    if key in table:
        raise KeyError(f"{key} is stored already")
    table[key] = row
