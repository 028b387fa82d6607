"""What intake needs of a store. Two adapters keep this contract: SQLite and memory.

All calls happen inside `transaction()`: its normal end commits durably, an exception undoes all.
Reads see the writes of the same transaction. Integers stand for terminals (`Terminal.number`).
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sync_server.core.cash_port import CashRow, CashTransaction


class StoreError(Exception):
    """The store could not do it now (disk full, locked, failing); nothing was changed."""


class Terminal(NamedTuple):
    """An enrolled terminal. `unit`: path in the unit tree. `verify_key`: 32 bytes Ed25519."""

    number: int
    name: str
    unit: str
    verify_key: bytes
    revoked: bool


class Chain(NamedTuple):
    """One branch of a terminal's history: its head, and where it left its parent.

    The branch's own records are `fork_seq` < seq <= `seq`; earlier ones are its parent's. Branch 0
    is its own parent and forks at 0. `arrival` orders chains by when they last advanced.
    """

    branch: int
    seq: int
    link: bytes
    parent: int
    fork_seq: int
    arrival: int


class StoredEpoch(NamedTuple):
    """An epoch whose opener is here. `branch`: where its first records went."""

    number: int
    epoch_id: bytes
    opener: bytes
    branch: int


Row = tuple[Any, ...]
"""Of a named row below, its values in order: what comes by the thousand is not named when it is
made, which would cost three times as much."""


class RecordRow(NamedTuple):
    """One record as the terminal said it. Ints and bytes of `common` are None when unreadable."""

    terminal: int
    branch: int
    seq: int
    arrival: int
    kind: int
    coding: int
    at_ms: int | None
    time_quality: int | None
    correlation: bytes | None
    exception: int
    link: bytes
    ciphertext: bytes


class VisitRow(NamedTuple):
    """The effect of a visit. `direction`: 1 entry, 2 exit, 0 neither. `held`: 0 or 1."""

    terminal: int
    branch: int
    seq: int
    business_date: str
    person_ref: bytes | None
    direction: int
    service: str
    status: int
    list_version: int
    held: int


class PersonRow(NamedTuple):
    """A person: pseudonym, document type, sealed number and name."""

    person_ref: bytes
    document: str
    sealed: bytes


class QuarantineRow(NamedTuple):
    """Why a stored record is not in effect. Its bytes are in its RecordRow."""

    terminal: int
    branch: int
    seq: int
    reason: str


class StateRow(NamedTuple):
    """A terminal's newest snapshot. `clock_offset_ms`: centre minus terminal when it came."""

    terminal: int
    session: int
    number: int
    received_ms: int
    clock_offset_ms: int
    body: bytes


class SampleRow(NamedTuple):
    """The beginning of a refused message, in a slot of its code: the latest few are kept."""

    code: int
    slot: int
    received_ms: int
    topic: str
    reason: str
    message_bytes: int
    head: bytes


class TicketRow(NamedTuple):
    """A walk-in ticket. `queued_ms`: when it counts as issued. `held`: it came by a branch.
    `stands`: it is the one of its person, matter and day in its hall."""

    terminal: int
    branch: int
    seq: int
    unit: str
    business_date: str
    matter: str
    number: str
    person_ref: bytes
    ground: int
    officer_ref: bytes | None
    issued_ms: int
    queued_ms: int
    held: int
    stands: int = 0


class StoredTicket(NamedTuple):
    """A ticket that is here already: its id, and whether it stands."""

    ticket: int
    stands: bool


class ConflictRow(NamedTuple):
    """Two tickets that a rule could not settle. `unit`: the hall that decides."""

    reason: str
    unit: str
    found_ms: int
    deadline_ms: int
    first_ticket: int
    later_ticket: int


class HelpCallRow(NamedTuple):
    """A press on the help button."""

    terminal: int
    branch: int
    seq: int
    event: int
    pressed_ms: int


class HelpAnswerRow(NamedTuple):
    """An officer answered. `wait_ms`: from press to answer, None when the board restarted."""

    terminal: int
    branch: int
    seq: int
    event: int
    answered_ms: int
    wait_ms: int | None
    answered_by: int


