"""Lists: what is quarantined, what was refused, who did what. Live, newest first, bounded."""

from itertools import islice

import apsw
from fastapi import APIRouter
from starlette.responses import HTMLResponse

from sync_server import audit, listings
from sync_server.accounts import AUDIT
from sync_server.console.access import Audits, Sees
from sync_server.console.live import Fragments
from sync_server.console.view import LivePage, View

ROWS_MAX = 200

router = APIRouter(include_in_schema=False)


def quarantine_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """Signed records that did not open or decode."""
    rows = list(listings.quarantine(connection, view.scope, limit=ROWS_MAX))
    return {"list": view.render("parts/quarantine.html", rows=rows, most=ROWS_MAX)}


def refused_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """The beginnings of refused messages, and how many of each code came."""
    rows = list(islice(listings.samples(connection, view.scope), ROWS_MAX))
    rows.sort(key=lambda row: -row["received_ms"])
    counts = listings.counts(connection, view.scope)
    refused = {
        code: count
        for code, count in counts.items()
        if code.startswith(("refused", "dropped", "failed", "hold"))
    }
    html = view.render("parts/refused.html", rows=rows, counts=refused, most=ROWS_MAX)
    return {"list": html}


def audit_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """What people did, newest first."""
    rows = list(audit.entries(connection, limit=ROWS_MAX))
    return {"list": view.render("parts/audit.html", rows=rows, most=ROWS_MAX)}


PAGES: dict[str, LivePage] = {
    "quarantine": LivePage(quarantine_parts, is_shared=True),
    "refused": LivePage(refused_parts, is_shared=True),
    "audit": LivePage(audit_parts, AUDIT, is_shared=True),
}


def list_page(view: View, name: str) -> HTMLResponse:
    """The page of one of PAGES."""
    with view.console.database.reading() as connection:
        fragments = PAGES[name].parts(view, connection, "")
    return view.page(
        "list.html", view.texts(f"{name}.title"), stream=f"/live/{name}/", fragments=fragments
    )


@router.get("/quarantine")
def quarantine_page(view: Sees) -> HTMLResponse:
    """Records with their bytes kept, and why."""
    return list_page(view, "quarantine")


@router.get("/refused")
def refused_page(view: Sees) -> HTMLResponse:
    """Messages that were not taken, and why."""
    return list_page(view, "refused")


@router.get("/audit")
def audit_page(view: Audits) -> HTMLResponse:
    """Who did what."""
    return list_page(view, "audit")
