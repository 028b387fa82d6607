"""The one stream of each live page: `/live/PAGE/ABOUT`, its fragments as server-sent events."""

from fastapi import APIRouter
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from sync_server.accounts import session
from sync_server.console import cash, fleet, hall, lists
from sync_server.console.access import Sees
from sync_server.console.live import SEND_TIMEOUT_S, Fragments, Page, TooManyStreamsError
from sync_server.console.view import LivePage, NotAllowedError, NotHereError, View

BUSY_S = 10

router = APIRouter(include_in_schema=False)

PAGES: dict[str, LivePage] = {**fleet.PAGES, **lists.PAGES, **hall.PAGES, **cash.PAGES}


@router.get("/live/{page}/{about:path}")
async def live(view: Sees, page: str, about: str) -> EventSourceResponse:
    """Fragments when they change, beats in between."""
    live_page = PAGES.get(page)
    if live_page is None:
        raise NotHereError
    if not view.may(live_page.permission):
        raise NotAllowedError
    console, account = view.console, view.account
    same_for = (account.scope, account.role) if live_page.is_shared else view.owner

    def render() -> Fragments:
        with console.database.reading() as connection:
            return live_page.parts(view, connection, about)

    try:
        console.live.check_room(view.owner)
    except TooManyStreamsError as error:
        raise HTTPException(503, headers={"retry-after": str(BUSY_S)}) from error
    await run_in_threadpool(render)
    shown = Page(
        owner=view.owner,
        key=(page, about, view.texts.language, same_for),
        render=render,
        may_see=lambda: may_see(view),
        beat=lambda: view.render("parts/beat.html"),
    )
    return EventSourceResponse(
        console.live.stream(shown), ping=0, send_timeout=SEND_TIMEOUT_S, sep="\n"
    )


def may_see(view: View) -> bool:
    """Whether the session still is what it was when the stream began."""
    with view.console.database.acting() as connection:
        return session(connection, view.token, view.now_ms) == view.account
