"""The rule "ledger": cash in double entry. Pure over a transaction; amounts are integer fen.

Accounts, debit above 0: what there is. Credit below: what is owed or earned.

| account | holds |
| --- | --- |
| cassette:TERMINAL | notes in the terminal's cassette |
| collected:TERMINAL | notes that left with a cassette |
| doubt:TERMINAL | notes of which no machine can say where they are, until their case is closed |
| payment:TERMINAL/ID | notes of a payment until it ends; then 0, or what its record says too much |
| revenue:SERVICE | what pays a matter |
| voucher:ID | owed to the holder of a voucher |
| claim:CASE | owed to somebody whom only an officer can find |
| till:UNIT, bank:UNIT | what a hall paid out of its own till; cassettes that were counted |
| surplus:UNIT, loss:UNIT | found and nobody's; missing, and written off |
| held:TERMINAL | paid out for a voucher of a restored or cloned disk |

Bookings, each of which sums to 0 and is made once:

| what comes | debit | credit |
| --- | --- | --- |
| note in the cassette, its payment runs | cassette | payment |
| note in the cassette, its payment ended | cassette | payment, what it misses; claim: a case |
| note in the cassette without payment | cassette | claim: a case |
| note given back | - | - |
| note of which nobody can tell | doubt | claim: a case |
| payment | payment, its `paid_fen` | revenue, what is kept; voucher (else claim), the rest |
| payment whose notes are more than it says | payment | claim: a case |
| payment whose notes are fewer than it says | - | -: a case, until they come or are written off |
| cassette taken out | collected | cassette, what the ledger has there; another count: a case |
| voucher settled | voucher | till |
| cassette counted | bank, what is in it; loss, what is not | collected; surplus, what is more |
| case closed | see `close` | |

The same note or payment again does nothing when it says the same, and is a case when it says
another thing; the first one stands. What comes by a branch is kept and booked nowhere; a person
who holds a voucher of one is a case. So payments, notes and cassettes may come in any order.
"""

from collections.abc import Mapping

from protocol.records import NOTE_CASE, NOTE_STACKED
from sync_server.core.cash_port import (
    Booking,
    CaseRow,
    CashCassetteRow,
    CashNoteRow,
    CashPaymentRow,
    CashRow,
    CashTransaction,
    VoucherRow,
)
from sync_server.core.store_port import Arrival

NO_PAYMENT = bytes(8)
CASE_MS = 86_400_000
CASSETTE, COLLECTED, DOUBT = "cassette", "collected", "doubt"
PAYMENT, REVENUE, VOUCHER = "payment", "revenue", "voucher"
CLAIM, TILL, BANK = "claim", "till", "bank"
SURPLUS, LOSS, HELD_ACCOUNT = "surplus", "loss", "held"

# why there is a case
IN_DOUBT, UNCLAIMED, LATE, NO_VOUCHER = "in_doubt", "unclaimed", "late", "no_voucher"
MISSING, RECOUNT, CONTRADICTION, HELD = "missing", "recount", "contradiction", "held"
CASE_REASONS = (IN_DOUBT, UNCLAIMED, LATE, NO_VOUCHER, MISSING, RECOUNT, CONTRADICTION, HELD)

# what became of a case
GIVEN_BACK, PAID_OUT, KEPT, NOT_THERE, NOTED = (
    "given_back",
    "paid_out",
    "kept",
    "not_there",
    "noted",
)
CAME = "came"
"""CAME: the rule closes the case of a missing note itself, for the note came."""
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    IN_DOUBT: (GIVEN_BACK, PAID_OUT, KEPT, NOT_THERE),
    UNCLAIMED: (GIVEN_BACK, PAID_OUT, KEPT),
    LATE: (GIVEN_BACK, PAID_OUT, KEPT),
    NO_VOUCHER: (GIVEN_BACK, PAID_OUT, KEPT),
    MISSING: (NOT_THERE,),
    RECOUNT: (NOTED,),
    CONTRADICTION: (NOTED,),
    HELD: (PAID_OUT, NOTED),
}
"""Reason of a case -> the outcomes an officer may close it with."""

NOTE_BOOKED, DOUBT_BOOKED, PAYMENT_BOOKED = "note", "doubt", "payment"
CASSETTE_BOOKED, VOUCHER_BOOKED, CASE_BOOKED = "cassette", "voucher", "case"
COUNT_BOOKED = "count"


class LedgerError(Exception):
    """It was not booked; the text says what can be done instead."""


def account(kind: str, holder: object) -> str:
    """The name of an account, as `cassette:gate-1`."""
    return f"{kind}:{holder}"


