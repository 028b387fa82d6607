"""The hall's queue: what may be done with a ticket, and why it stands where it stands. Pure.

| state | action | next | when |
| --- | --- | --- | --- |
| waiting | call | called | its turn, or out of turn because the officer says so |
| called | call | called | again, counted |
| called | no_show | no_show | nobody came |
| called | done | done | served |
| no_show | call | called | the person came back: a printed ticket is honoured all its day |

Anything else is refused with what is possible. The order of calling is the order of printing;
a conflict marks a ticket and moves nobody.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from protocol.records import GROUND_AGE

WAITING, CALLED, NO_SHOW, DONE = "waiting", "called", "no_show", "done"
STATES = (WAITING, CALLED, NO_SHOW, DONE)
CALL, MARK_NO_SHOW, MARK_DONE = "call", "no_show", "done"

_NEXT = {
    (WAITING, CALL): CALLED,
    (CALLED, CALL): CALLED,
    (CALLED, MARK_NO_SHOW): NO_SHOW,
    (CALLED, MARK_DONE): DONE,
    (NO_SHOW, CALL): CALLED,
}


class QueueError(Exception):
    """It was not done; the text says what can be done instead. `possible`: actions."""

    def __init__(self, text: str, possible: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.possible = possible


def possible(state: str) -> tuple[str, ...]:
    """The actions a state allows."""
    return tuple(action for before, action in _NEXT if before == state)


def move(number: str, state: str, action: str) -> str:
    """The state after `action` on the ticket `number`. Raises QueueError."""
    after = _NEXT.get((state, action))
    if after is None:
        may = possible(state)
        rest = f"possible: {', '.join(may)}" if may else "nothing is left to do with it"
        raise QueueError(f"{number} is {state}; {rest}", may)
    return after


class Reason(NamedTuple):
    """Why a ticket stands where it stands, in words for the officer."""

    code: str
    zh: str
    en: str


AGE, OFFICER, CAME_BACK = "age", "officer", "no_show"
CONFLICT, SAME_NUMBER, HELD, BY_ARRIVAL = "same_person", "same_number", "held", "by_arrival"
REASONS = {
    reason.code: reason
    for reason in (
        Reason(AGE, "高龄优先", "By age"),
        Reason(OFFICER, "工作人员同意加号", "By an officer's word"),
        Reason(CAME_BACK, "叫过未到，本人回来可再叫", "Not there when called; may be called again"),
        Reason(
            CONFLICT,
            "同一人同一事项另有一号，两号都有效",
            "The same person has another number for this matter; both count",
        ),
        Reason(
            SAME_NUMBER,
            "本厅今天有两张同号票，两张都有效",
            "Two tickets of this hall carry this number today; both count",
        ),
        Reason(
            HELD,
            "终端数据曾被还原或复制，票仍有效",
            "Its terminal's disk was restored or cloned; the ticket counts",
        ),
        Reason(
            BY_ARRIVAL,
            "打印时间不可信，按到达中心的时间排队",
            "Its printed time cannot be believed; placed by when it came",
        ),
    )
}


def reasons(
    *, ground: int, state: str, conflicts: Iterable[str], held: bool, by_arrival: bool
) -> Iterator[Reason]:
    """Why a ticket stands where it stands. `conflicts`: reasons of those not decided yet."""
    yield REASONS[AGE if ground == GROUND_AGE else OFFICER]
    if state == NO_SHOW:
        yield REASONS[CAME_BACK]
    yield from (REASONS[code] for code in sorted(conflicts))
    if held:
        yield REASONS[HELD]
    if by_arrival:
        yield REASONS[BY_ARRIVAL]
