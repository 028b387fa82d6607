"""A browser context that writes down what a page must not do."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

LOCAL_HOSTS = ("127.0.0.1", "localhost")
LOCAL_SCHEMES = ("data", "blob", "about", "file")
NOWHERE_ELSE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Chromium's flag that stops whatever would leave the machine, sockets and look-ups too."""
PROBLEMS_MAX = 20


def is_local(url: str) -> bool:
    """Whether a request for `url` stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in LOCAL_HOSTS


class Watched:
    """Remembers requests that would leave the machine, and every error.

    `may_fail`: words of errors that the test provokes itself, as a server that it stops.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.may_fail: list[str] = []
        self._left: list[str] = []
        self._errors: list[str] = []
        context.on("request", self._request)
        context.on("page", self._watch)

    def problems(self) -> list[str]:
        """What went wrong, at most PROBLEMS_MAX of it."""
        errors = [e for e in self._errors if not any(word in e for word in self.may_fail)]
        return [*self._left, *errors][:PROBLEMS_MAX]

    def forget(self) -> None:
        """Begin anew, for another test on the same page."""
        for kept in (self.may_fail, self._left, self._errors):
            kept.clear()

    def _request(self, request: Request) -> None:
        if not is_local(request.url):
            self._left.append(f"left the machine: {request.url}")

    def _watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._errors.append(f"uncaught: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            place = message.location
            where = f"{place.get('url')}:{place.get('lineNumber')}"
            self._errors.append(f"console: {message.text} ({where})")
