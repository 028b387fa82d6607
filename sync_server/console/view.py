"""Who looks, in which words: what every page is made with.

A page has a frame (title, navigation, who is logged in) and fragments. The same function makes the
fragments for the page and for its stream, so both show the same.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import apsw
from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sync_server.accounts import ACCOUNTS, AUDIT, OFFICER, QUEUE, SEE, Account
from sync_server.cash_desk import yuan
from sync_server.console.database import Database
from sync_server.console.live import Fragments, Live
from sync_server.console.texts import LANGUAGES, SOURCE, Texts, texts
from sync_server.units import Scope
from tongban.web.pages import templates

HERE = Path(__file__).resolve().parent
SHANGHAI = timezone(timedelta(hours=8))
LANGUAGE_COOKIE = "tongban_language"
THEME_COOKIE = "tongban_theme"
COUNTER_COOKIE = "tongban_counter"
THEMES = ("light", "dark")
_COUNTER = re.compile(r"[1-9][0-9]?")
PREFERENCE_S = 365 * 86_400

OPERATE = "operate"
"""Watch over terminals, acknowledge alarms: what every role but the hall's officers does."""
NAVIGATION = (
    ("/", "nav.home", SEE),
    ("/hall", "nav.hall", QUEUE),
    ("/conflicts", "nav.conflicts", SEE),
    ("/help", "nav.help", SEE),
    ("/cash", "nav.cash", SEE),
    ("/quarantine", "nav.quarantine", OPERATE),
    ("/refused", "nav.refused", OPERATE),
    ("/audit", "nav.audit", AUDIT),
    ("/accounts", "nav.accounts", ACCOUNTS),
)
"""Address, text, and the permission that shows it."""
OF_THE_WHOLE = frozenset({AUDIT, ACCOUNTS})
"""Permissions that nobody with a narrower scope has: they would reach beyond it."""


class NeedsLoginError(Exception):
    """Nobody is logged in here."""


class NotHereError(Exception):
    """There is no such thing, or it is not this viewer's to see: both look the same."""


class NotAllowedError(Exception):
    """The viewer's role does not do this."""


@dataclass(frozen=True, slots=True)
class Console:
    """What all requests share."""

    database: Database
    live: Live
    pages: Environment
    clock_ms: Callable[[], int]
    is_https: bool = False

    @property
    def session_cookie(self) -> str:
        """Its name; over https no other host can set one of this name."""
        return "__Host-tongban" if self.is_https else "tongban"

    def keep(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        """Set a cookie that scripts and other sites do not get."""
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            secure=self.is_https,
            httponly=True,
            samesite="strict",
        )


def environment() -> Environment:
    """The console's templates with their filters."""
    made = templates(HERE)
    made.filters.update(clock=clock, moment=moment, path=breakable, yuan=yuan)
    made.globals.update(languages=LANGUAGES)
    return made


def _local(at_ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SHANGHAI)
    except (OverflowError, ValueError, OSError):
        return None


def clock(at_ms: int | None) -> str:
    """HH:MM:SS in Asia/Shanghai."""
    at = None if at_ms is None else _local(at_ms)
    return "—" if at is None else at.strftime("%H:%M:%S")


def moment(at_ms: int | None) -> str:
    """YYYY-MM-DD HH:MM:SS in Asia/Shanghai."""
    at = None if at_ms is None else _local(at_ms)
    return "—" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")


def breakable(unit: str) -> Markup:
    """A unit path that may break after its slashes."""
    return Markup("/<wbr>").join(unit.split("/"))


def language_of(request: Request) -> str:
    """As chosen here, else as the browser asks, else the source language."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted = request.headers.get("accept-language", SOURCE).lower()
    return "en" if wanted.startswith("en") else SOURCE


def theme_of(request: Request) -> str:
    """`light`, `dark`, or "" to follow the system."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def counter_of(request: Request) -> str:
    """The number of the counter this browser stands at, or ""."""
    chosen = request.cookies.get(COUNTER_COOKIE, "")
    return chosen if is_counter(chosen) else ""


def is_counter(text: str) -> bool:
    """Whether `text` is the number of a counter, 1 to 99."""
    return _COUNTER.fullmatch(text) is not None


def address_of(request: Request) -> str:
    """Path and query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


@dataclass(frozen=True, slots=True)
class View:
    """One request of somebody logged in."""

    console: Console
    account: Account
    token: str
    texts: Texts
    theme: str
    here: str
    path: str
    counter: str
    """The number of the counter this browser stands at, or ""."""

    @property
    def scope(self) -> Scope:
        """What the viewer may see; for every query."""
        return Scope(self.account.scope)

    @property
    def is_chinese(self) -> bool:
        """Which of the two texts that rows carry."""
        return self.texts.language == SOURCE

    @property
    def now_ms(self) -> int:
        """The centre's clock."""
        return self.console.clock_ms()

    @property
    def owner(self) -> str:
        """The session, without being able to use it."""
        return hashlib.sha256(b"owner\0" + self.token.encode()).hexdigest()

    @property
    def form_token(self) -> str:
        """Stands in every form; a page elsewhere does not know it."""
        return hmac.digest(self.token.encode(), b"tongban form", "sha256").hex()

    def may(self, permission: str) -> bool:
        """Whether the viewer may do this at all."""
        if permission == OPERATE:
            return self.account.role != OFFICER
        is_whole = not self.account.scope or permission not in OF_THE_WHOLE
        return is_whole and self.account.may(permission)

    def render(self, template: str, **values: Any) -> Markup:
        """A template in the viewer's words."""
        made = self.console.pages.get_template(template).render(
            t=self.texts,
            language=self.texts.language,
            is_chinese=self.is_chinese,
            account=self.account.name,
            role=self.account.role,
            may=self.may,
            form_token=self.form_token,
            now_ms=self.now_ms,
            **values,
        )
        return Markup(made)

    def page(
        self,
        template: str,
        title: str,
        *,
        stream: str = "",
        fragments: Mapping[str, str] | None = None,
        status: int = 200,
        **values: Any,
    ) -> HTMLResponse:
        """A whole page; `fragments` as they stand in its template."""
        parts = {name: Markup(html) for name, html in (fragments or {}).items()}
        html = self.render(
            template,
            page_title=title,
            navigation=self._navigation(),
            theme=self.theme,
            here=self.here,
            scope_path=self.account.scope,
            stream=stream,
            parts=parts,
            **values,
        )
        return HTMLResponse(html, status)

    def _navigation(self) -> list[dict[str, object]]:
        return [
            {"address": address, "word": self.texts(key), "here": self._is_here(address)}
            for address, key, permission in NAVIGATION
            if self.may(permission)
        ]

    def _is_here(self, address: str) -> bool:
        return self.path == address or (address != "/" and self.path.startswith(address + "/"))


class LivePage(NamedTuple):
    """A page with a stream. `parts` makes its fragments from the viewer, one state of the database
    and what the page is about; it raises NotHereError. `is_shared`: holds no forms, so it is the
    same for all of one scope, role and language."""

    parts: Callable[[View, apsw.Connection, str], Fragments]
    permission: str = SEE
    is_shared: bool = False


def bare_page(
    console: Console, request: Request, template: str, title: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page for somebody who is not let in yet. `title`: key of its text."""
    words = texts(language_of(request))
    html = console.pages.get_template(template).render(
        t=words,
        language=words.language,
        theme=theme_of(request),
        here=address_of(request) if request.method == "GET" else "/",
        page_title=words(title),
        **{"problem": "", "form_token": "", **values},
    )
    return HTMLResponse(html, status)
