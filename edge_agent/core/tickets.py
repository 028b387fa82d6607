"""Walk-in numbers: the terminal's letter, unique in its hall, and a counter of the day: B-017.

The counter is durable and only rises, so two terminals never print the same number and one never
prints it twice for a date. A person has one number a matter and day; asked again, it is told again.
"""

from edge_agent.core.checks import Result

NUMBERS_A_DAY_MAX = 99_999  # what a ticket number has digits for
DIGITS_MIN = 3


def number_of(letter: str, counter: int) -> str:
    """`B` and 17 are B-017."""
    return f"{letter}-{counter:0{DIGITS_MIN}}"


def counter_of(number: str) -> int:
    """B-017 is the 17th."""
    return int(number.rpartition("-")[2])


def today(letter: str, day: str, *, own: int, last: int, closed: bool) -> Result:
    """The check `ticket_today`. `own`: the person's number or 0; `last`: the day's last or 0.

    `closed`: the day's index is deleted already, the clock went back to it: nobody can be told.
    """
    if closed:
        return "unknown", {}
    if own:
        return "has", {"ticket": number_of(letter, own), "day": day, "issued": 1}
    if last >= NUMBERS_A_DAY_MAX:
        return "full", {}
    return "none", {"ticket": number_of(letter, last + 1), "day": day}
