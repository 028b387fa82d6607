"""Promises of the console as functions: each returns its violations, none when all is well."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_server import audit
from tests.server.console_site import GOOD, OTHER_HALL, Site, site
from tests.server.filled_centre import City
from tests.server.making import UNIT


@contextmanager
def two_halls() -> Iterator[Site]:
    """A terminal in each."""
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as here:
        city = City(here.people().centre)
        city.add("n-gate-1", UNIT, 2)
        city.add("d-gate-1", OTHER_HALL, 2)
        yield here


def another_hall_is_not_there() -> list[str]:
    """An officer sees nothing of a hall that is not theirs."""
    pages = ("/", "/terminal/n-gate-1", f"/hall/{UNIT}", "/help", "/api/v1/terminals")
    with two_halls() as here:
        web = here.browser("chen.jie")
        return [page for page in pages if "n-gate-1" in web.get(page).text.replace(page, "")] + [
            page for page in pages[1:3] if web.get(page).status_code != 404
        ]


def actions_come_from_our_forms() -> list[str]:
    """What is posted without the token of one of our forms does nothing."""
    forms = {
        "/accounts": {"name": "new.one", "password": GOOD, "role": "operator"},
        "/accounts/disabled": {"name": "zhao.yun", "disabled": "true"},
        f"/hall/{UNIT}/next": {},
    }
    with two_halls() as here:
        web = here.browser("li.wei")
        before = audit.head(here.store.connection)
        found = [path for path, form in forms.items() if web.post(path, form).status_code != 403]
        if audit.head(here.store.connection) != before:
            found.append("something was done")
        return found


def sessions_end_for_good() -> list[str]:
    """A cookie of before the logout opens nothing."""
    with two_halls() as here:
        web, thief = here.browser("li.wei"), here.browser()
        thief.cookies = web.cookies
        web.send("/", "/logout", {})
        return [page for page in ("/", "/accounts") if thief.get(page).status_code != 303]
