"""The table of terminals: search, filter by unit, sort, pages; all of it stands in the address."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sync_server.listings import Row
from sync_server.units import Scope, UnitError, is_within

ROWS_PER_PAGE = 50
SEARCH_CHARACTERS_MAX = 64
DEFAULT_SORT = "worst"

_SORTS: dict[str, Callable[[Row], Any]] = {
    "worst": lambda row: (row["place"], row["terminal"]),
    "name": lambda row: row["terminal"],
    "unit": lambda row: (row["unit"], row["terminal"]),
    "backlog": lambda row: (-(row["backlog"] or 0), row["terminal"]),
    "heard": lambda row: (row["state_received_ms"] or 0, row["terminal"]),
}
SORTS = tuple(_SORTS)


class Choice(NamedTuple):
    """What the viewer asked for, made sane: anything odd counts as not asked."""

    q: str = ""
    unit: str = ""
    sort: str = DEFAULT_SORT
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether some terminals are left out."""
        return bool(self.q or self.unit)

    def address(self, page: int = 1) -> str:
        """The home page with this choice; what is as usual is left out."""
        asked = {"q": self.q, "unit": self.unit}
        values: dict[str, object] = {name: value for name, value in asked.items() if value}
        if self.sort != DEFAULT_SORT:
            values["sort"] = self.sort
        if page > 1:
            values["page"] = page
        return "/" + (f"?{urlencode(values)}" if values else "")


def choice(q: str, unit: str, sort: str, page: str) -> Choice:
    """From the values of an address, whatever they are."""
    try:
        unit = Scope(unit[:400]).path
    except UnitError:
        unit = ""
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    return Choice(
        q.strip()[:SEARCH_CHARACTERS_MAX].lower(),
        unit,
        sort if sort in _SORTS else DEFAULT_SORT,
        max(1, number),
    )


class Chosen(NamedTuple):
    """One page of what was asked for: rows, how many were found, of how many; numbers of the
    first and last shown; the page and the last page there is."""

    rows: list[Row]
    found: int
    all: int
    first: int
    last: int
    page: int
    pages: int


def choose(rows: Sequence[Row], asked: Choice) -> Chosen:
    """Filter, sort, and cut out one page."""
    found = [
        row
        for row in rows
        if is_within(row["unit"], asked.unit)
        and (asked.q in row["terminal"] or asked.q in row["unit"])
    ]
    found.sort(key=_SORTS[asked.sort])
    pages = max(1, math.ceil(len(found) / ROWS_PER_PAGE))
    page = min(asked.page, pages)
    start = (page - 1) * ROWS_PER_PAGE
    shown = found[start : start + ROWS_PER_PAGE]
    first = start + 1 if shown else 0
    return Chosen(shown, len(found), len(rows), first, start + len(shown), page, pages)
