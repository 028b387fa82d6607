"""The part of the store on SQLite that keeps cash."""

import apsw

from sync_server.core.cash_port import (
    Booking,
    CaseRow,
    CashCassetteRow,
    CashNoteRow,
    CashPaymentRow,
    CashRow,
    VoucherRow,
)

_TABLES: dict[type[CashRow], str] = {
    CashNoteRow: "cash_note",
    CashPaymentRow: "cash_payment",
    CashCassetteRow: "cash_cassette",
}


class SqliteCash:
    """Adapter of core.cash_port.CashTransaction, inside a transaction of its caller."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._do = connection.execute

    def cash_note(self, terminal: int, note: int) -> CashNoteRow | None:
        found = self._do(
            f"SELECT {', '.join(CashNoteRow._fields)} FROM cash_note "
            "WHERE terminal = ? AND note = ? AND held = 0",
            (terminal, note),
        ).fetchone()
        return None if found is None else CashNoteRow(*found)

    def cash_payment(self, terminal: int, payment: bytes) -> CashPaymentRow | None:
        found = self._do(
            f"SELECT {', '.join(CashPaymentRow._fields)} FROM cash_payment "
            "WHERE terminal = ? AND payment = ? AND held = 0",
            (terminal, payment),
        ).fetchone()
        return None if found is None else CashPaymentRow(*found)

    def balance(self, account: str) -> int:
        found = self._do("SELECT fen FROM cash_account WHERE account = ?", (account,)).fetchone()
        return 0 if found is None else int(found[0])

    def open_case(self, terminal: int, payment: bytes, reason: str) -> int | None:
        found = self._do(
            "SELECT cash_case FROM cash_case WHERE terminal = ? AND payment = ? AND reason = ? "
            "AND closed_ms IS NULL",
            (terminal, payment, reason),
        ).fetchone()
        return None if found is None else int(found[0])

    def add_cash(self, row: CashRow) -> None:
        self._add(_TABLES[type(row)], row)

    def add_voucher(self, row: VoucherRow) -> int:
        return self._add("cash_voucher", row)

    def add_case(self, row: CaseRow) -> int:
        return self._add("cash_case", row)

    def _add(self, table: str, row: CashRow | VoucherRow | CaseRow) -> int:
        marks = ", ".join("?" * len(row))
        self._do(f"INSERT INTO {table}({', '.join(row._fields)}) VALUES({marks})", row)
        return self._connection.last_insert_rowid()

    def close_case(self, case: int, outcome: str, by: str, decision: str, now_ms: int) -> None:
        self._do(
            "UPDATE cash_case SET closed_ms = ?, closed_by = ?, outcome = ?, decision = ? "
            "WHERE cash_case = ?",
            (now_ms, by, outcome, decision, case),
        )

    def book(self, booking: Booking) -> None:
        *what, entries = booking
        number = self._do("SELECT coalesce(max(booking), 0) + 1 FROM cash_booking").get
        rows = [(number, name, fen) for name, fen in entries.items()]
        self._connection.executemany("INSERT INTO cash_entry VALUES(?, ?, ?)", rows)
        self._do("INSERT INTO cash_booking VALUES(?, ?, ?, ?, ?, ?, ?, ?)", (number, *what))
