"""Bank notes from escrow to their end: nothing is credited twice, nothing is lost, whoever loses
power when.

| note is | event | next | does |
| --- | --- | --- | --- |
| - | 80 while a session is open | ESCROW | journal, then CASH_NOTE; HOLD every HOLD_EVERY_MS |
| - | 80 otherwise, or its value is unknown, or the flash refuses | - | RETURN, nothing is written |
| ESCROW | CASH_STACK | STACKING | journal, then STACK |
| ESCROW | CASH_RETURN, session over, ESCROW_MS_MAX | ESCROW | RETURN |
| ESCROW | 82; 10 14 15 19: no STACK was ever sent | RETURNED | journal, then ACK of 82 |
| ESCROW, STACKING | 81 12 | STACKED | journal, then ACK of 81 |
| STACKING | 80 1A | STACKING | STACK again: it was not heard |
| STACKING | 82 | RETURNED | journal, then ACK |
| STACKING | 11 | ESCROW | journal, then RESET, which gives it back |
| STACKING | 10 14 15 19: it is gone and nobody saw where | CASE | journal |
| ESCROW, STACKING | 41 42 43 44 45 47 | CASE | journal, then RESET |
| ESCROW, STACKING | silence, anything else | same | wait for the next word of the device |
| end | told until CASH_ACK | forgotten | journal |
| - | 43 44 45 47 after 15 | CASE | a bill that was not recognised sticks: value unknown |
| - | 81 12, no note was ever written | CASE | of an earlier journal: value unknown |
| - | 81 12 82 | - | the end is written: said again, ACK |

| session is | event | next | says |
| --- | --- | --- | --- |
| any | CASH_ACCEPT with notes | OPENING | |
| OPENING | the acceptor is enabled, no older note in it | OPEN | CASH_STATE open |
| OPENING | it takes none of these notes, is not ready for OPEN_MS_MAX | none | refused |
| OPENING, OPEN | acceptor faulty or silent, journal full or broken | none | refused |
| any | CASH_ACCEPT 0 | CLOSING | |
| CLOSING | disabled or silent, and no note in it | none | CASH_STATE closed |
| any | link down for HOLD_MS_MAX, boot | none | (nobody hears) |
"""

from firmware.drivers import ccnet_states as polled
from protocol.wire import states
from protocol.wire.messages import (
    CASH_ACCEPT,
    CASH_ACK,
    CASH_NOTE,
    CASH_REJECTED,
    CASH_RETURN,
    CASH_STACK,
    CASH_STATE,
)
from protocol.wire.ticks import add, diff

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

HOLD_MS_MAX = 8000
HOLD_EVERY_MS = 4000
ESCROW_MS_MAX = 120_000
OPEN_MS_MAX = 15_000
MEND_EVERY_MS = 30_000

NONE = 0
OPENING = 1
OPEN = 2
CLOSING = 3