def payment_account(terminal: str, payment: bytes) -> str:
    """The account of one payment at a terminal."""
    return account(PAYMENT, f"{terminal}/{payment.hex()}")


def settle(tx: CashTransaction, arrival: Arrival) -> None:
    """Book what an arrival brought of cash, in its order."""
    for row in arrival.cash:
        if isinstance(row, CashNoteRow):
            _note(tx, arrival, row)
        elif isinstance(row, CashPaymentRow):
            _payment(tx, arrival, row)
        else:
            _cassette(tx, arrival, row)


def _book(
    tx: CashTransaction, row: CashRow, cause: str, about: object, entries: Mapping[str, int]
) -> None:
    """Entries of 0 are left out; without any there is nothing to book."""
    counted = {name: fen for name, fen in entries.items() if fen}
    if counted:
        at_ms = row.taken_ms if isinstance(row, CashCassetteRow) else row.ended_ms
        day = row.business_date
        tx.book(Booking(cause, str(about), row.terminal, row.unit, day, at_ms, "", counted))


def _case(tx: CashTransaction, arrival: Arrival, row: CashRow, reason: str, fen: int) -> int:
    """Leave something to the hall of the terminal; gives the id of the case."""
    note = row if isinstance(row, CashNoteRow) else None
    payment = NO_PAYMENT if isinstance(row, CashCassetteRow) else row.payment
    return tx.add_case(
        CaseRow(
            *row[:3],
            row.unit,
            row.business_date,
            reason,
            fen,
            note.note if note else 0,
            payment,
            row.voucher if isinstance(row, CashPaymentRow) else "",
            note.place if note else 0,
            note.reason if note else 0,
            arrival.received_ms,
            arrival.received_ms + CASE_MS,
        )
    )


# ---- notes


def _note(tx: CashTransaction, arrival: Arrival, row: CashNoteRow) -> None:
    if row.held:
        tx.add_cash(row)
        return
    known = tx.cash_note(row.terminal, row.note)
    if known is not None:
        if not _is_told_again(known, row):
            _case(tx, arrival, row, CONTRADICTION, row.fen)
        return
    tx.add_cash(row)
    about = f"{arrival.name}/{row.note}"
    if row.outcome == NOTE_STACKED:
        _stacked(tx, arrival, row, about)
    elif row.outcome == NOTE_CASE:
        case = _case(tx, arrival, row, IN_DOUBT, row.fen)
        doubt, claim = account(DOUBT, arrival.name), account(CLAIM, case)
        _book(tx, row, DOUBT_BOOKED, about, {doubt: row.fen, claim: -row.fen})


def _is_told_again(known: CashNoteRow, row: CashNoteRow) -> bool:
    """A terminal with a new disk may hear of a note again, and knows no payment of it any more."""
    is_of_it = row.payment in (known.payment, NO_PAYMENT)
    return is_of_it and (row.fen, row.outcome) == (known.fen, known.outcome)


def _stacked(tx: CashTransaction, arrival: Arrival, row: CashNoteRow, about: str) -> None:
    name, fen = payment_account(arrival.name, row.payment), row.fen
    is_over = tx.cash_payment(row.terminal, row.payment) is not None
    if row.payment == NO_PAYMENT:
        to_payment = 0
    elif is_over:
        to_payment = min(fen, tx.balance(name))
    else:
        to_payment = fen
    entries = {account(CASSETTE, arrival.name): fen, name: -to_payment}
    if to_payment < fen:
        case = _case(tx, arrival, row, LATE if is_over else UNCLAIMED, fen - to_payment)
        entries[account(CLAIM, case)] = to_payment - fen
    _book(tx, row, NOTE_BOOKED, about, entries)
    if is_over and to_payment and tx.balance(name) == 0:
        missing = tx.open_case(row.terminal, row.payment, MISSING)
        if missing is not None:
            tx.close_case(missing, CAME, "", "", arrival.received_ms)


# ---- payments


def _payment(tx: CashTransaction, arrival: Arrival, row: CashPaymentRow) -> None:
    refund = max(0, row.paid_fen - row.kept_fen)
    if row.held:
        tx.add_cash(row)
        if row.voucher and refund:
            _case(tx, arrival, row, HELD, refund)
        return
    known = tx.cash_payment(row.terminal, row.payment)
    if known is not None:
        if _ended_as(known) != _ended_as(row):
            _case(tx, arrival, row, CONTRADICTION, row.paid_fen)
        return
    tx.add_cash(row)
    name = payment_account(arrival.name, row.payment)
    credited = -tx.balance(name)
    entries = {
        name: max(row.paid_fen, credited),
        account(REVENUE, row.service): refund - row.paid_fen,
    }
    if refund:
        entries[_owed(tx, arrival, row, refund)] = -refund
    if credited > row.paid_fen:
        case = _case(tx, arrival, row, LATE, credited - row.paid_fen)
        entries[account(CLAIM, case)] = row.paid_fen - credited
    elif credited < row.paid_fen:
        _case(tx, arrival, row, MISSING, row.paid_fen - credited)
    if row.kept_fen > row.paid_fen:
        _case(tx, arrival, row, CONTRADICTION, row.kept_fen)
    _book(tx, row, PAYMENT_BOOKED, name, entries)


