"""`tongban terminal cash`: the terminal's ledger, read beside the running agent.

Two equations hold at any time: inserted = stacked + returned + in cases + undecided, and
stacked = kept + vouchers + of open payments + without a payment.
"""

from pathlib import Path
from typing import TypedDict

import apsw

from edge_agent.data_folder import OUTBOX_FILE, DataFolderError
from protocol.wire import states
from tongban.database import DatabaseError, open_database

CASH_MIGRATION = 2
LISTED_MAX = 100
"""Open payments and cases in one answer, the newest."""
_FEN = "SELECT coalesce(sum(fen), 0) FROM cash_note WHERE "
_OPEN = (
    "SELECT lower(hex(p.payment)), p.service, p.due_fen, coalesce(sum(n.fen) FILTER "
    "(WHERE n.state = 2), 0), coalesce(sum(n.fen) FILTER (WHERE n.state = 1), 0) "
    "FROM cash_payment p LEFT JOIN cash_note n ON n.payment = p.payment WHERE p.state = 1 "
    "GROUP BY p.payment LIMIT ?"
)
_CASES = (
    "SELECT note, lower(hex(payment)), fen, place, reason FROM cash_note WHERE state = 4 "
    "ORDER BY note DESC LIMIT ?"
)


class OpenPayment(TypedDict):
    """A payment that is not over, in fen. `undecided`: of notes that may be in the machine."""

    payment: str
    service: str
    due: int
    paid: int
    undecided: int


class Case(TypedDict):
    """A note that an officer has to look for. `note`: the board's number of it."""

    note: int
    payment: str
    fen: int
    place: str
    reason: str


class Cash(TypedDict):
    """All that a terminal ever counted, in fen, and what is in its cassette now."""

    inserted: int
    stacked: int
    returned: int
    cases: int
    undecided: int
    kept: int
    vouchers: int
    of_open_payments: int
    without_payment: int
    vouchers_given: int
    cassette_notes: int
    cassette: int
    balances: bool
    open_payments: list[OpenPayment]
    open_cases: list[Case]


def read_cash(data: Path) -> Cash:
    """Raises DataFolderError when there is nothing to read."""
    path = data / OUTBOX_FILE
    if not path.is_file():
        raise DataFolderError(f"{path}: no outbox here. Give the agent's data folder with --data.")
    try:
        connection = open_database(path)
        try:
            return _read(connection, path)
        finally:
            connection.close()
    except (apsw.Error, DatabaseError) as error:
        raise DataFolderError(f"{path}: cannot be read ({error}). Is it an outbox?") from error


def _read(connection: apsw.Connection, path: Path) -> Cash:
    def number(sql: str) -> int:
        return int(connection.execute(sql).get or 0)

    connection.execute("BEGIN")  # one snapshot; it ends with the connection
    if number("SELECT max(number) FROM schema_migration") < CASH_MIGRATION:
        raise DataFolderError(
            f"{path}: is of an older agent, without cash. Start the present agent on it once."
        )
    undecided, stacked, returned, cases = (number(f"{_FEN} state = {n}") for n in (1, 2, 3, 4))
    kept = number("SELECT sum(kept_fen) FROM cash_payment")
    vouchers = number("SELECT sum(voucher_fen) FROM cash_payment")
    of_open = number(
        f"{_FEN} state = 2 AND payment IN (SELECT payment FROM cash_payment WHERE state = 1)"
    )
    without = number(f"{_FEN} state = 2 AND payment NOT IN (SELECT payment FROM cash_payment)")
    return Cash(
        inserted=number("SELECT coalesce(sum(fen), 0) FROM cash_note"),
        stacked=stacked,
        returned=returned,
        cases=cases,
        undecided=undecided,
        kept=kept,
        vouchers=vouchers,
        of_open_payments=of_open,
        without_payment=without,
        vouchers_given=number("SELECT count(*) FROM cash_payment WHERE voucher != ''"),
        cassette_notes=number("SELECT count(*) FROM cash_note WHERE state = 2 AND cassette = 0"),
        cassette=number(f"{_FEN} state = 2 AND cassette = 0"),
        balances=stacked == kept + vouchers + of_open + without,
        open_payments=[
            OpenPayment(payment=p, service=service, due=due, paid=paid, undecided=waits)
            for p, service, due, paid, waits in connection.execute(_OPEN, (LISTED_MAX,))
        ],
        open_cases=[_case(*row) for row in connection.execute(_CASES, (LISTED_MAX,))],
    )


def _case(note: int, payment: str, fen: int, place: int, reason: int) -> Case:
    known = place < len(states.PLACE_NAMES)
    return Case(
        note=note,
        payment=payment,
        fen=fen,
        place=states.PLACE_NAMES[place] if known else str(place),
        reason=states.DETAIL_NAMES.get(reason, str(reason)),
    )


def as_lines(cash: Cash) -> list[str]:
    """For a technician who stands before the terminal; amounts in yuan."""

    def yuan(fen: int) -> str:
        return f"{fen / 100:12,.2f}"

    inserted = ("stacked", "returned", "cases", "undecided")
    stacked = ("kept", "vouchers", "of_open_payments", "without_payment")
    lines = [f"inserted{yuan(cash['inserted']):>22}"]
    lines += [f"  {name.replace('_', ' '):18}{yuan(cash[name])}" for name in inserted]  # type: ignore[literal-required]
    lines += ["of what is stacked"]
    lines += [f"  {name.replace('_', ' '):18}{yuan(cash[name])}" for name in stacked]  # type: ignore[literal-required]
    lines += [f"in the cassette     {yuan(cash['cassette'])}  {cash['cassette_notes']} notes"]
    for row in cash["open_payments"]:
        lines.append(
            f"open payment {row['payment']} ({row['service']}): due {row['due'] / 100:.2f}, paid "
            f"{row['paid'] / 100:.2f}, undecided {row['undecided'] / 100:.2f}"
        )
    for case in cash["open_cases"]:
        lines.append(
            f"case: note {case['note']} of {case['fen'] / 100:.2f}, {case['place']}: "
            f"{case['reason']}"
        )
    return lines
