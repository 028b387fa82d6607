"""Cash on pages: the books of a day, vouchers that are paid out, cases that are closed.

| page | shows | does |
| --- | --- | --- |
| /cash | what came in on a day and where it is, by terminal | another day |
| /cash/vouchers | what is owed; a number or a scanned slip is found | |
| /cash/vouchers/ID | one voucher, its amount once more | pay it out |
| /cash/cases | what an officer has to look after | |
| /cash/cases/ID | one case | close it with what was found |
| /cash/cassettes | what was taken out, and what was counted | book a count |

Whoever sees the scope sees the pages; officers of the hall and administrators act.
"""

from collections.abc import Callable
from itertools import islice
from typing import Annotated

import apsw
from fastapi import APIRouter, Form, Path, Query
from starlette.responses import HTMLResponse, Response

from protocol.slip_proof import SLIP_CHARACTERS_MAX, SLIP_WORD
from sync_server import cash, cash_cassettes, cash_desk
from sync_server.cash_desk import CashError
from sync_server.console.access import ActsOnCash, Sees
from sync_server.console.live import Fragments
from sync_server.console.login import see_other
from sync_server.console.view import LivePage, NotHereError, View, moment
from sync_server.core.reconcile import business_date
from sync_server.listings import Row

ROWS_MAX = 200

router = APIRouter(include_in_schema=False)

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
Slip = Annotated[str, Form(max_length=SLIP_CHARACTERS_MAX)]


def _problem(view: View, error: CashError) -> str:
    """The refusal in the reader's words."""
    return view.texts(f"cash_problem.{error.code}", by=error.by, at=moment(error.at_ms))


# ---- the books


def sheet_parts(view: View, connection: apsw.Connection, day: str) -> Fragments:
    """Sums and terminals of a day, "" for today. Raises NotHereError."""
    try:
        rows = cash.sheet(connection, view.scope, day=day or business_date(view.now_ms))
    except CashError as error:
        raise NotHereError from error
    return {
        "sums": view.render("parts/cash_sums.html", totals=cash.totals(rows)),
        "list": view.render("parts/cash_sheet.html", rows=rows),
    }


@router.get("/cash")
def sheet_page(view: Sees, day: Annotated[str, Query(max_length=16)] = "") -> HTMLResponse:
    """The books of one day, today's when none is asked for."""
    shown = day or business_date(view.now_ms)
    with view.console.database.reading() as connection:
        fragments = sheet_parts(view, connection, shown)
    return view.page(
        "cash.html",
        view.texts("cash.title"),
        stream=f"/live/cash/{shown}",
        fragments=fragments,
        tab="cash",
        problem="",
        day=shown,
        today=business_date(view.now_ms),
    )


# ---- vouchers


def voucher_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """What is owed, then what was paid out last."""
    waiting = list(islice(cash_desk.vouchers(connection, view.scope), ROWS_MAX))
    paid_out = islice(cash_desk.vouchers(connection, view.scope, settled=True), ROWS_MAX)
    html = view.render("parts/cash_vouchers.html", waiting=waiting, paid_out=list(paid_out))
    return {"list": html}


@router.get("/cash/vouchers")
def vouchers_page(
    view: Sees, number: Annotated[str, Query(max_length=SLIP_CHARACTERS_MAX)] = ""
) -> Response:
    """All vouchers of the scope, or the one whose number or slip is asked for."""
    problem = ""
    with view.console.database.reading() as connection:
        if number.strip():
            try:
                found = cash_desk.find_voucher(connection, view.scope, number)
                is_slip = number.strip().upper().startswith(SLIP_WORD + "/")
                slip = f"?slip={number.strip()}" if is_slip else ""
                return see_other(f"/cash/vouchers/{found['voucher']}{slip}")
            except CashError as error:
                problem = _problem(view, error)
        fragments = voucher_parts(view, connection, "")
    return view.page(
        "cash_list.html",
        view.texts("cash.title"),
        stream="/live/vouchers/",
        fragments=fragments,
        tab="vouchers",
        problem=problem,
        number=number,
    )


def _voucher(view: View, connection: apsw.Connection, voucher: int) -> Row:
    """Raises NotHereError."""
    try:
        return cash_desk.voucher(connection, view.scope, voucher)
    except CashError as error:
        raise NotHereError from error


def _voucher_page(view: View, row: Row, slip: str, problem: str = "") -> HTMLResponse:
    return view.page(
        "cash_voucher.html",
        view.texts("cash.voucher", number=row["number"]),
        tab="vouchers",
        row=row,
        slip=slip,
        problem=problem,
        status=409 if problem else 200,
    )


@router.get("/cash/vouchers/{voucher}")
def voucher_page(
    view: Sees, voucher: Id, slip: Annotated[str, Query(max_length=SLIP_CHARACTERS_MAX)] = ""
) -> HTMLResponse:
    """One voucher, before and after it is paid out."""
    with view.console.database.reading() as connection:
        row = _voucher(view, connection, voucher)
        try:
            if slip:
                cash_desk.check_slip(connection, view.scope, row, slip)
        except CashError as error:
            return _voucher_page(view, row, "", _problem(view, error))
        return _voucher_page(view, row, slip)


