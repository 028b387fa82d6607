"""The home page: the truth line, who needs somebody, all terminals; and the page of one terminal.

A terminal's state is the worst reason why it needs somebody (sync_server/overview.py), so the
table, the list above it and the terminal's own page never disagree.
"""

from hashlib import sha256
from typing import Annotated

import apsw
from fastapi import APIRouter, Form, Query, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from protocol.wire import states
from sync_server import alarms, listings, overview, timeline
from sync_server.accounts import SEE
from sync_server.alarms import AlarmError
from sync_server.console.access import ActsAsOperator, Sees
from sync_server.console.fleet_table import SORTS, Choice, choice, choose
from sync_server.console.live import Fragments
from sync_server.console.login import see_other
from sync_server.console.view import LivePage, NotHereError, View
from sync_server.device_words import condition_words
from sync_server.listings import Row

NEEDS_MAX = 30
TIMELINE_LINES = 100
MILD = frozenset({"never", "cash", "backlog", "paper"})
"""Reasons that warn; the others are bad."""

router = APIRouter(include_in_schema=False)

Asked = Annotated[str, Query(max_length=400)]


def needs(view: View, connection: apsw.Connection) -> list[Row]:
    """Terminals that need somebody, the worst first, each reason with its kind."""
    rows = overview.attention(connection, view.scope, view.now_ms)
    for row in rows:
        for reason in row["reasons"]:
            reason["kind"] = "warn" if reason["code"] in MILD else "bad"
            reason["text"] = _words(view, reason)
    return rows


def _words(view: View, reason: Row) -> str:
    """The reason in a sentence; codes that we know better than the row's own words."""
    family = {"centre": "centre_alarm", "alarm": "terminal_alarm"}.get(reason["code"], "")
    key = f"{family}.{reason['detail']}"
    if view.texts.has(key):
        return view.texts(key)
    return str(reason["zh" if view.is_chinese else "en"])


def fleet_rows(view: View, connection: apsw.Connection, needy: list[Row]) -> list[Row]:
    """Every terminal of the scope, with what a row of the table says of it."""
    places = {row["terminal"]: place for place, row in enumerate(needy)}
    return [
        _fleet_row(view, row, needy[places[row["terminal"]]]["reasons"], places[row["terminal"]])
        if row["terminal"] in places
        else _fleet_row(view, row, [], len(needy))
        for row in listings.terminals(connection, view.scope)
    ]


def _fleet_row(view: View, row: Row, reasons: list[Row], place: int) -> Row:
    if row["revoked"]:
        kind, word = "off", "revoked"
    elif reasons:
        kind, word = reasons[0]["kind"], reasons[0]["code"]
    else:
        kind, word = ("wait", "new") if row["online"] is None else ("good", "well")
    received_ms, age_ms = row["state_received_ms"], row["oldest_age_ms"]
    return {
        **row,
        "kind": kind,
        "place": place + row["revoked"],
        "word": view.texts(f"terminal_state.{word}"),
        "heard_ms": received_ms,
        "oldest_ms": None if received_ms is None else received_ms - (age_ms or 0),
        "reasons": reasons,
    }


def digest(rows: list[Row]) -> str:
    """Another text when any row has changed."""
    return sha256(repr(rows).encode()).hexdigest()[:16]


def table(view: View, rows: list[Row], asked: Choice) -> Markup:
    """The table as the address asks for it."""
    chosen = choose(rows, asked)
    page = chosen.page
    return view.render(
        "parts/terminals.html",
        **chosen._asdict(),
        digest=digest(rows),
        address=asked.address(page),
        is_filtered=asked.is_filtered,
        previous=asked.address(page - 1) if page > 1 else "",
        next=asked.address(page + 1) if page < chosen.pages else "",
    )


def home_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """What the stream sends; of the table only that it changed: each viewer asks for their part."""
    needy = needs(view, connection)
    rows = fleet_rows(view, connection, needy)
    truth = overview.truth(connection, view.scope, view.now_ms)
    return {
        "truth": view.render("parts/truth.html", truth=truth),
        "attention": view.render(
            "parts/attention.html", rows=needy[:NEEDS_MAX], count=len(needy), all=len(rows)
        ),
        "terminals": digest(rows),
    }


@router.get("/")
def home(
    view: Sees,
    request: Request,
    q: Asked = "",
    unit: Asked = "",
    sort: Asked = "",
    page: Asked = "",
) -> Response:
    """The whole page, or its table only for htmx."""
    asked = choice(q, unit, sort, page)
    with view.console.database.reading() as connection:
        rows = fleet_rows(view, connection, needs(view, connection))
        html = table(view, rows, asked)
        if request.headers.get("hx-target") == "terminals":
            return HTMLResponse(html)
        fragments = home_parts(view, connection, "")
    return view.page(
        "home.html",
        view.texts("nav.home"),
        stream="/live/home/",
        fragments={**fragments, "table": html},
        chosen=asked,
        units=sorted({row["unit"] for row in rows}),
        sorts=SORTS,
    )


# ---- one terminal


def terminal_parts(view: View, connection: apsw.Connection, name: str) -> Fragments:
    """State, devices, what happened. Raises NotHereError."""
    needy = needs(view, connection)
    rows = fleet_rows(view, connection, needy)
    row = next((row for row in rows if row["terminal"] == name), None)
    if row is None:
        raise NotHereError
    raised = [
        alarm
        for alarm in listings.alarms(connection, view.scope)
        if alarm["terminal"] == name and alarm["acknowledged_ms"] is None
    ]
    words = condition_words(states.CARD_READER, states.ONLINE, 0)
    fine = words.zh if view.is_chinese else words.en
    lines = timeline.timeline(connection, view.scope, name, view.now_ms, TIMELINE_LINES)
    return {
        "state": view.render("parts/terminal_state.html", row=row, alarms=raised),
        "devices": view.render("parts/devices.html", row=row, fine=fine),
        "timeline": view.render("parts/timeline.html", lines=lines, most=TIMELINE_LINES),
    }


@router.get("/terminal/{name}")
def terminal_page(view: Sees, name: str) -> HTMLResponse:
    """Everything of one terminal; the address is one to send to a colleague."""
    with view.console.database.reading() as connection:
        fragments = terminal_parts(view, connection, name)
    return view.page("terminal.html", name, stream=f"/live/terminal/{name}", fragments=fragments)


@router.post("/terminal/{name}/acknowledge")
def acknowledge(
    view: ActsAsOperator, name: str, alarm: Annotated[int, Form(ge=1, le=2**63 - 1)]
) -> Response:
    """Somebody cared for an alarm of the centre."""
    with view.console.database.acting() as connection:
        try:
            alarms.acknowledge(connection, view.scope, alarm, view.account.name, view.now_ms)
        except AlarmError as error:
            raise NotHereError from error
    return see_other(f"/terminal/{name}")


PAGES: dict[str, LivePage] = {
    "home": LivePage(home_parts, SEE, is_shared=True),
    "terminal": LivePage(terminal_parts),
}
