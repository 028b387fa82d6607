"""Cash at the terminal: payments, notes, what is credited, what is owed. Events in, effects out.

A note is credited once, by the commit that holds its record; the board forgets it only after that
commit, and the person sees only what is committed. The machine gives no change: what is too much,
and what a payment that did not succeed has taken, is owed under a voucher.

| a note is | event | next | does |
| --- | --- | --- | --- |
| unknown | in escrow, its payment is OPEN and not covered | WANTING | WantNote |
| unknown | in escrow otherwise (session closed, or of nobody here) | unknown | Return |
| WANTING | stored, payment still OPEN | ASKED | Stack |
| WANTING | stored, payment closed; not stored | REFUSED | Return |
| ASKED, REFUSED | in escrow again | same | Stack, Return again |
| any | stacked, returned, case | ENDING | EndNote |
| ENDING | stored | ended | Ack; credit, Progress; a case: CallHelp |
| ENDING | not stored | ENDING | EndNote again after RETRY_MS; no Ack |
| ended | any end again | ended | Ack |
| of a payment in DOUBT | no word for LOST_MS with the board there | ENDING | case, place anywhere |

A note whose session nobody here knows (restored disk) ends with NO_PAYMENT; one whose payment has
ended already, too, unless it was given back.

| a payment is | event | next | does |
| --- | --- | --- | --- |
| - | begin | STORING | OpenPayment |
| - | begin without board or acceptor, or PAYMENTS_OPEN_MAX are open | - | Ended device_fault |
| STORING | stored | OPENING | Accept |
| STORING | not stored | DOUBT | Ended device_fault |
| OPENING | acceptor open | OPEN | Progress |
| OPENING | acceptor refuses, OPEN_MS over | CLOSING device_fault | Accept none |
| OPEN | covered | CLOSING paid | Accept none |
| OPEN | cash_notes.NOTES_MAX notes came | CLOSING stopped | Accept none |
| OPEN | case, or a note without end for NOTE_MS | CLOSING in_doubt | Accept none |
| STORING, OPENING, OPEN | stop | CLOSING stopped, time_limit | Accept none |
| OPENING, OPEN | acceptor broke, board gone for GONE_MS | CLOSING device_fault | Accept none |
| CLOSING | closed (or CLOSE_MS over) and all notes ended | ENDING | EndPayment |
| CLOSING | OpenPayment without answer for TELL_MS | CLOSING | Ended unknown |
| CLOSING | a note without end for DOUBT_MS | DOUBT | Ended in_doubt, CallHelp |
| DOUBT | all notes ended | ENDING | EndPayment, nothing kept |
| ENDING | stored | over | Ended, unless told |
| ENDING | not stored | ENDING | again after RETRY_MS; TELL_MS over: Ended unknown |

What was open when the program ended begins in DOUBT, told: that person's visit is gone. It is paid
when notes cover it, nobody stopped it, and the person is still there to be told so.
"""

from edge_agent.core import cash_events as cx
from edge_agent.core import cash_notes
from edge_agent.core import cash_state as cs
from edge_agent.core.cash_events import Effects
from edge_agent.core.cash_state import CashState, Payment
from protocol.wire import states

OPEN_MS = 10_000
GONE_MS = 5_000
NOTE_MS = 30_000
CLOSE_MS = 3_000
DOUBT_MS = 30_000
LOST_MS = 600_000
RETRY_MS = 2_000
TELL_MS = 10_000
PAYMENTS_OPEN_MAX = 16
_TAKES = (cs.OPENING, cs.OPEN)
_RETRIED = (cx.EndNote, cx.EndPayment, cx.EndCassette)


