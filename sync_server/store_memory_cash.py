"""The part of the store in memory that keeps cash."""

from collections import Counter
from dataclasses import dataclass, field

from sync_server.core.cash_port import (
    Booking,
    CaseRow,
    CashCassetteRow,
    CashNoteRow,
    CashPaymentRow,
    CashRow,
    VoucherRow,
)


@dataclass
class CashTables:
    """Everything that is stored of cash. `closed`: case -> (outcome, by, decision, when)."""

    cash_note: dict[tuple[int, int], CashNoteRow] = field(default_factory=dict)
    cash_payment: dict[tuple[int, bytes], CashPaymentRow] = field(default_factory=dict)
    cash_cassette: list[CashCassetteRow] = field(default_factory=list)
    cash_held: list[CashRow] = field(default_factory=list)
    voucher: dict[int, VoucherRow] = field(default_factory=dict)
    case: dict[int, CaseRow] = field(default_factory=dict)
    closed: dict[int, tuple[str, str, str, int]] = field(default_factory=dict)
    booking: dict[tuple[str, str], Booking] = field(default_factory=dict)
    balances: Counter[str] = field(default_factory=Counter)


class MemoryCash:
    """Adapter of core.cash_port.CashTransaction."""

    def __init__(self, tables: CashTables) -> None:
        self._cash = tables

    def cash_note(self, terminal: int, note: int) -> CashNoteRow | None:
        return self._cash.cash_note.get((terminal, note))

    def cash_payment(self, terminal: int, payment: bytes) -> CashPaymentRow | None:
        return self._cash.cash_payment.get((terminal, payment))

    def balance(self, account: str) -> int:
        return self._cash.balances[account]

    def open_case(self, terminal: int, payment: bytes, reason: str) -> int | None:
        wanted = (terminal, payment, reason)
        found = (
            number
            for number, row in self._cash.case.items()
            if (row.terminal, row.payment, row.reason) == wanted and number not in self._cash.closed
        )
        return next(found, None)

    def add_cash(self, row: CashRow) -> None:
        if row.held:
            self._cash.cash_held.append(row)
        elif isinstance(row, CashNoteRow):
            self._cash.cash_note[row.terminal, row.note] = row
        elif isinstance(row, CashPaymentRow):
            self._cash.cash_payment[row.terminal, row.payment] = row
        else:
            self._cash.cash_cassette.append(row)

    def add_voucher(self, row: VoucherRow) -> int:
        voucher = len(self._cash.voucher) + 1
        self._cash.voucher[voucher] = row
        return voucher

    def add_case(self, row: CaseRow) -> int:
        case = len(self._cash.case) + 1
        self._cash.case[case] = row
        return case

    def close_case(self, case: int, outcome: str, by: str, decision: str, now_ms: int) -> None:
        if case in self._cash.closed:
            raise ValueError(f"case {case} was closed already")
        self._cash.closed[case] = (outcome, by, decision, now_ms)

    def book(self, booking: Booking) -> None:
        key, entries = (booking.cause, booking.about), booking.entries
        amounts = list(entries.values())
        if key in self._cash.booking:
            raise ValueError(f"{key} was booked already")
        if not amounts or sum(amounts) != 0 or 0 in amounts:
            raise ValueError(f"{key} does not balance: {entries}")
        self._cash.booking[key] = booking
        self._cash.balances.update(entries)