def _ended_as(row: CashPaymentRow) -> tuple[str, int, int, int, str]:
    return row.service, row.due_fen, row.paid_fen, row.kept_fen, row.voucher


def _owed(tx: CashTransaction, arrival: Arrival, row: CashPaymentRow, refund: int) -> str:
    """The account of what the person gets back."""
    if not row.voucher:
        return account(CLAIM, _case(tx, arrival, row, NO_VOUCHER, refund))
    voucher = tx.add_voucher(
        VoucherRow(
            *row[:3],
            row.unit,
            row.business_date,
            row.voucher,
            row.payment,
            row.service,
            refund,
            row.ended_ms,
        )
    )
    return account(VOUCHER, voucher)


# ---- cassettes


def _cassette(tx: CashTransaction, arrival: Arrival, row: CashCassetteRow) -> None:
    if row.held:
        tx.add_cash(row)
        return
    cassette = account(CASSETTE, arrival.name)
    expected = tx.balance(cassette)
    tx.add_cash(row._replace(expected_fen=expected))
    if row.fen != expected:
        _case(tx, arrival, row, RECOUNT, abs(row.fen - expected))
    entries = {account(COLLECTED, arrival.name): expected, cassette: -expected}
    _book(tx, row, CASSETTE_BOOKED, f"{arrival.name}/{row.branch}/{row.seq}", entries)


# ---- what officers do


def settled(voucher: int, unit: str, fen: int) -> Mapping[str, int]:
    """The entries of a voucher that a hall paid out."""
    return {account(VOUCHER, voucher): fen, account(TILL, unit): -fen}


def counted(terminal: str, unit: str, due: int, fen: int) -> Mapping[str, int]:
    """The entries of a cassette that should hold `due` and holds `fen`."""
    entries = {
        account(COLLECTED, terminal): -due,
        account(BANK, unit): fen,
        account(LOSS, unit): max(0, due - fen),
        account(SURPLUS, unit): min(0, due - fen),
    }
    return {name: amount for name, amount in entries.items() if amount}


def close(
    case: int, row: CaseRow, terminal: str, outcome: str, box: str, missing_fen: int
) -> Mapping[str, int]:
    """The entries of a case that is closed with `outcome`, none when nothing is to be booked.

    `box`: CASSETTE, or COLLECTED when the cassette of then was taken out. `missing_fen`: what the
    payment of a MISSING case still misses. Raises LedgerError for an outcome it cannot have.

    | outcome | in doubt | unclaimed, late, no voucher | missing | held | others |
    | --- | --- | --- | --- | --- | --- |
    | given_back | claim, doubt | claim, cassette | | | |
    | paid_out | claim, till; cassette, doubt | claim, till | | held, till | |
    | kept | claim, surplus; cassette, doubt | claim, surplus | | | |
    | not_there | claim, doubt | | loss, payment | | |
    | noted | | | | - | - |
    """
    if outcome not in OUTCOMES[row.reason]:
        possible = ", ".join(OUTCOMES[row.reason])
        raise LedgerError(f"a case {row.reason} is not closed with {outcome}; possible: {possible}")
    if row.reason == MISSING:
        name = payment_account(terminal, row.payment)
        return _pair(account(LOSS, row.unit), name, missing_fen)
    if outcome == NOTED:
        return {}
    if row.reason == HELD:
        return _pair(account(HELD_ACCOUNT, terminal), account(TILL, row.unit), row.fen)
    claim, doubt, in_box = account(CLAIM, case), account(DOUBT, terminal), account(box, terminal)
    is_in_doubt = row.reason == IN_DOUBT
    if outcome in (GIVEN_BACK, NOT_THERE):
        return _pair(claim, doubt if is_in_doubt else in_box, row.fen)
    gains = account(TILL if outcome == PAID_OUT else SURPLUS, row.unit)
    found = _pair(in_box, doubt, row.fen) if is_in_doubt else {}
    return {**_pair(claim, gains, row.fen), **found}


def _pair(debit: str, credit: str, fen: int) -> dict[str, int]:
    return {debit: fen, credit: -fen} if fen else {}
