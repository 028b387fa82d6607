"""What intake needs of a store. Two adapters keep this contract: SQLite and memory.

All calls happen inside `transaction()`: its normal end commits durably, an exception undoes all.
Reads see the writes of the same transaction. Integers stand for terminals (`Terminal.number`).
"""

from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


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


class Arrival(NamedTuple):
    """Everything one batch brought that is new, to be stored as one."""

    number: int
    chain: Chain
    records: list[RecordRow]
    visits: list[VisitRow]
    people: list[PersonRow]
    quarantined: list[QuarantineRow]


class Transaction(Protocol):
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