class CashDesk:
    """`gate` is the FlashGate; `emit(kind, *fields)` takes board messages, `trouble()` tells that
    the flash refused a write.
    """

    def __init__(self, journal, acceptor, gate, emit, trouble, now):
        self._journal = journal
        self._acceptor = acceptor
        self._gate = gate
        self._emit = emit
        self._trouble = trouble
        self._session = 0
        self._phase = NONE
        self._mask = 0  # in force, or on its way to be
        self._asked = 0
        self._since = now  # of the phase
        self._down_at = now  # when the link went, None while it is up
        self._escrow_at = now
        self._hold_at = now
        self._give_back = False
        self._is_written = False  # the end of the bill that the acceptor may tell of again
        self._change: "Any" = None  # (note, None: new; state, place, reason, yuan, session, ticks)
        self._acks = []  # no more than are open
        self._acks_since = now
        self._mend_at = now
        self.counts = [0, 0, 0, 0]  # stacked, returned, cases, rejected
        acceptor.owner = self

    # --- the agent

    def serve(self, register):
        """`register(kind, handle)`: the messages that this desk answers."""
        register(CASH_ACCEPT, self._accept)
        register(CASH_STACK, self._stack)
        register(CASH_RETURN, self._return)
        register(CASH_ACK, self._acknowledge)

    def link_up(self, now):
        """Tell everything again: the agent may have restarted."""
        self._down_at = None
        for note in self._journal.open:
            self._tell(note)
        if self._phase == OPEN:
            self._say(states.CASH_OPEN, self._mask)

    def link_down(self, now):
        if self._down_at is None:
            self._down_at = now

    def _accept(self, fields, tail, now):
        session, mask = fields
        if self._phase == OPEN and session == self._session and mask == self._asked:
            self._say(states.CASH_OPEN, self._mask)
            return
        self._session = session
        self._mask = self._asked = mask
        self._phase = OPENING if mask else CLOSING
        self._since = now
        self._look_at_session(now)

    def _stack(self, fields, tail, now):
        note = self._known(fields[0])
        if note is None:
            return
        if note.state == states.NOTE_ESCROW and not self._give_back and self._change is None:
            self._become(note, states.NOTE_STACKING, now)
        else:
            self._tell(note)

    def _return(self, fields, tail, now):
        note = self._known(fields[0])
        if note is None:
            return
        if note.state == states.NOTE_ESCROW and self._change is None:
            self._return_live(now)
        else:
            self._tell(note)

    def _known(self, number):
        note = self._journal.find(number)
        if note is None:
            reason = states.DETAIL_BAD_REQUEST
            case, anywhere = states.NOTE_CASE, states.PLACE_ANYWHERE
            self._emit(CASH_NOTE, number, self._session, 0, case, anywhere, reason)
        return note

    def _acknowledge(self, fields, tail, now):
        note = self._journal.find(fields[0])
        known = note is not None and note.state in states.NOTE_ENDS
        if known and note not in self._acks:
            self._acks_since = self._acks_since if self._acks else now
            self._acks.append(note)

    # --- the acceptor

    @property
    def long_answer_due(self):
        """The acceptor is about to send much."""
        return self._acceptor.long_answer_due

    @property
    def wants_rest(self):
        """A write waits: no answer may be due."""
        return self._change is not None or bool(self._acks)

    @property
    def is_busy(self):
        """A session is open, or a note has no end that the agent knows."""
        return self._phase != NONE or self.wants_rest or bool(self._journal.open)

    @property
    def may_reset(self):
        """Nothing that a RESET could hide waits to be written."""
        live = self._journal.live
        return self._change is None and (live is None or live.state == states.NOTE_ESCROW)

    def feed(self, buf, n, now):
        """Bytes of the acceptor."""
        self._acceptor.feed(buf, n, now)

    def polled(self, state, argument, now):
        """The device says this; whether it may be acknowledged now."""
        if self._change is not None:
            return state not in polled.ENDS
        live = self._journal.live
        if state == polled.REJECTING:
            self._on_rejecting(argument)
        elif state in polled.ESCROWED:
            self._on_escrow(live, argument if state == polled.ESCROW else -1, now)
        elif live is not None:
            self._on_word(live, state, now)
        elif state in polled.AT_REST:
            self._give_back = self._is_written = False
        elif state in polled.IN_CASSETTE:
            self._on_stranger(argument if state == polled.STACKED else -1, now)
        elif state in polled.WANTS_RESET and self._acceptor.state == polled.ACCEPTING:
            detail = polled.device_state(state)[1]
            self._appears(states.NOTE_CASE, 0, now, states.PLACE_VALIDATOR, detail)
        return self._change is None or state not in polled.ENDS

    def offline(self, now):
        """The device is silent: what it holds it will say when it speaks again."""
        self._look_at_session(now)

    def _on_rejecting(self, reason):
        if self._acceptor.state != polled.REJECTING:
            self.counts[3] += 1
            self._emit(CASH_REJECTED, self._session, reason)

    def _on_stranger(self, kind, now):
        """A bill in the cassette that is not live: written already, unless this journal is new."""
        if self._journal.is_unused and not self._is_written and not self._journal.is_broken:
            yuan, reason = self._acceptor.bills.yuan(kind), states.DETAIL_REBOOTED
            self._appears(states.NOTE_CASE, yuan, now, states.PLACE_CASSETTE, reason)

    def _on_escrow(self, live, kind, now):
        yuan = self._acceptor.bills.yuan(kind)
        if live is None:
            takes = self._phase == OPEN and yuan and not self._journal.is_full
            if takes and not self._give_back:
                self._escrow_at = now
                self._appears(states.NOTE_ESCROW, yuan, now)
            else:
                self._acceptor.give_back(now)
        elif yuan and yuan != live.yuan:
            self._on_word(live, polled.IDLING, now)  # another bill: this one has gone unseen
        elif live.state == states.NOTE_STACKING:
            self._acceptor.stack(now)
        elif self._give_back:
            self._acceptor.give_back(now)
        elif diff(now, self._hold_at) >= 0:
            self._hold_at = add(now, HOLD_EVERY_MS)
            self._acceptor.hold(now)

    def _on_word(self, live, state, now):
        stacking = live.state == states.NOTE_STACKING
        if state in polled.IN_CASSETTE:
            self._become(live, states.NOTE_STACKED, now)
        elif state == polled.RETURNED:
            self._become(live, states.NOTE_RETURNED, now)
        elif state in polled.FAULTS:
            place = polled.place_of(state) if stacking else states.PLACE_VALIDATOR
            detail = polled.device_state(state)[1]
            self._become(live, states.NOTE_CASE, now, place, detail)
        elif state == polled.POWER_UP_IN_VALIDATOR:
            self._give_back = True
            if stacking:
                self._become(live, states.NOTE_ESCROW, now)
        elif state == polled.POWER_UP or state in polled.AT_REST:
            if stacking:
                anywhere, reason = states.PLACE_ANYWHERE, states.DETAIL_REBOOTED
                self._become(live, states.NOTE_CASE, now, anywhere, reason)
            else:
                self._become(live, states.NOTE_RETURNED, now)

    def _return_live(self, now):
        self._give_back = True
        self._acceptor.give_back(now)

    # --- flash

    def _appears(self, state, yuan, now, place=0, reason=0):
        """A note that is not written yet, of the session of this moment."""
        session = self._session if self._phase != NONE else 0
        self._change = (None, state, place, reason, yuan, session, now)

    def _become(self, note, state, now, place=0, reason=0):
        self._change = (note, state, place, reason, note.yuan, note.session, now)

    def _write(self, now):
        """The change that waits, if flash may be written now."""
        note, state, place, reason, yuan, session, since = self._change
        if not self._may_write(since, now):
            return
        self._change = None
        new = note is None
        try:
            if note is None:
                note = self._journal.add(session, yuan, state, place, reason)
            else:
                self._journal.change(note, state, place, reason)
        except OSError:
            self._trouble()
            if note is None or state not in states.NOTE_ENDS:
                self._return_live(now)
                return
        if state == states.NOTE_ESCROW and not new:
            return  # STACK was undone by a power cut: the note comes back
        if state == states.NOTE_STACKING:
            self._acceptor.stack(now)
        elif state == states.NOTE_ESCROW:
            self._hold_at = add(now, HOLD_EVERY_MS)
        else:
            self._give_back = False
            self._is_written = True
            self.counts[state - states.NOTE_STACKED] += 1
        self._tell(note)

    def _write_ack(self, now):
        if not self._may_write(self._acks_since, now):
            return
        note = self._acks.pop(0)
        self._acks_since = now
        try:
            self._journal.forget(note)
        except OSError:
            self._trouble()

    def _may_write(self, since, now):
        return self._gate.is_open(since, now) and not self._acceptor.is_exchanging

    def _mend(self, now):
        if diff(now, self._mend_at) >= 0 and self._may_write(now, now):
            self._mend_at = add(now, MEND_EVERY_MS)
            try:
                self._journal.mend()
            except OSError:
                self._trouble()

    # --- time

    def tick(self, now):
        """At most one flash write a pass."""
        if self._change is not None:
            self._write(now)
        elif self._acks:
            self._write_ack(now)
        elif self._journal.is_broken:
            self._mend(now)
        self._look_at_session(now)
        self._look_at_escrow(now)
        self._acceptor.tick(now)

    def _look_at_escrow(self, now):
        live = self._journal.live
        if live is None or live.state != states.NOTE_ESCROW:
            return
        is_over = not OPENING <= self._phase <= OPEN or live.session != self._session
        if not self._give_back and (is_over or diff(now, self._escrow_at) >= ESCROW_MS_MAX):
            self._return_live(now)

    def deadline(self, now):
        """Milliseconds until `tick` has work, at least 0."""
        return 1 if self.wants_rest else self._acceptor.deadline(now)

    def _look_at_session(self, now):
        acceptor = self._acceptor
        if self._down_at is not None and diff(now, self._down_at) >= HOLD_MS_MAX:
            self._down_at = add(now, -HOLD_MS_MAX)
            self._phase = NONE
        if self._phase == CLOSING:
            self._close()
        elif self._phase != NONE and self._journal.is_broken:
            self._refuse()
        elif self._phase != NONE and self._journal.is_full and not self._has_note():
            self._refuse()
        elif self._phase == OPENING:
            self._open(now)
        elif self._phase == OPEN and self._is_faulty():
            self._refuse()
        acceptor.want(self._mask if OPENING <= self._phase <= OPEN else 0)

    def _open(self, now):
        acceptor = self._acceptor
        types = acceptor.bills.types(self._mask)
        if self._is_faulty() or (acceptor.bills.known and not types):
            self._refuse()
        elif types and acceptor.in_force == types and acceptor.is_ready and not self._has_note():
            self._phase = OPEN
            self._mask = acceptor.bills.mask(types)
            self._say(states.CASH_OPEN, self._mask)
        elif diff(now, self._since) >= OPEN_MS_MAX:
            self._refuse()

    def _close(self):
        acceptor = self._acceptor
        shut = acceptor.is_offline or acceptor.in_force == 0 or self._is_faulty()
        if shut and not self._has_note():
            self._phase = NONE
            self._say(states.CASH_CLOSED, 0)

    def _refuse(self):
        self._phase = NONE
        self._say(states.CASH_REFUSED, 0)

    def _has_note(self):
        return self._change is not None or self._journal.live is not None

    def _is_faulty(self):
        return self._acceptor.is_offline or self._acceptor.state in polled.FAULTS

    def _say(self, state, mask):
        self._emit(CASH_STATE, self._session, state, mask)

    def _tell(self, note):
        self._emit(
            CASH_NOTE, note.number, note.session, note.yuan, note.state, note.place, note.reason
        )
