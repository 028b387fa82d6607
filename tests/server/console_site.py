"""A console over a real database of the centre, asked over HTTP without a socket."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from sync_server import accounts, passwords
from sync_server.console.app import build
from sync_server.console.database import Database
from sync_server.console.live import Live
from sync_server.store_sqlite import DATABASE_FILE, SqliteStore, open_store
from tests.server.making import NOON_MS, UNIT, Centre, centre_keys

ORIGIN = "http://127.0.0.1:8090"
GOOD = "一杯热茶与三页纸张就够"
CHEAP = (4, 8, 1)
OTHER_HALL = "dongguan/dongcheng/hall-2"
PEOPLE = {
    "li.wei": (accounts.ADMIN, ""),
    "zhao.yun": (accounts.OPERATOR, ""),
    "wang.fang": (accounts.OFFICER, UNIT),
    "chen.jie": (accounts.OFFICER, OTHER_HALL),
}
"""Test accounts: role and scope."""


class Web:
    """One browser: keeps its cookies, follows no redirect by itself."""

    def __init__(self, app: Any, origin: str = ORIGIN) -> None:
        self._app = app
        self._origin = origin
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(
                transport=transport, base_url=self._origin, cookies=self.cookies
            ) as web:
                answer = await web.request(method, path, **how)
                self.cookies = web.cookies
                return answer

        return asyncio.run(go())

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def post(self, path: str, form: dict[str, str] | None = None, **how: Any) -> httpx.Response:
        how.setdefault("headers", {"origin": self._origin})
        return self.ask("POST", path, data=form or {}, **how)

    def send(self, page: str, path: str, form: dict[str, str]) -> httpx.Response:
        """Post a form as it stands on `page`, with its token."""
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(page).text)
        assert found, f"{page} has no form"
        return self.post(path, {"form_token": found[1], **form})

    def log_in(self, name: str, password: str = GOOD) -> httpx.Response:
        return self.post("/login", {"name": name, "password": password})


class Site:
    """The centre's data folder with its pages; `centre` takes batches as the server does."""

    def __init__(self, folder: Path, *, is_https: bool = False) -> None:
        self.folder = folder
        self.now_ms = NOON_MS
        self.store: SqliteStore = open_store(folder / DATABASE_FILE)
        self.centre = Centre(self.store, centre_keys())
        self.database = Database(folder / DATABASE_FILE)
        live = Live(self.database.version)
        self.app = build(self.database, live, lambda: self.now_ms, is_https=is_https)

    def people(self, more: dict[str, tuple[str, str]] | None = None) -> "Site":
        """Make the test accounts, and `more`."""
        for name, (role, scope) in {**PEOPLE, **(more or {})}.items():
            accounts.add_account(
                self.store.connection,
                name=name,
                password=GOOD,
                role=role,
                scope=scope,
                by="test",
                now_ms=self.now_ms,
            )
        return self

    def browser(self, name: str = "") -> Web:
        """A new browser, logged in as `name` when it is given."""
        web = Web(self.app)
        if name:
            assert web.log_in(name).status_code == 303
        return web

    def close(self) -> None:
        self.database.close()
        self.store.close()


@contextmanager
def site(folder: Path, *, is_https: bool = False) -> Iterator[Site]:
    """A site whose passwords cost little."""
    before, passwords.COST = passwords.COST, CHEAP
    made = Site(folder, is_https=is_https)
    try:
        yield made
    finally:
        made.close()
        passwords.COST = before
