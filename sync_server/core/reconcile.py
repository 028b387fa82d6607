"""What a record does at the centre: one rule per kind of record.

| kind | rule | effect |
| --- | --- | --- |
| gate.passage | append | a visit |
| service.fact | append | a visit when its service definition says so, else none |
| ticket.issued | unique | a visit, and a ticket in the hall's queue: core/unique.py |
| help.call, help.answered | append | a line of the help desk |
| device.state | append | a line of the terminal's devices |
| cash.note, cash.payment, cash.cassette | ledger | double entry, vouchers, cases: core/ledger.py |
| print.outcome, terminal.started | keep | none: the record is the fact |

A rule sees one opened record with the pseudonyms of its people, and adds its effects to the arrival
that the record came with.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

from protocol.records import (
    Body,
    CashCassette,
    CashNote,
    CashPayment,
    Common,
    DeviceState,
    GatePassage,
    HelpAnswered,
    HelpCall,
    PrintOutcome,
    ServiceFact,
    TerminalStarted,
    TicketIssued,
    TimeQuality,
)
from protocol.wire.states import AGE_UNKNOWN
from sync_server.core.cash_port import CashCassetteRow, CashNoteRow, CashPaymentRow
from sync_server.core.store_port import (
    Arrival,
    DeviceChangeRow,
    HelpAnswerRow,
    HelpCallRow,
    TicketRow,
    VisitRow,
)

DAY_MS = 86_400_000
SHANGHAI_OFFSET_MS = 8 * 3_600_000  # no summer time since 1991
_EPOCH_DAY = date(1970, 1, 1)
_DATE_DAYS_MAX = (date.max - _EPOCH_DAY).days
_DAYS_KEPT = 64

Key = tuple[int, int, int]
"""(terminal, branch, seq)."""
Rule = Callable[[Arrival, Key, Common, Body, bytes | None, bytes | None], None]
"""(arrival, key, common, body, pseudonym of its person, of its officer)."""


@lru_cache(maxsize=_DAYS_KEPT)
def _date_of(day: int) -> str:
    return (_EPOCH_DAY + timedelta(days=min(day, _DATE_DAYS_MAX))).isoformat()


def business_date(at_ms: int) -> str:
    """The day in Asia/Shanghai, as YYYY-MM-DD. A time after year 9999 counts as its last day."""
    return _date_of((at_ms + SHANGHAI_OFFSET_MS) // DAY_MS)


def believed_ms(common: Common, received_ms: int) -> int:
    """When a record happened, as far as its time can be believed: never after it came."""
    if common.time_quality == TimeQuality.UNKNOWN:
        return received_ms
    return min(common.at_ms, received_ms)


def _passage(
    into: Arrival,
    key: Key,
    common: Common,
    body: Body,
    person_ref: bytes | None,
    _officer_ref: bytes | None,
) -> None:
    assert isinstance(body, GatePassage)
    terminal, branch, seq = key
    into.visits.append(
        (
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
    )


def _fact(
    into: Arrival,
    key: Key,
    common: Common,
    body: Body,
    person_ref: bytes | None,
    _officer_ref: bytes | None,
) -> None:
    assert isinstance(body, ServiceFact)
    if body.visit:
        _visit(into, key, business_date(common.at_ms), person_ref, body.service)


def _ticket(
    into: Arrival,
    key: Key,
    common: Common,
    body: Body,
    person_ref: bytes | None,
    officer_ref: bytes | None,
) -> None:
    assert isinstance(body, TicketIssued)
    assert person_ref is not None
    _visit(into, key, body.day, person_ref, body.service)
    into.tickets.append(
        TicketRow(
            *key,
            into.unit,
            body.day,
            body.matter,
            body.number,
            person_ref,
            body.ground,
            officer_ref,
            common.at_ms,
            believed_ms(common, into.received_ms),
            held=key[1] != 0,
        )
    )


def _visit(into: Arrival, key: Key, day: str, person_ref: bytes | None, service: str) -> None:
    terminal, branch, seq = key
    row = VisitRow(terminal, branch, seq, day, person_ref, 0, service, 0, 0, branch != 0)
    into.visits.append(row)


def _help_call(into: Arrival, key: Key, common: Common, body: Body, *_refs: bytes | None) -> None:
    assert isinstance(body, HelpCall)
    age_ms = 0 if body.age_ms == AGE_UNKNOWN else body.age_ms
    pressed_ms = max(0, believed_ms(common, into.received_ms) - age_ms)
    into.help_calls.append(HelpCallRow(*key, body.event, pressed_ms))


def _help_answer(into: Arrival, key: Key, common: Common, body: Body, *_refs: bytes | None) -> None:
    assert isinstance(body, HelpAnswered)
    wait_ms = None if body.wait_ms == AGE_UNKNOWN else body.wait_ms
    answered_ms = believed_ms(common, into.received_ms)
    into.help_answers.append(HelpAnswerRow(*key, body.event, answered_ms, wait_ms, body.by))


def _device_change(
    into: Arrival, key: Key, common: Common, body: Body, *_refs: bytes | None
) -> None:
    assert isinstance(body, DeviceState)
    at_ms = believed_ms(common, into.received_ms)
    into.device_changes.append(DeviceChangeRow(*key, body.device, body.state, body.detail, at_ms))


def _cash_note(into: Arrival, key: Key, common: Common, body: Body, *_refs: bytes | None) -> None:
    assert isinstance(body, CashNote)
    at_ms = believed_ms(common, into.received_ms)
    into.cash.append(
        CashNoteRow(
            *key,
            into.unit,
            business_date(at_ms),
            body.note,
            body.payment,
            body.fen,
            body.outcome,
            body.place,
            body.reason,
            at_ms,
            held=key[1] != 0,
        )
    )


def _cash_payment(
    into: Arrival,
    key: Key,
    common: Common,
    body: Body,
    person_ref: bytes | None,
    _officer_ref: bytes | None,
) -> None:
    assert isinstance(body, CashPayment)
    at_ms = believed_ms(common, into.received_ms)
    day = business_date(at_ms)
    _visit(into, key, day, person_ref, body.service)
    into.cash.append(
        CashPaymentRow(
            *key,
            into.unit,
            day,
            body.payment,
            body.service,
            body.definition,
            body.due_fen,
            body.paid_fen,
            body.kept_fen,
            body.voucher,
            person_ref,
            at_ms,
            held=key[1] != 0,
        )
    )


def _cassette(into: Arrival, key: Key, common: Common, body: Body, *_refs: bytes | None) -> None:
    assert isinstance(body, CashCassette)
    at_ms = believed_ms(common, into.received_ms)
    day, held = business_date(at_ms), key[1] != 0
    row = CashCassetteRow(*key, into.unit, day, body.notes, body.fen, 0, at_ms, held)
    into.cash.append(row)


def _keep(_into: Arrival, _key: Key, _common: Common, _body: Body, *_refs: bytes | None) -> None:
    """The record is the fact."""


RULES: dict[type[Body], Rule] = {
    GatePassage: _passage,
    ServiceFact: _fact,
    PrintOutcome: _keep,
    HelpCall: _help_call,
    TerminalStarted: _keep,
    DeviceState: _device_change,
    TicketIssued: _ticket,
    HelpAnswered: _help_answer,
    CashNote: _cash_note,
    CashPayment: _cash_payment,
    CashCassette: _cassette,
}
