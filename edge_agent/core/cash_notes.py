"""The notes of the cash desk; the table is in cash."""

from dataclasses import replace

from edge_agent.core import cash_events as cx
from edge_agent.core import cash_state as cs
from edge_agent.core.cash_events import Effects
from edge_agent.core.cash_state import CashState, Note, Payment
from protocol.wire import states

NOTES_MAX = 100  # notes of one payment
_ENDS = {
    states.NOTE_STACKED: cx.STACKED,
    states.NOTE_RETURNED: cx.RETURNED,
    states.NOTE_CASE: cx.CASE,
}


def said(desk: CashState, told: cx.NoteTold, now_ms: int) -> Effects:
    """CASH_NOTE of the board."""
    note = desk.notes.get(told.note)
    if told.state in _ENDS:
        end = cx.EndNote(
            told.note, cx.NO_PAYMENT, told.session, told.fen, _ENDS[told.state], told.place,
            told.reason,
        )  # fmt: skip
        return _ends(desk, end, note, now_ms)
    if told.state != states.NOTE_ESCROW:
        return []
    if note is None:
        return _escrow(desk, told, now_ms)
    if note.stage == cs.ASKED:
        return [cx.Stack(told.note)]
    return [cx.Return(told.note)] if note.stage == cs.REFUSED else []


def want_stored(desk: CashState, want: cx.WantNote, now_ms: int, *, ok: bool) -> Effects:
    """The intent to take a note is durable, or is not."""
    note, payment = desk.notes.get(want.note), desk.payments.get(want.payment)
    if note is None or note.stage != cs.WANTING:
        return []  # its end came before
    if ok and payment is not None and payment.stage == cs.OPEN:
        note.stage, note.since_ms = cs.ASKED, now_ms
        return [cx.Stack(note.note)]
    note.stage = cs.REFUSED
    return [cx.Return(note.note)]


def end_stored(desk: CashState, end: cx.EndNote, now_ms: int) -> Effects:
    """The end of a note is durable: now it counts, and the board may forget it."""
    desk.notes.pop(end.note, None)
    effects: Effects = [cx.Ack(end.note)]
    if end.state == cx.STACKED:
        desk.cassette_notes += 1
        desk.cassette_fen += end.fen
    payment = desk.payments.get(end.payment)
    if payment is not None:
        effects += _credited(desk, payment, end, now_ms)
    return effects + desk.take_cassette()


def lost(desk: CashState, payment: Payment, now_ms: int) -> Effects:
    """The board is there and says nothing of these notes: it has forgotten them."""
    effects: Effects = []
    for note in list(desk.notes_of(payment)):
        if note.stage != cs.ENDING:
            end = cx.EndNote(
                note.note, note.payment, payment.order.session, note.fen, cx.CASE,
                states.PLACE_ANYWHERE, states.DETAIL_SILENT,
            )  # fmt: skip
            effects += _ends(desk, end, note, now_ms)
    return effects


def _escrow(desk: CashState, told: cx.NoteTold, now_ms: int) -> Effects:
    known = desk.find.cash_note(told.note)
    if known is not None and known.state != cx.WANTED:
        return []  # an old message: it has ended
    payment = desk.of_session(told.session)
    if payment is None or not _wants(desk, payment):
        return [cx.Return(told.note)]
    payment_id = payment.order.payment
    desk.notes[told.note] = Note(told.note, payment_id, told.fen, cs.WANTING, now_ms)
    payment.notes += 1
    want = cx.WantNote(told.note, payment_id, told.session, told.fen)
    return [*desk.store(want), desk.progress(payment)]


def _wants(desk: CashState, payment: Payment) -> bool:
    on_the_way = sum(note.fen for note in desk.notes_of(payment) if note.stage != cs.REFUSED)
    return payment.stage == cs.OPEN and payment.paid_fen + on_the_way < payment.order.due_fen


def _ends(desk: CashState, end: cx.EndNote, note: Note | None, now_ms: int) -> Effects:
    if note is None:
        known = desk.find.cash_note(end.note)
        if known is not None and known.state != cx.WANTED:
            return [cx.Ack(end.note)]
        note = Note(end.note, _payer(desk, end), end.fen, cs.WANTING, now_ms)
        desk.notes[end.note] = note
        if note.payment in desk.payments:
            desk.payments[note.payment].notes += 1
    elif note.stage == cs.ENDING:
        return []  # on its way to the disk; the first end stands
    note.stage = cs.ENDING
    return desk.store(replace(end, payment=note.payment))


def _payer(desk: CashState, end: cx.EndNote) -> bytes:
    """Whose payment a note was for that nobody here wanted."""
    payment = desk.of_session(end.session)
    if payment is not None and payment.stage != cs.ENDING:
        return payment.order.payment
    if end.state != cx.RETURNED:
        return cx.NO_PAYMENT  # too late for its payment: an officer looks at it
    return desk.find.cash_payment_of(end.session) or cx.NO_PAYMENT


def _credited(desk: CashState, payment: Payment, end: cx.EndNote, now_ms: int) -> Effects:
    hint = cx.HINT_RETURNED if end.state == cx.RETURNED else cx.HINT_NONE
    effects: Effects = []
    if end.state == cx.STACKED:
        payment.paid_fen += end.fen
    elif end.state == cx.CASE:
        payment.doubt_fen += end.fen
        payment.cases += 1
        effects.append(cx.CallHelp(payment.order.payment))
        if payment.stage == cs.CLOSING:
            payment.outcome = cx.IN_DOUBT
    outcome = _closes(payment, end) if payment.stage == cs.OPEN else ""
    if outcome:
        return effects + desk.close(payment, outcome, now_ms)
    return [*effects, desk.progress(payment, hint), *desk.settle(payment, now_ms)]


def _closes(payment: Payment, end: cx.EndNote) -> str:
    """How the payment ends with this note, "" when it goes on."""
    if payment.paid_fen >= payment.order.due_fen:
        return cx.PAID
    if end.state == cx.CASE:
        return cx.IN_DOUBT
    return cx.STOPPED if payment.notes >= NOTES_MAX else ""