class DeviceChangeRow(NamedTuple):
    """A device changed its state; numbers as in protocol/wire/states.py."""

    terminal: int
    branch: int
    seq: int
    device: int
    state: int
    detail: int
    at_ms: int


@dataclass(slots=True)
class Arrival:
    """Everything one batch brought that is new, to be stored as one. Tickets and cash are stored
    one by one (core.unique, core.ledger), before the rest. `records`: as RecordRow; `visits`: as
    VisitRow. `name`: of the terminal."""

    number: int
    chain: Chain
    unit: str = ""
    received_ms: int = 0
    records: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    people: list[PersonRow] = field(default_factory=list)
    quarantined: list[QuarantineRow] = field(default_factory=list)
    tickets: list[TicketRow] = field(default_factory=list)
    help_calls: list[HelpCallRow] = field(default_factory=list)
    help_answers: list[HelpAnswerRow] = field(default_factory=list)
    device_changes: list[DeviceChangeRow] = field(default_factory=list)
    cash: list[CashRow] = field(default_factory=list)
    name: str = ""


class Transaction(CashTransaction, Protocol):
    """Reads and writes of one commit."""

    def terminal(self, name: str) -> Terminal | None:
        """The enrolled terminal of this name."""

    def chains(self, terminal: int) -> list[Chain]:
        """All branches by number; empty before the first record."""

    def link_at(self, terminal: int, branch: int, seq: int) -> bytes | None:
        """The link of a branch's own record."""

    def exceptions(
        self, terminal: int, branch: int, first: int, last: int
    ) -> list[tuple[int, int]]:
        """(seq, ExceptionCode) of a branch's own records in first..last that have one, by seq."""

    def epoch(self, terminal: int, opener_hash: bytes) -> StoredEpoch | None:
        """The epoch of this opener."""

    def clock_offset_ms(self, terminal: int) -> int | None:
        """Centre minus terminal, by the newest snapshot."""

    def add_epoch(
        self, terminal: int, opener_hash: bytes, epoch_id: bytes, opener: bytes, branch: int
    ) -> StoredEpoch:
        """Store an opener."""

    def new_arrival(
        self, terminal: int, epoch: int, received_ms: int, clock_offset_ms: int | None
    ) -> int:
        """The number of a new arrival; numbers only go up."""

    def add(self, terminal: int, arrival: Arrival) -> None:
        """Store records with their effects and the chain's new head. A person may be known."""

    def tickets_of(
        self, unit: str, business_date: str, matter: str, person_ref: bytes
    ) -> list[StoredTicket]:
        """A person's tickets of a hall, day and matter, by id."""

    def tickets_numbered(self, unit: str, business_date: str, number: str) -> list[StoredTicket]:
        """The tickets of a hall and day with this number, by id."""

    def add_ticket(self, row: TicketRow) -> int:
        """Store a ticket, waiting; gives its id. Ids only go up."""

    def add_conflict(self, row: ConflictRow) -> None:
        """Leave something to a person."""

    def raise_alarm(self, terminal: int, code: str, now_ms: int, text: str) -> None:
        """Ask a person to look at a terminal."""

    def state_order(self, terminal: int) -> tuple[int, int] | None:
        """(session, number) of the newest snapshot."""

    def put_state(self, row: StateRow) -> None:
        """Replace the snapshot of a terminal."""

    def forget_state(self, terminal: int) -> None:
        """Take any next snapshot of a terminal as the newest."""

    def count(self, terminal: int, code: int, count: int, now_ms: int) -> None:
        """Add to a counter; terminal 0 stands for all unknown ones."""

    def put_sample(self, row: SampleRow) -> None:
        """Keep it in place of what its slot held."""


class Store(Protocol):
    """A durable store with one writer at a time."""

    @property
    def generation(self) -> int:
        """New after each restore of the centre from a backup."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Everything inside is one durable commit, or nothing. Raises StoreError."""
