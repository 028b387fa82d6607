"""`tongban server cash|vouchers|voucher|cases|case|cassettes|cassette`: cash at the centre, typed.

Officers use the console's pages; these commands do the same for scripts, and when no page is there.
"""

from typing import Annotated

from cyclopts import App, Parameter

from sync_server import cash as books
from sync_server import cash_cassettes, cash_desk, show_cash
from sync_server.centre import clock_ms
from sync_server.cli_parts import (
    AsJson,
    Config,
    Data,
    Limit,
    Unit,
    first,
    print_lines,
    reading,
    row_limit,
    tell,
    who_types,
)
from sync_server.units import Scope

voucher = App(name="voucher", help="Pay out what a terminal owes: settle.")
case = App(name="case", help="Close a case of cash with what was found: close.")
cassette = App(name="cassette", help="Book what was counted in a cassette: count.")


def cash(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    terminal: str = "",
    day: str = "",
    as_json: AsJson = False,
) -> None:
    """The books by terminal: what came in, where it is, whether it balances.

    Exit code 1 when a terminal is not balanced.

    Parameters
    ----------
    terminal
        Only this one.
    day
        Only this day, as 2026-11-27; what is in the cassette and open, as that day ended.
    """
    with reading(config, data) as connection:
        rows = books.sheet(connection, Scope(unit), day=day, terminal=terminal)
        if as_json:
            print_lines(rows)
        else:
            show_cash.cash(rows, books.totals(rows), day)
        wrong = [row["terminal"] for row in rows if not row["balanced"]]
        if wrong:
            raise cash_desk.CashError(
                "unbalanced",
                f"not balanced: {', '.join(wrong)}. `tongban server cases` says why; export the "
                "records of these terminals and keep them",
            )


def vouchers(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    number: str = "",
    settled: Annotated[bool, Parameter(negative=())] = False,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """What terminals owe to people who hold a voucher, the oldest first.

    Parameters
    ----------
    number
        Only this number, also when it was paid out.
    settled
        Instead those that were paid out, the latest first.
    """
    with reading(config, data) as connection:
        rows = cash_desk.vouchers(connection, Scope(unit), number=number, settled=settled)
        rows = first(rows, row_limit(limit, as_json))
        tell(rows, as_json, show_cash.vouchers)


@voucher.command
def settle(
    number: str,
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    slip: str = "",
    as_json: AsJson = False,
) -> None:
    """Pay a voucher out of the hall's till, once for ever. Keep the paper.

    Parameters
    ----------
    number
        The number on it, as VB-017; its id when two halls have that number.
    slip
        The text of the code on it, as a scanner types it: then its signature is checked, too.
    """
    with reading(config, data) as connection:
        scope = Scope(unit)
        row = cash_desk.find_voucher(connection, scope, number)
        row = cash_desk.settle(
            connection, scope, row["voucher"], who_types(), clock_ms(), slip=slip
        )
        tell([row], as_json, show_cash.vouchers)


def cases(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    closed: Annotated[bool, Parameter(negative=())] = False,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Money that an officer has to look after: where, why, until when.

    Parameters
    ----------
    closed
        Instead those that were closed, the latest first.
    """
    with reading(config, data) as connection:
        rows = cash_desk.cases(connection, Scope(unit), closed=closed)
        rows = first(rows, row_limit(limit, as_json))
        tell(rows, as_json, show_cash.cases)


@case.command
def close(
    id: int,  # what the listing calls it
    *,
    outcome: str,
    note: str,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    as_json: AsJson = False,
) -> None:
    """Close a case and book what was found.

    Parameters
    ----------
    id
        As `cases` lists it.
    outcome
        given_back, paid_out, kept, not_there or noted; `cases` says which of them fit.
    note
        What was found, in a few words, without names.
    """
    with reading(config, data) as connection:
        row = cash_desk.close(connection, Scope(unit), id, outcome, who_types(), note, clock_ms())
        tell([row], as_json, show_cash.cases)


def cassettes(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    counted: Annotated[bool, Parameter(negative=())] = False,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Cassettes that were taken out and wait to be counted, the oldest first.

    Parameters
    ----------
    counted
        Instead those that were counted, the latest first.
    """
    with reading(config, data) as connection:
        rows = cash_cassettes.cassettes(connection, Scope(unit), counted=counted)
        rows = first(rows, row_limit(limit, as_json))
        tell(rows, as_json, show_cash.cassettes)


@cassette.command
def count(
    terminal: str,
    seq: int,
    *,
    yuan: str,
    note: str,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    as_json: AsJson = False,
) -> None:
    """Book what two people counted in a cassette, once.

    Parameters
    ----------
    terminal
        Where it was taken out.
    seq
        The record that told of it, as `cassettes` lists it.
    yuan
        What is in it, as 1250 or 1250.50.
    note
        What was found, in a few words, without names.
    """
    with reading(config, data) as connection:
        row = cash_cassettes.count(
            connection,
            Scope(unit),
            terminal,
            seq,
            cash_cassettes.fen_of(yuan),
            who_types(),
            note,
            clock_ms(),
        )
        tell([row], as_json, show_cash.cassettes)
