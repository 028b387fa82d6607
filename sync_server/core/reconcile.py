"""What a record does at the centre: one rule per kind of record.

| kind | rule | effect |
| --- | --- | --- |
| gate.passage | append | a visit |
| service.fact | append | a visit when its service definition says so, else none |
| print.outcome, help.call, terminal.started, device.state | keep | none: the record is the fact |

A rule sees one opened record and gives the row of its effect, or None. Rules that look at other
records (unique, ledger) get a transaction to look with when the first such kind comes.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

from protocol.records import (
    Body,
    Common,
    DeviceState,
    GatePassage,
    HelpAnswered,
    HelpCall,
    PrintOutcome,
    ServiceFact,
    TerminalStarted,
    TicketIssued,
)
from sync_server.core.store_port import VisitRow

DAY_MS = 86_400_000
SHANGHAI_OFFSET_MS = 8 * 3_600_000  # no summer time since 1991
_EPOCH_DAY = date(1970, 1, 1)
_DATE_DAYS_MAX = (date.max - _EPOCH_DAY).days
_DAYS_KEPT = 64

Key = tuple[int, int, int]
"""(terminal, branch, seq)."""
Rule = Callable[[Key, Common, Body, bytes | None], VisitRow | None]


@lru_cache(maxsize=_DAYS_KEPT)
def _date_of(day: int) -> str:
    return (_EPOCH_DAY + timedelta(days=min(day, _DATE_DAYS_MAX))).isoformat()


def business_date(at_ms: int) -> str:
    """The day in Asia/Shanghai, as YYYY-MM-DD. A time after year 9999 counts as its last day."""
    return _date_of((at_ms + SHANGHAI_OFFSET_MS) // DAY_MS)


def _append_passage(
    key: Key, common: Common, body: Body, person_ref: bytes | None
) -> VisitRow | None:
    assert isinstance(body, GatePassage)
    terminal, branch, seq = key
    return VisitRow(
        terminal,
        branch,
        seq,
        business_date(common.at_ms),
        person_ref,
        body.direction,
        body.service,
        body.status,
        body.list_version,
        branch != 0,
    )


def _append_fact(key: Key, common: Common, body: Body, person_ref: bytes | None) -> VisitRow | None:
    assert isinstance(body, ServiceFact)
    if not body.visit:
        return None
    terminal, branch, seq = key
    day = business_date(common.at_ms)
    return VisitRow(terminal, branch, seq, day, person_ref, 0, body.service, 0, 0, branch != 0)


def _append_ticket(
    key: Key, _common: Common, body: Body, person_ref: bytes | None
) -> VisitRow | None:
    assert isinstance(body, TicketIssued)
    terminal, branch, seq = key
    return VisitRow(terminal, branch, seq, body.day, person_ref, 0, body.service, 0, 0, branch != 0)


def _keep(_key: Key, _common: Common, _body: Body, _person_ref: bytes | None) -> None:
    return None


RULES: dict[type[Body], Rule] = {
    GatePassage: _append_passage,
    ServiceFact: _append_fact,
    PrintOutcome: _keep,
    HelpCall: _keep,
    TerminalStarted: _keep,
    DeviceState: _keep,
    TicketIssued: _append_ticket,
    HelpAnswered: _keep,
}