@router.post("/cash/vouchers/{voucher}/settle")
def settle(view: ActsOnCash, voucher: Id, slip: Slip = "") -> Response:
    """Pay a voucher out."""
    return _act(
        view,
        voucher,
        _voucher,
        lambda connection: cash_desk.settle(
            connection, view.scope, voucher, view.account.name, view.now_ms, slip=slip
        ),
        lambda row, problem: _voucher_page(view, row, "", problem),
        f"/cash/vouchers/{voucher}",
    )


# ---- cases


def case_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """What waits, the nearest deadline first, then what was closed last."""
    waiting = list(islice(cash_desk.cases(connection, view.scope), ROWS_MAX))
    closed = islice(cash_desk.cases(connection, view.scope, closed=True), ROWS_MAX)
    html = view.render("parts/cash_cases.html", waiting=waiting, closed=list(closed))
    return {"list": html}


@router.get("/cash/cases")
def cases_page(view: Sees) -> HTMLResponse:
    """All cases of the scope."""
    with view.console.database.reading() as connection:
        fragments = case_parts(view, connection, "")
    return view.page(
        "cash_list.html",
        view.texts("cash.title"),
        stream="/live/cases/",
        fragments=fragments,
        tab="cases",
        problem="",
    )


def _case(view: View, connection: apsw.Connection, case: int) -> Row:
    """Raises NotHereError."""
    try:
        return cash_desk.case(connection, view.scope, case)
    except CashError as error:
        raise NotHereError from error


def _case_page(view: View, row: Row, note: str = "", problem: str = "") -> HTMLResponse:
    return view.page(
        "cash_case.html",
        view.texts("cash.case", id=row["case"]),
        tab="cases",
        row=row,
        note=note,
        note_max=cash_desk.DECISION_CHARACTERS_MAX,
        problem=problem,
        status=409 if problem else 200,
    )


@router.get("/cash/cases/{case}")
def case_page(view: Sees, case: Id) -> HTMLResponse:
    """One case, open or closed."""
    with view.console.database.reading() as connection:
        return _case_page(view, _case(view, connection, case))


@router.post("/cash/cases/{case}/close")
def close(
    view: ActsOnCash,
    case: Id,
    outcome: Annotated[str, Form(max_length=32)],
    note: Annotated[str, Form(max_length=cash_desk.DECISION_CHARACTERS_MAX)],
) -> Response:
    """Close a case with what was found."""
    return _act(
        view,
        case,
        _case,
        lambda connection: cash_desk.close(
            connection, view.scope, case, outcome, view.account.name, note, view.now_ms
        ),
        lambda row, problem: _case_page(view, row, note, problem),
        f"/cash/cases/{case}",
    )


# ---- cassettes


def cassette_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """What waits to be counted, the oldest first, then what was counted last."""
    waiting = list(islice(cash_cassettes.cassettes(connection, view.scope), ROWS_MAX))
    counted = islice(cash_cassettes.cassettes(connection, view.scope, counted=True), ROWS_MAX)
    html = view.render("parts/cash_cassettes.html", waiting=waiting, counted=list(counted))
    return {"list": html}


def _cassettes_page(view: View, connection: apsw.Connection, problem: str = "") -> HTMLResponse:
    return view.page(
        "cash_list.html",
        view.texts("cash.title"),
        stream="/live/cassettes/",
        fragments=cassette_parts(view, connection, ""),
        tab="cassettes",
        problem=problem,
        status=409 if problem else 200,
    )


@router.get("/cash/cassettes")
def cassettes_page(view: Sees) -> HTMLResponse:
    """All cassettes of the scope."""
    with view.console.database.reading() as connection:
        return _cassettes_page(view, connection)


@router.post("/cash/cassettes/count")
def count(
    view: ActsOnCash,
    terminal: Annotated[str, Form(max_length=32)],
    seq: Annotated[int, Form(ge=1, le=2**63 - 1)],
    amount: Annotated[str, Form(max_length=16)],
    note: Annotated[str, Form(max_length=cash_desk.DECISION_CHARACTERS_MAX)],
) -> Response:
    """Book what was counted."""
    with view.console.database.acting() as connection:
        try:
            fen = cash_cassettes.fen_of(amount)
            cash_cassettes.count(
                connection, view.scope, terminal, seq, fen, view.account.name, note, view.now_ms
            )
        except CashError as error:
            if error.code == "no_cassette":
                raise NotHereError from error
            return _cassettes_page(view, connection, _problem(view, error))
    return see_other("/cash/cassettes")


def _act(
    view: View,
    about: int,
    read: Callable[[View, apsw.Connection, int], Row],
    act: Callable[[apsw.Connection], Row],
    again: Callable[[Row, str], Response],
    done: str,
) -> Response:
    """Do it and go to the page `done`, or show `again` the thing as it is now and why not."""
    with view.console.database.acting() as connection:
        read(view, connection, about)
        try:
            act(connection)
        except CashError as error:
            return again(read(view, connection, about), _problem(view, error))
    return see_other(done)


PAGES: dict[str, LivePage] = {
    "cash": LivePage(sheet_parts, is_shared=True),
    "vouchers": LivePage(voucher_parts, is_shared=True),
    "cases": LivePage(case_parts, is_shared=True),
    "cassettes": LivePage(cassette_parts),
}
