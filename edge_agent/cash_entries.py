"""What a store effect of the cash desk is on the disk: records, and the rows of their commit."""

from typing import NamedTuple

from edge_agent.core import cash_events as cx
from edge_agent.outbox import (
    CashCassetteTaken,
    CashDropped,
    CashNoteEnded,
    CashOpened,
    CashPaid,
    CashWanted,
    LocalEffect,
)
from protocol.records import Body, CashCassette, CashNote, CashPayment, ServiceFact
from protocol.records.kinds import NOTE_CASE, NOTE_RETURNED, NOTE_STACKED

_OUTCOMES = {cx.STACKED: NOTE_STACKED, cx.RETURNED: NOTE_RETURNED, cx.CASE: NOTE_CASE}


class Entry(NamedTuple):
    """One commit. `correlation`: 8 bytes."""

    bodies: tuple[Body, ...]
    effects: tuple[LocalEffect, ...]
    correlation: bytes


def entry_of(effect: cx.Store) -> Entry:
    """The commit of a store effect; its intent is `effect.intent`."""
    match effect:
        case cx.OpenPayment(order):
            opened = CashOpened(
                order.payment, order.session, order.service, order.definition, order.due_fen
            )
            return Entry((), (opened,), order.payment)
        case cx.WantNote():
            wanted = CashWanted(effect.note, effect.payment, effect.session, effect.fen)
            return Entry((), (wanted,), effect.payment)
        case cx.EndNote():
            return _note(effect)
        case cx.EndPayment():
            return _payment(effect)
    body = CashCassette(effect.notes, effect.fen)
    taken = CashCassetteTaken(effect.number, effect.notes, effect.fen)
    return Entry((body,), (taken,), effect.intent[: cx.PAYMENT_BYTES])


def _note(end: cx.EndNote) -> Entry:
    body = CashNote(
        end.note, end.payment, end.fen, _OUTCOMES[end.state], place=end.place, reason=end.reason
    )
    ended = CashNoteEnded(
        end.note, end.payment, end.session, end.fen, end.state, end.place, end.reason
    )
    return Entry((body,), (ended,), end.payment)


def _payment(end: cx.EndPayment) -> Entry:
    order = end.order
    if not end.notes:
        return Entry((), (CashDropped(order.payment),), order.payment)
    owed_fen = end.paid_fen - end.kept_fen
    paid = CashPaid(order.payment, end.kept_fen, end.voucher, owed_fen, end.vouchers)
    bodies: tuple[Body, ...] = (
        CashPayment(
            order.service,
            order.definition,
            order.payment,
            order.due_fen,
            end.paid_fen,
            end.kept_fen,
            end.voucher,
            order.person,
        ),
    )
    if end.kept_fen and order.fields is not None:
        fact = ServiceFact(order.service, order.definition, dict(order.fields), order.person)
        bodies = (*bodies, fact)
    return Entry(bodies, (paid,), order.payment)
