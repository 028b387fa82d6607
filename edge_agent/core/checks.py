"""The checks of a visit, as functions of what is known. Each returns (outcome, facts).

Hashing a number is slow on purpose (scrypt, about 50 ms): run status and presence off the loop.
"""

import datetime

from protocol.people import CardHolder, id_number_problem
from protocol.status_list import CODE_OFFICER, StatusList

Facts = dict[str, str | int]
Result = tuple[str, Facts]


def card_valid(holder: CardHolder, day: datetime.date) -> Result:
    """`day`: today in Shanghai. A card without an end (长期) does not expire."""
    foreign = holder.person.document == "I"
    if not foreign and id_number_problem(holder.person.number):
        return "invalid", {}
    if holder.valid_to is not None and day > holder.valid_to:
        return "expired", {}
    return ("valid" if holder.is_valid_on(day) else "invalid"), {}


def status(
    holder: CardHolder, status_list: StatusList | None, now_ms: int, age_ms_max: int
) -> Result:
    """Looks the person up in the cached list. An old list that names the person still counts.

    A clock that stands before the list was issued makes it no older. An officer is not blocked.
    """
    if status_list is None:
        return "unknown", _facts("unknown", 0, 0)
    code = _code(holder, status_list)
    if code and code != CODE_OFFICER:
        return "listed", _facts("listed", code, status_list.version)
    old = now_ms - status_list.issued_ms > age_ms_max or not status_list.is_current(now_ms)
    outcome = "too_old" if old else "clear"
    return outcome, _facts(outcome, 0, status_list.version)


def officer(
    holder: CardHolder, status_list: StatusList | None, now_ms: int, day: datetime.date
) -> Result:
    """Whether this card is an officer's. A list that has expired speaks for nobody."""
    if status_list is None or not status_list.is_current(now_ms):
        return "not_officer", {}
    agreed = _code(holder, status_list) == CODE_OFFICER and card_valid(holder, day)[0] == "valid"
    return ("agreed" if agreed else "not_officer"), {}


def age(holder: CardHolder, day: datetime.date, years: int) -> Result:
    """By the date of birth on the card; the birthday itself counts."""
    if holder.birth > day:
        return "unknown", {}
    if holder.age_on(day) < years:
        return "younger", {}
    return "old_enough", {"ground": "age"}


def direction(configured: str, last: str | None) -> Result:
    """`configured`: entry, exit or both; `last`: the person's last passage here today, if any."""
    way = configured
    if configured == "both":
        way = "exit" if last == "entry" else "entry"
    return way, {"direction": way}


def option(on: bool) -> Result:
    """A switch of the terminal's configuration."""
    return ("yes" if on else "no"), {}


def voucher(number: str) -> Result:
    """Whether the payment left something owed; its record is durable then."""
    return ("owed" if number else "none"), {}


def _code(holder: CardHolder, status_list: StatusList) -> int:
    digest = status_list.scrypt.digest(holder.person.document, holder.person.number)
    return status_list.lookup(digest)


def _facts(outcome: str, code: int, version: int) -> Facts:
    return {"status": outcome, "status_code": code, "list_version": version}
