"""Promises of the console as functions: each returns its violations, none when all is well."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_server import audit
from tests.server.cash_tools import balances
from tests.server.console_site import GOOD, OTHER_HALL, Site, site
from tests.server.filled_centre import City, take_cash
from tests.server.making import UNIT


@contextmanager
def two_halls() -> Iterator[Site]:
    """A terminal in each."""
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as here:
        here.city = City(here.people().centre)
        here.city.add("n-gate-1", UNIT, 2)
        here.city.add("d-gate-1", OTHER_HALL, 2)
        yield here


def another_hall_is_not_there() -> list[str]:
    """An officer sees nothing of a hall that is not theirs."""
    pages = ("/", "/terminal/n-gate-1", f"/hall/{UNIT}", "/help", "/api/v1/terminals")
    with two_halls() as here:
        web = here.browser("chen.jie")
        return [page for page in pages if "n-gate-1" in web.get(page).text.replace(page, "")] + [
            page for page in pages[1:3] if web.get(page).status_code != 404
        ]


def another_halls_cash_is_not_there() -> list[str]:
    """An officer sees, pays and closes nothing of a hall that is not theirs."""
    things = ("/cash/vouchers/1", "/cash/cases/1")
    with two_halls() as here:
        for name, unit in (("n", UNIT), ("d", OTHER_HALL), ("w", "dongguan/wanjiang/hall-1")):
            here.city.add(f"{name}-ticket-1", unit)
        take_cash(here.city)
        web = here.browser("chen.jie")
        lists = ("/cash", "/cash/vouchers", "/cash/cases", "/api/v1/cash")
        found = [page for page in lists if "n-ticket-1" in web.get(page).text]
        found += [page for page in things if web.get(page).status_code != 404]
        token = web.get("/cash/vouchers/3").text.split('form_token" value="')[1][:64]
        form = {"form_token": token, "outcome": "given_back", "note": "x"}
        for page, act in zip(things, ("settle", "close"), strict=True):
            web.post(f"{page}/{act}", form)
        if balances(here.store).get(f"till:{UNIT}"):
            found.append("a voucher of another hall was paid")
        if balances(here.store).get("doubt:n-ticket-1") != 50:
            found.append("a case of another hall was closed")
        return found


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