class CashDesk(CashState):
    """`now_ms` never goes back. Perform what `begun` gives once, at the start."""

    def begun(self, now_ms: int) -> Effects:
        """What payments of an earlier life want."""
        effects: Effects = []
        for payment in list(self.payments.values()):
            if payment.paid_fen or any(self.notes_of(payment)):
                effects.append(cx.CallHelp(payment.order.payment))
            effects += self.settle(payment, now_ms)
        return effects

    @property
    def can_take(self) -> bool:
        """Whether a payment may begin."""
        room = len(self.payments) < PAYMENTS_OPEN_MAX
        return self.works and self.up_ms is not None and room

    # ---- the visit

    def begin(self, order: cx.Order, now_ms: int) -> Effects:
        """A person agreed to pay; the answer is Ended, sooner or later."""
        payment = Payment(order, cs.STORING, now_ms)
        if not self.can_take:
            return [payment.ended(cx.DEVICE_FAULT)]
        self.payments[order.payment] = payment
        return self.store(cx.OpenPayment(order))

    def stop(self, payment_id: bytes, why: str, now_ms: int) -> Effects:
        """The person wants no more (STOPPED), or their time is over (TIME_LIMIT)."""
        payment = self.payments.get(payment_id)
        if payment is None or payment.stage not in (cs.STORING, *_TAKES):
            return []
        return self.close(payment, why, now_ms)

    def leave(self, payment_id: bytes, now_ms: int) -> Effects:
        """Nobody waits for this payment any more: what it took becomes a voucher."""
        payment = self.payments.get(payment_id)
        if payment is None:
            return []
        payment.told = True
        return self.stop(payment_id, cx.STOPPED, now_ms)

    # ---- the board

    def link(self, now_ms: int, *, up: bool) -> Effects:
        """The board came or went."""
        self.up_ms = now_ms if up else None
        self.down_ms = None if up else now_ms
        effects: Effects = []
        for payment in list(self.payments.values()):
            effects += self.settle(payment, now_ms)
        return effects

    def acceptor(self, now_ms: int, *, works: bool, cassette_out: bool) -> Effects:
        """The acceptor works or not; its cassette is out."""
        self.works = works
        effects: Effects = []
        for payment in list(self.payments.values()):
            if not works and payment.stage in _TAKES:
                effects += self.close(payment, cx.DEVICE_FAULT, now_ms)
        self.cassette_out = self.cassette_out or cassette_out
        return effects + self.take_cassette()

    def cash_state(self, session: int, state: int, now_ms: int) -> Effects:
        """CASH_STATE of the board."""
        payment = self.of_session(session)
        if payment is None:
            return [cx.Accept(session, 0)] if state == states.CASH_OPEN else []
        if state == states.CASH_OPEN:
            if payment.stage == cs.OPENING:
                payment.stage, payment.since_ms = cs.OPEN, now_ms
            if payment.stage == cs.OPEN:
                return [self.progress(payment)]
            return [cx.Accept(session, 0)]  # the board did not hear of the end
        if payment.stage == cs.OPENING and state == states.CASH_REFUSED:
            return self.close(payment, cx.DEVICE_FAULT, now_ms)
        payment.closed = payment.stage == cs.CLOSING
        return self.settle(payment, now_ms)

    def rejected(self, session: int) -> Effects:
        """The acceptor did not take what was put in."""
        payment = self.of_session(session)
        if payment is None or payment.stage != cs.OPEN:
            return []
        return [self.progress(payment, cx.HINT_REJECTED)]

    def note(self, told: cx.NoteTold, now_ms: int) -> Effects:
        """CASH_NOTE of the board."""
        return cash_notes.said(self, told, now_ms)

    # ---- the disk

    def stored(self, intent: bytes, now_ms: int, *, ok: bool, seq: int = 0) -> Effects:
        """What became of a store effect. `seq`: of its first record."""
        waiting = self.waiting.get(intent)
        if waiting is None or waiting.again_ms is not None:
            return []
        effect = waiting.effect
        if not ok and isinstance(effect, _RETRIED):
            waiting.again_ms = now_ms + RETRY_MS
            return []
        del self.waiting[intent]
        match effect:
            case cx.OpenPayment():
                return self._opened(effect, now_ms, ok=ok)
            case cx.WantNote():
                return cash_notes.want_stored(self, effect, now_ms, ok=ok)
            case cx.EndNote():
                return cash_notes.end_stored(self, effect, now_ms)
            case cx.EndPayment():
                return self._ended(effect, seq)
            case cx.EndCassette():
                self.cassette_notes -= effect.notes
                self.cassette_fen -= effect.fen
        return []

    def _opened(self, effect: cx.OpenPayment, now_ms: int, *, ok: bool) -> Effects:
        payment = self.payments[effect.order.payment]
        if not ok:
            return self._never_opened(payment, now_ms)
        if payment.stage != cs.STORING:  # stopped meanwhile
            return self.settle(payment, now_ms)
        payment.stage, payment.since_ms = cs.OPENING, now_ms
        return [cx.Accept(effect.order.session, effect.order.notes)]

    def _never_opened(self, payment: Payment, now_ms: int) -> Effects:
        """It may lie on the disk all the same: end it there too."""
        told: Effects = [] if payment.told else [payment.ended(payment.outcome or cx.DEVICE_FAULT)]
        payment.told = True
        payment.stage, payment.since_ms = cs.DOUBT, now_ms
        return told + self.settle(payment, now_ms)

    def _ended(self, end: cx.EndPayment, seq: int) -> Effects:
        payment = self.payments.pop(end.order.payment)
        if payment.told:
            return []
        amounts = cx.Amounts(
            end.order.due_fen,
            end.paid_fen,
            end.kept_fen,
            end.paid_fen - end.kept_fen,
            payment.doubt_fen,
        )
        name = end.order.payment
        return [cx.Ended(name, payment.outcome, amounts, end.voucher, seq, end.intent)]

    # ---- time

    def tick(self, now_ms: int) -> Effects:
        """Timers."""
        effects: Effects = []
        for waiting in list(self.waiting.values()):
            if waiting.again_ms is not None and now_ms >= waiting.again_ms:
                waiting.again_ms = None
                effects.append(waiting.effect)
        for payment in list(self.payments.values()):
            due_ms = self._due_ms(payment)
            if due_ms is not None and now_ms >= due_ms:
                effects += self._time_up(payment, now_ms)
        return effects

    def wait_ms(self, now_ms: int) -> int | None:
        """Milliseconds until `tick` is due, None when nothing is timed."""
        times = [waiting.again_ms for waiting in self.waiting.values()]
        times += [self._due_ms(payment) for payment in self.payments.values()]
        return min((max(0, at - now_ms) for at in times if at is not None), default=None)

    def _due_ms(self, payment: Payment) -> int | None:
        oldest = min((note.since_ms for note in self.notes_of(payment)), default=None)
        gone = None if self.down_ms is None else self.down_ms + GONE_MS
        match payment.stage:
            case cs.OPENING:
                return _first(payment.since_ms + OPEN_MS, gone)
            case cs.OPEN:
                return _first(gone, None if oldest is None else oldest + NOTE_MS)
            case cs.CLOSING if self.is_opening(payment):  # the disk hangs
                return None if payment.told else payment.since_ms + TELL_MS
            case cs.CLOSING:
                return payment.since_ms + (CLOSE_MS if oldest is None else DOUBT_MS)
            case cs.DOUBT if self.up_ms is not None:
                silent = any(note.stage != cs.ENDING for note in self.notes_of(payment))
                return max(self.up_ms, payment.since_ms) + LOST_MS if silent else None
            case cs.ENDING if not payment.told:
                return payment.since_ms + TELL_MS
        return None

    def _time_up(self, payment: Payment, now_ms: int) -> Effects:
        match payment.stage:
            case cs.OPENING:
                return self.close(payment, cx.DEVICE_FAULT, now_ms)
            case cs.OPEN:
                gone = self.down_ms is not None and now_ms >= self.down_ms + GONE_MS
                return self.close(payment, cx.DEVICE_FAULT if gone else cx.IN_DOUBT, now_ms)
            case cs.CLOSING if any(self.notes_of(payment)):
                return self._doubt(payment, now_ms)
            case cs.CLOSING if not self.is_opening(payment):
                payment.closed = True
                return self.settle(payment, now_ms)
            case cs.DOUBT:
                return cash_notes.lost(self, payment, now_ms)
        payment.told = True
        return [payment.ended(cx.UNKNOWN)]

    def _doubt(self, payment: Payment, now_ms: int) -> Effects:
        payment.stage, payment.since_ms = cs.DOUBT, now_ms
        call = cx.CallHelp(payment.order.payment)
        if payment.told:
            return [call]
        payment.told = True
        waits_fen = sum(note.fen for note in self.notes_of(payment))
        return [call, payment.ended(cx.IN_DOUBT, waits_fen)]


def _first(*times: int | None) -> int | None:
    return min((at for at in times if at is not None), default=None)
