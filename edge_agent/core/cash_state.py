"""What the cash desk knows: open payments, notes without a durable end, what waits for the disk.

The rules are in cash (payments, time) and cash_notes (notes); both work on this.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge_agent.core import cash_events as cx
from edge_agent.core.cash_events import Effects
from edge_agent.core.tickets import number_of

STORING, OPENING, OPEN, CLOSING = "storing", "opening", "open", "closing"
DOUBT, ENDING = "doubt", "ending"
"""Stages of a payment."""
WANTING, ASKED, REFUSED = "wanting", "asked", "refused"
"""Stages of a note; ENDING too."""


@dataclass
class Payment:
    """`since_ms`: of its stage. `cases`: notes in doubt, also those whose value nobody knows.
    `told`: the person knows how it ended, or is gone."""

    order: cx.Order
    stage: str
    since_ms: int
    outcome: str = ""
    paid_fen: int = 0
    doubt_fen: int = 0
    cases: int = 0
    notes: int = 0
    closed: bool = False
    told: bool = False

    def ended(self, outcome: str, waits_fen: int = 0) -> cx.Ended:
        """The payment is over for the person before its record is."""
        doubt_fen = self.doubt_fen + waits_fen
        amounts = cx.Amounts(self.order.due_fen, self.paid_fen, doubt_fen=doubt_fen)
        return cx.Ended(self.order.payment, outcome, amounts)


@dataclass
class Note:
    """A note without a durable end. `stage`: WANTING, ASKED, REFUSED or ENDING."""

    note: int
    payment: bytes
    fen: int
    stage: str
    since_ms: int


@dataclass
class Waiting:
    """A store effect on its way to the disk. `again_ms`: when a failed one is tried again."""

    effect: cx.Store
    again_ms: int | None = None


class CashState:
    """`find` reads what is durable; `letter` begins the terminal's vouchers (VB-017)."""

    def __init__(self, saved: cx.SavedCash, find: cx.Find, letter: str, now_ms: int) -> None:
        self.find = find
        self.letter = letter
        self.payments: dict[bytes, Payment] = {}
        self.notes: dict[int, Note] = {}
        self.waiting: dict[bytes, Waiting] = {}
        self.vouchers = saved.vouchers
        self.cassettes = saved.cassettes
        self.cassette_notes, self.cassette_fen = saved.cassette_notes, saved.cassette_fen
        self.cassette_out = False
        self.works = True
        self.up_ms: int | None = None  # since when the board is there
        self.down_ms: int | None = now_ms  # since when it is not
        for row in saved.payments:
            order = cx.Order(
                row.payment, row.session, row.service, row.definition, row.due_fen, notes=0
            )
            left = Payment(order, DOUBT, now_ms, cx.IN_DOUBT, row.paid_fen, told=True)
            left.notes = row.notes_ended
            self.payments[row.payment] = left
        for note in saved.notes:
            self.notes[note.note] = Note(note.note, note.payment, note.fen, REFUSED, now_ms)
            if note.payment in self.payments:
                self.payments[note.payment].notes += 1

    def of_session(self, session: int) -> Payment | None:
        """The open payment of a session."""
        for payment in self.payments.values():
            if payment.order.session == session:
                return payment
        return None

    def notes_of(self, payment: Payment) -> Iterator[Note]:
        """Its notes that have no durable end yet."""
        return (n for n in self.notes.values() if n.payment == payment.order.payment)

    def is_opening(self, payment: Payment) -> bool:
        """The disk has not said yet whether the payment lies there."""
        return cx.OpenPayment(payment.order).intent in self.waiting

    def store(self, effect: cx.Store) -> Effects:
        """On to the disk."""
        self.waiting[effect.intent] = Waiting(effect)
        return [effect]

    def progress(self, payment: Payment, hint: str = cx.HINT_NONE) -> cx.Progress:
        """How the payment stands."""
        busy = any(self.notes_of(payment))
        is_open = payment.stage == OPEN
        return cx.Progress(payment.order.payment, payment.paid_fen, is_open, busy, hint)

    def close(self, payment: Payment, outcome: str, now_ms: int) -> Effects:
        """Take no more notes for it; `outcome` is how it ends when nothing else comes."""
        payment.closed = payment.stage == STORING  # it never opened
        payment.stage, payment.since_ms, payment.outcome = CLOSING, now_ms, outcome
        shut = cx.Accept(payment.order.session, 0)
        return [shut, self.progress(payment), *self.settle(payment, now_ms)]

    def settle(self, payment: Payment, now_ms: int) -> Effects:
        """End the payment when all is known of it."""
        if self.is_opening(payment) or any(self.notes_of(payment)):
            return []
        shut = payment.stage == CLOSING and (payment.closed or self.up_ms is None)
        if not shut and payment.stage != DOUBT:
            return []
        order, paid_fen = payment.order, payment.paid_fen
        covered = paid_fen >= order.due_fen and not payment.told
        kept_fen = order.due_fen if covered and payment.outcome != cx.STOPPED else 0
        if kept_fen:
            payment.outcome = cx.PAID
        elif payment.outcome == cx.IN_DOUBT and not payment.cases:
            payment.outcome = cx.DEVICE_FAULT  # all is known again
        payment.stage, payment.since_ms = ENDING, now_ms
        voucher = ""
        if paid_fen > kept_fen:
            self.vouchers += 1
            voucher = number_of("V" + self.letter, self.vouchers)
        return self.store(
            cx.EndPayment(order, paid_fen, kept_fen, voucher, self.vouchers, payment.notes)
        )

    def take_cassette(self) -> Effects:
        """The record of a cassette that was taken out, once all that fell into it is durable."""
        ends = (cx.EndNote, cx.EndCassette)
        busy = any(isinstance(waiting.effect, ends) for waiting in self.waiting.values())
        if not self.cassette_out or busy:
            return []
        self.cassette_out = False
        if not self.cassette_notes:
            return []
        self.cassettes += 1
        return self.store(cx.EndCassette(self.cassettes, self.cassette_notes, self.cassette_fen))
