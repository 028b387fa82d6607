"""Lists: conflicts, calls for help, quarantine, refusals, who did what. Live and bounded."""

from contextlib import suppress
from itertools import islice
from typing import Annotated

import apsw
from fastapi import APIRouter, Form
from starlette.responses import HTMLResponse, Response

from sync_server import audit, help_desk, listings, tickets
from sync_server.accounts import AUDIT
from sync_server.console.access import ActsOnQueue, Audits, Operates, Sees
from sync_server.console.live import Fragments
from sync_server.console.login import Address, own_address, see_other
from sync_server.console.view import OPERATE, LivePage, View
from sync_server.core.queue import QueueError

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


def conflicts_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """Open ones first, then those decided last."""
    rows = list(islice(tickets.conflicts(connection, view.scope), ROWS_MAX))
    html = view.render("parts/conflicts.html", rows=rows, back="/conflicts", is_hall=False)
    return {"list": html}


def help_parts(view: View, connection: apsw.Connection, _about: str) -> Fragments:
    """Calls that nobody answers yet, then the others with the time it took."""
    scope, now_ms = view.scope, view.now_ms
    html = view.render(
        "parts/help.html",
        calls=list(help_desk.open_calls(connection, scope, now_ms)),
        rows=list(help_desk.answered(connection, scope, now_ms, limit=ROWS_MAX)),
    )
    return {"list": html}


PAGES: dict[str, LivePage] = {
    "conflicts": LivePage(conflicts_parts),
    "help": LivePage(help_parts, is_shared=True),
    "quarantine": LivePage(quarantine_parts, OPERATE, is_shared=True),
    "refused": LivePage(refused_parts, OPERATE, is_shared=True),
    "audit": LivePage(audit_parts, AUDIT, is_shared=True),
}


def list_page(view: View, name: str) -> HTMLResponse:
    """The page of one of PAGES."""
    with view.console.database.reading() as connection:
        fragments = PAGES[name].parts(view, connection, "")
    return view.page(
        "list.html", view.texts(f"nav.{name}"), stream=f"/live/{name}/", fragments=fragments
    )


@router.get("/conflicts")
def conflicts_page(view: Sees) -> HTMLResponse:
    """Tickets that a rule left to a person; those who may decide do it here."""
    return list_page(view, "conflicts")


@router.post("/conflicts/decide")
def decide_conflict(
    view: ActsOnQueue,
    conflict: Annotated[int, Form(ge=1, le=2**63 - 1)],
    decision: Annotated[str, Form(max_length=tickets.DECISION_CHARACTERS_MAX)],
    back: Address = "/conflicts",
) -> Response:
    """Close a conflict; both tickets stay as they are."""
    with view.console.database.acting() as connection, suppress(QueueError):
        # decided by somebody else a moment ago: the list says so
        tickets.decide_conflict(
            connection, view.scope, conflict, view.account.name, decision, view.now_ms
        )
    return see_other(own_address(back))


@router.get("/help")
def help_page(view: Sees) -> HTMLResponse:
    """Calls for help, and how long each took to be answered."""
    return list_page(view, "help")


@router.get("/quarantine")
def quarantine_page(view: Operates) -> HTMLResponse:
    """Records with their bytes kept, and why."""
    return list_page(view, "quarantine")


@router.get("/refused")
def refused_page(view: Operates) -> HTMLResponse:
    """Messages that were not taken, and why."""
    return list_page(view, "refused")


@router.get("/audit")
def audit_page(view: Audits) -> HTMLResponse:
    """Who did what."""
    return list_page(view, "audit")
