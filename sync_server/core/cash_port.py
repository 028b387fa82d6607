"""What the ledger of cash needs of a store: rows, and the reads and writes of a transaction.

Amounts are integer fen. `held`: it came by a branch, so it is kept and booked nowhere.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class CashNoteRow(NamedTuple):
    """What became of one bank note; numbers as in protocol/records/kinds.py and wire/states.py."""

    terminal: int
    branch: int
    seq: int
    unit: str
    business_date: str
    note: int
    payment: bytes
    fen: int
    outcome: int
    place: int
    reason: int
    ended_ms: int
    held: int


class CashPaymentRow(NamedTuple):
    """A payment that ended."""

    terminal: int
    branch: int
    seq: int
    unit: str
    business_date: str
    payment: bytes
    service: str
    definition: int
    due_fen: int
    paid_fen: int
    kept_fen: int
    voucher: str
    person_ref: bytes | None
    ended_ms: int
    held: int


class CashCassetteRow(NamedTuple):
    """A cassette that was taken out. `fen`: what the terminal counted; `expected_fen`: the ledger,
    filled in by core/ledger.py."""

    terminal: int
    branch: int
    seq: int
    unit: str
    business_date: str
    notes: int
    fen: int
    expected_fen: int
    taken_ms: int
    held: int


CashRow = CashNoteRow | CashPaymentRow | CashCassetteRow


class VoucherRow(NamedTuple):
    """What is owed to the holder of a printed number. `branch`, `seq`: the record of its payment,
    whose number its slip proves."""

    terminal: int
    branch: int
    seq: int
    unit: str
    business_date: str
    number: str
    payment: bytes
    service: str
    fen: int
    issued_ms: int


class CaseRow(NamedTuple):
    """What an officer has to look at. `branch`, `seq`: the record that it follows from. `unit`: the
    hall that owns it. `reason`: core/ledger.py."""

    terminal: int
    branch: int
    seq: int
    unit: str
    business_date: str
    reason: str
    fen: int
    note: int
    payment: bytes
    voucher: str
    place: int
    detail: int
    found_ms: int
    deadline_ms: int


class Booking(NamedTuple):
    """One transaction of the ledger. (`cause`, `about`) names it for ever. `entries`: account ->
    fen, debit above 0, credit below; they sum to 0, and none is 0. `officer`: "" for the rule."""

    cause: str
    about: str
    terminal: int
    unit: str
    business_date: str
    at_ms: int
    officer: str
    entries: Mapping[str, int]


class CashTransaction(Protocol):
    """Reads and writes of the ledger, in the commit of what they follow from."""

    def cash_note(self, terminal: int, note: int) -> CashNoteRow | None:
        """The end of a note that is not held."""

    def cash_payment(self, terminal: int, payment: bytes) -> CashPaymentRow | None:
        """The end of a payment that is not held."""

    def balance(self, account: str) -> int:
        """The sum of an account's entries in fen, 0 for one that has none."""

    def open_case(self, terminal: int, payment: bytes, reason: str) -> int | None:
        """The case of this payment and reason that nobody has closed."""

    def add_cash(self, row: CashRow) -> None:
        """Store a row as it is."""

    def add_voucher(self, row: VoucherRow) -> int:
        """Store a voucher that is not settled; gives its id. Ids only go up."""

    def add_case(self, row: CaseRow) -> int:
        """Leave something to an officer; gives its id. Ids only go up."""

    def close_case(self, case: int, outcome: str, by: str, decision: str, now_ms: int) -> None:
        """Close a case that is open."""

    def book(self, booking: Booking) -> None:
        """Store a booking. One that does not balance, or was booked before, fails the commit."""
