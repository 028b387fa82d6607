"""The console in a thread, over a filled centre, for a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from sync_server.accounts import check_login
from sync_server.console.view import COUNTER_COOKIE, LANGUAGE_COOKIE
from tests.server.console_site import GOOD, Site, site
from tests.server.filled_centre import City, fill
from tongban.web.server import PageServer

SIZES = {"desk": (1024, 768), "wide": (1440, 900)}


class Served:
    """`url` of the console; `city` is its centre, where a test makes things happen."""

    def __init__(self, here: Site, *, is_filled: bool) -> None:
        self.here = here
        self.city = fill(here.centre) if is_filled else City(here.centre)
        self._server = PageServer(here.app, "console")
        self._server.start()
        self.url = self._server.url

    def stop(self) -> None:
        self._server.stop()

    def again(self) -> None:
        """Serve again at the same address."""
        self._server = PageServer(self.here.app, "console", port=self._server.port)
        self._server.start()

    def log_in(self, page: Page, name: str, path: str = "/") -> Page:
        """As a person does it."""
        self.speak(page.context)
        page.goto(f"{self.url}/login?next={path}")
        page.fill("#name", name)
        page.fill("#password", GOOD)
        page.click("button.primary")
        page.wait_for_selector("html[data-ready]")
        return page

    def open(self, page: Page, name: str, path: str = "/", counter: str = "") -> Page:
        """At `path` as somebody who logged in earlier, and chose the counter."""
        self.speak(page.context)
        self.let_in(page.context, name)
        if counter:
            cookie = {"name": COUNTER_COOKIE, "value": counter, "url": self.url}
            page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(self.url + path)
        page.wait_for_selector("html[data-ready]")
        return page

    def speak(self, context: BrowserContext, language: str = "zh-CN") -> None:
        """Pages in this language."""
        context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": self.url}])

    def let_in(self, context: BrowserContext, name: str) -> None:
        """A session for all pages of a context, without the form."""
        connection, now_ms = self.here.store.connection, self.here.now_ms
        token = check_login(connection, name, GOOD, "127.0.0.1", now_ms)
        context.add_cookies([{"name": "tongban", "value": token, "url": self.url}])


@contextmanager
def served(folder: Path, *, is_filled: bool = True) -> Iterator[Served]:
    with site(folder) as here:
        here.people()
        made = Served(here, is_filled=is_filled)
        try:
            yield made
        finally:
            made.stop()
