"""What the cash desk is told of and what it wants done. Amounts in fen; plain data.

Store effects (`Store`) are answered by `CashDesk.stored` with their `intent`: the same for the same
deed in every life of this program, so that a retry after an uncertain commit is harmless.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from protocol.records import Person

PAYMENT_BYTES = 8
NO_PAYMENT = bytes(PAYMENT_BYTES)
INTENT_BYTES = 16

PAID, STOPPED, TIME_LIMIT = "paid", "stopped", "time_limit"
DEVICE_FAULT, IN_DOUBT, UNKNOWN = "device_fault", "in_doubt", "unknown"
"""How a payment ends for the person."""

HINT_NONE, HINT_REJECTED, HINT_RETURNED = "", "rejected", "returned"
"""What the person may wonder about: a note that was not taken, a note that came back."""

WANTED, STACKED, RETURNED, CASE = 1, 2, 3, 4
"""A note as it lies in the database: 2 to 4 are ends, one less than in a cash.note record."""


@dataclass(frozen=True)
class Order:
    """One try to pay. `payment`: 8 bytes, `session`: u32, neither zero, never used before.

    `notes`: mask of states.NOTE_YUAN. `fields`: the service.fact of what was paid for, None for no
    such record. Person and fields are in memory only.
    """

    payment: bytes
    session: int
    service: str
    definition: int
    due_fen: int
    notes: int
    person: Person | None = None
    fields: Mapping[str, str | int] | None = None


@dataclass(frozen=True)
class SavedPayment:
    """A payment that the database holds as open. `paid_fen`: its notes in the cassette."""

    payment: bytes
    session: int
    service: str
    definition: int
    due_fen: int
    paid_fen: int
    notes_ended: int


@dataclass(frozen=True)
class SavedNote:
    """A note as the database has it."""

    note: int
    payment: bytes
    session: int
    fen: int
    state: int


@dataclass(frozen=True)
class SavedCash:
    """What an earlier life left: open payments, their notes without an end, counters.

    `vouchers`: number of the last voucher; `cassettes`: how often the cassette was taken out;
    `cassette_notes`, `cassette_fen`: what is in it.
    """

    payments: tuple[SavedPayment, ...] = ()
    notes: tuple[SavedNote, ...] = ()
    vouchers: int = 0
    cassettes: int = 0
    cassette_notes: int = 0
    cassette_fen: int = 0


class Find(Protocol):
    """Reads the database."""

    def cash_note(self, note: int) -> SavedNote | None:
        """A note by its number."""

    def cash_payment_of(self, session: int) -> bytes | None:
        """The payment that had this session."""


@dataclass(frozen=True)
class NoteTold:
    """CASH_NOTE of the board: `state` states.NOTE_*, `place` and `reason` of a case."""

    note: int
    session: int
    fen: int
    state: int
    place: int = 0
    reason: int = 0


# ---- to the disk


@dataclass(frozen=True)
class OpenPayment:
    """The payment may take notes from now on."""

    order: Order

    @property
    def intent(self) -> bytes:
        """16 bytes."""
        return intent_of(b"cash open", self.order.payment)


@dataclass(frozen=True)
class WantNote:
    """The note in escrow is to be taken for this payment."""

    note: int
    payment: bytes
    session: int
    fen: int

    @property
    def intent(self) -> bytes:
        """16 bytes."""
        return intent_of(b"cash want", self.note.to_bytes(8))


@dataclass(frozen=True)
class EndNote:
    """What became of a note, once for ever. `state`: STACKED, RETURNED or CASE."""

    note: int
    payment: bytes
    session: int
    fen: int
    state: int
    place: int = 0
    reason: int = 0

    @property
    def intent(self) -> bytes:
        """16 bytes."""
        return intent_of(b"cash note", self.note.to_bytes(8))


@dataclass(frozen=True)
class EndPayment:
    """The payment is over. `notes`: how many it took or gave back; with none there is no record.

    `voucher`: for what is owed to the person, "" for nothing; `vouchers`: its counter.
    """

    order: Order
    paid_fen: int
    kept_fen: int
    voucher: str
    vouchers: int
    notes: int

    @property
    def intent(self) -> bytes:
        """16 bytes."""
        return intent_of(b"cash payment", self.order.payment)


@dataclass(frozen=True)
class EndCassette:
    """The cassette was taken out for the `number`th time, with this in it."""

    number: int
    notes: int
    fen: int

    @property
    def intent(self) -> bytes:
        """16 bytes."""
        return intent_of(b"cash cassette", self.number.to_bytes(8))


Store = OpenPayment | WantNote | EndNote | EndPayment | EndCassette


# ---- to the board


@dataclass(frozen=True)
class Accept:
    """Take notes of this mask for a session; 0 takes none any more."""

    session: int
    notes: int


@dataclass(frozen=True)
class Stack:
    """Take the note in escrow."""

    note: int


@dataclass(frozen=True)
class Return:
    """Give the note in escrow back."""

    note: int


@dataclass(frozen=True)
class Ack:
    """The end of this note is durable here: the board may forget it."""

    note: int


# ---- to the visit and the terminal


class Amounts(NamedTuple):
    """What a person is told, in fen. `doubt_fen`: of notes that nobody can tell of yet."""

    due_fen: int
    paid_fen: int
    kept_fen: int = 0
    refund_fen: int = 0
    doubt_fen: int = 0


@dataclass(frozen=True)
class Progress:
    """The payment goes on. `open`: notes are taken; `busy`: one is in the machine, undecided."""

    payment: bytes
    paid_fen: int
    open: bool
    busy: bool
    hint: str = HINT_NONE


@dataclass(frozen=True)
class Ended:
    """How the payment ended for the person, told once. `seq`: of its record, 0 for none."""

    payment: bytes
    outcome: str
    amounts: Amounts
    voucher: str = ""
    seq: int = 0
    intent: bytes = b""


@dataclass(frozen=True)
class CallHelp:
    """Money of a person is in the machine and no machine can tell what of it: an officer must."""

    payment: bytes


Effect = Store | Accept | Stack | Return | Ack | Progress | Ended | CallHelp
Effects = list[Effect]


def intent_of(what: bytes, name: bytes) -> bytes:
    """16 bytes that stand for this deed and no other."""
    return hashlib.sha256(what + b"\0" + name).digest()[:INTENT_BYTES]
