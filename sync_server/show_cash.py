"""Listings of cash for people: the books, vouchers, cases, cassettes."""

from collections.abc import Iterable

from sync_server.cash_desk import yuan
from sync_server.listings import Row
from sync_server.show import listing, time_text, wide_console


def cash(rows: list[Row], totals: Row, day: str) -> None:
    """The books by terminal, and their sum in one line."""
    amounts = {
        "inserted": "inserted_fen",
        "stacked": "stacked_fen",
        "returned": "returned_fen",
        "in cases": "in_cases_fen",
        "written off": "written_off_fen",
        "kept": "kept_fen",
        "in the cassette": "cassette_fen",
    }
    listing(
        rows,
        "No terminal here has taken cash yet.",
        f"cash of {day}" if day else "cash of all days",
        {
            "terminal": lambda row: row["terminal"],
            "hall": lambda row: row["unit"],
            **{name: (lambda row, key=key: yuan(row[key])) for name, key in amounts.items()},
            "vouchers open": lambda row: _count(row, "vouchers_open"),
            "cases open": lambda row: _count(row, "cases_open"),
            "balanced": lambda row: "yes" if row["balanced"] else "NO",
        },
    )
    if rows:
        if totals["held_fen"]:
            held = [row["terminal"] for row in rows if row["held_fen"]]
            wide_console().print(
                f"held, not booked (restored or cloned disk, see `alarms`): "
                f"{yuan(totals['held_fen'])} at {', '.join(held)}"
            )
        wide_console().print(
            f"{totals['terminals']} terminals, inserted {yuan(totals['inserted_fen'])} = stacked "
            f"{yuan(totals['stacked_fen'])} + returned {yuan(totals['returned_fen'])} + in cases "
            f"{yuan(totals['in_cases_fen'])} + written off {yuan(totals['written_off_fen'])}"
            + ("" if totals["balanced"] else "  NOT BALANCED")
        )


def _count(row: Row, key: str) -> str:
    """As `2: 30.00`, or a dash."""
    return f"{row[key]}: {yuan(row[key + '_fen'])}" if row[key] else "-"


def vouchers(rows: Iterable[Row]) -> None:
    """What is owed, and what was paid out."""
    listing(
        rows,
        "No vouchers. They come when a terminal could not give change.",
        "vouchers",
        {
            "number": lambda row: row["number"],
            "id": lambda row: row["voucher"],
            "hall": lambda row: row["unit"],
            "terminal": lambda row: row["terminal"],
            "day": lambda row: row["business_date"],
            "service": lambda row: row["service"],
            "yuan": lambda row: yuan(row["fen"]),
            "paid out": lambda row: time_text(row["settled_ms"]),
            "by": lambda row: row["settled_by"] or None,
        },
    )


def cases(rows: Iterable[Row]) -> None:
    """Money that waits for an officer."""
    listing(
        rows,
        "No cases: every note is accounted for.",
        "cases of cash",
        {
            "id": lambda row: row["case"],
            "owner": lambda row: row["owner"],
            "terminal": lambda row: row["terminal"],
            "yuan": lambda row: yuan(row["fen"]),
            "why": lambda row: f"{row['why']['en']} {row['voucher']}".strip(),
            "where": lambda row: row["where"]["en"] if row["where"] else None,
            "until": lambda row: time_text(row["deadline_ms"]),
            "outcome": lambda row: (
                f"{row['outcome']} {row['closed_by']}: {row['decision']}".rstrip(": ")
                if row["outcome"]
                else "open: " + ", ".join(row["outcomes"])
            ),
        },
    )


def cassettes(rows: Iterable[Row]) -> None:
    """What was taken out, and what was counted."""
    listing(
        rows,
        "No cassettes wait to be counted.",
        "cassettes that were taken out",
        {
            "terminal": lambda row: row["terminal"],
            "seq": lambda row: row["seq"],
            "hall": lambda row: row["unit"],
            "taken out": lambda row: time_text(row["taken_ms"]),
            "notes": lambda row: row["notes"],
            "terminal told": lambda row: yuan(row["told_fen"]),
            "books had": lambda row: yuan(row["expected_fen"]),
            "counted": lambda row: (
                None
                if row["counted_ms"] is None
                else f"{yuan(row['counted_fen'])} of "
                f"{yuan(row['due_fen'])}, {row['counted_by']}: {row['decision']}"
            ),
        },
    )
