"""The home page: all terminals of the scope, live."""

from hashlib import sha256
from typing import Annotated

import apsw
from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from sync_server import listings
from sync_server.accounts import SEE
from sync_server.console.access import Sees
from sync_server.console.fleet_table import SORTS, Choice, choice, choose
from sync_server.console.live import Fragments
from sync_server.console.view import LivePage, View
from sync_server.listings import Row

router = APIRouter(include_in_schema=False)

Asked = Annotated[str, Query(max_length=400)]


def fleet_rows(view: View, connection: apsw.Connection) -> list[Row]:
    """Every terminal of the scope, with what a row of the table says of it."""
    rows = []
    for row in listings.terminals(connection, view.scope):
        kind, rank = "good", 0
        if row["revoked"]:
            kind, word = "off", "revoked"
        elif row["online"] is None:
            kind, word, rank = "warn", "never", 1
        elif not row["online"]:
            kind, word, rank = "bad", "offline", 2
        else:
            word = "online"
        received_ms, age_ms = row["state_received_ms"], row["oldest_age_ms"]
        rows.append(
            {
                **row,
                "kind": kind,
                "rank": rank,
                "word": view.texts(f"terminal_state.{word}"),
                "heard_ms": received_ms,
                "oldest_ms": None if received_ms is None else received_ms - (age_ms or 0),
                "reasons": row["alarms"],
            }
        )
    return rows


def table(view: View, rows: list[Row], asked: Choice) -> Markup:
    """The table as the address asks for it."""
    chosen = choose(rows, asked)
    page = chosen.page
    return view.render(
        "parts/terminals.html",
        **chosen._asdict(),
        address=asked.address(page),
        is_filtered=asked.is_filtered,
        previous=asked.address(page - 1) if page > 1 else "",
        next=asked.address(page + 1) if page < chosen.pages else "",
    )


def home_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """What the stream sends; of the table only that it changed: each viewer asks for their part."""
    digest = sha256(repr(fleet_rows(view, connection)).encode()).hexdigest()
    return {"terminals": digest[:16]}


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
        rows = fleet_rows(view, connection)
        html = table(view, rows, asked)
        if request.headers.get("hx-target") == "terminals":
            return HTMLResponse(html)
        fragments = home_parts(view, connection, "")
    return view.page(
        "home.html",
        view.texts("home.title"),
        stream="/live/home/",
        fragments={**fragments, "table": html},
        chosen=asked,
        units=sorted({row["unit"] for row in rows}),
        sorts=SORTS,
    )


PAGES: dict[str, LivePage] = {"home": LivePage(home_parts, SEE, is_shared=True)}
