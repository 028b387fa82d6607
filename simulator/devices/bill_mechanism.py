"""A bill acceptor as a machine with notes in it: its states, what people do, what power loss does.

States have the numbers that CCNET gives them.

| state | event | next | the note in it |
| --- | --- | --- | --- |
| 10 11 12 | RESET | 13 | 11: given back; 12: `credit_recovery` says 81 after 13 |
| 13 | init_ms | 19, or a fault | |
| 14, 19 | ENABLE, some types / none | 14 / 19 | |
| 14 | `insert_note` | 15 | in the validator |
| 15 | accept_ms; enabled, with escrow / without | 80 n / 17 | |
| 15 | accept_ms; else | 1C r | |
| 1C r | reject_ms and acknowledged | 14 | in the hand |
| 80 n | STACK / RETURN, escrow_ms / HOLD | 17 / 18 / 1A | |
| 1A | STACK / RETURN / hold_ms | 17 / 18 / 80 n | |
| 17 | half of stack_ms | 17 | in the cassette |
| 17 | stack_ms | 81 n | |
| 81 n | acknowledged | 14, 19 or a fault | |
| 18 | half of return_ms | 18 | in the hand |
| 18 | return_ms | 82 n | |
| 82 n | acknowledged | 14, 19 or a fault | |
| 43 44 45 47 | RESET, its cause is gone | 13 | |
| 41 42 | a cassette is put in | 13 | |
| any | power lost and back | 12, 11 or 10 | 12: its 81 was not acknowledged; 11: in the validator |

Sources: CCNET 2.3.1 / 2.4.3 and captures of integrators; times are engineering values.
"""

import random
from dataclasses import dataclass
from typing import ClassVar

from simulator.devices import ccnet_frames as ccnet
from simulator.devices.bank_notes import (
    CASSETTE,
    COLLECTED,
    HAND,
    OFFICER,
    PATH,
    VALIDATOR,
    BankNote,
    NoteBook,
)
from simulator.devices.ccnet_faults import (
    FAILURES,
    FAULTS,
    REASONS,
    REJECT_IDENTIFICATION,
    REJECT_INHIBITED,
    REJECT_INSERTION,
)
from simulator.devices.uart import UartDevice

POWER_UP, POWER_UP_IN_VALIDATOR, POWER_UP_IN_STACKER, INITIALISING = 0x10, 0x11, 0x12, 0x13
IDLING, ACCEPTING, STACKING, RETURNING, DISABLED = 0x14, 0x15, 0x17, 0x18, 0x19
HOLDING, BUSY, REJECTING = 0x1A, 0x1B, 0x1C
FULL, CASSETTE_OUT, JAMMED, CASSETTE_JAMMED = 0x41, 0x42, 0x43, 0x44
CHEATED, PAUSE, FAILURE = 0x45, 0x46, 0x47
ESCROW, STACKED, RETURNED = 0x80, 0x81, 0x82

POWERED_UP = (POWER_UP, POWER_UP_IN_VALIDATOR, POWER_UP_IN_STACKER)
MOVING = (ACCEPTING, STACKING, RETURNING)
TOLD = (STACKED, RETURNED)
FAULTY = (FULL, CASSETTE_OUT, JAMMED, CASSETTE_JAMMED, CHEATED, PAUSE, FAILURE)


@dataclass(frozen=True)
class AcceptorTiming:
    """Milliseconds; `answer_ms` is drawn from evenly."""

    answer_ms: tuple[float, float] = (2, 8)
    init_ms: float = 1500
    accept_ms: float = 900
    reject_ms: float = 600
    stack_ms: float = 800
    return_ms: float = 700
    escrow_ms: float = 10_000
    hold_ms: float = 10_000
    frame_gap_ms: float = 50


class BillMechanism(UartDevice):
    """The machine of an acceptor. People use `insert_note`, `pull_note`, `remove_cassette`,
    `insert_cassette`, `clear_jam`, `power_cut`; the truth about money is in `book`.

    `table`: yuan by bill type, 0 for an empty row. `cassette_notes`: how many a cassette holds.
    """

    FAULTS: ClassVar = FAULTS

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: AcceptorTiming | None = None,
        baud: int = 9600,
        table: tuple[int, ...] = ccnet.NOTES,
        currency: bytes = ccnet.CURRENCY,
        cassette_notes: int = 600,
        credit_recovery: bool = True,
    ) -> None:
        super().__init__(baud, rng)
        self.timing = timing if timing is not None else AcceptorTiming()
        self.table = table
        self.currency = currency
        self.cassette_notes = cassette_notes
        self.credit_recovery = credit_recovery
        self.book = NoteBook()
        self.note: BankNote | None = None  # the one that is inside, not in the cassette
        self.state = POWER_UP
        self.enabled = 0
        self.escrowed = 0
        self._argument = 0
        self._until: float | None = None  # end of the motion, or of the patience, of `state`
        self._halfway: float | None = None
        self._acknowledged = False
        self._cassette = True
        self._untold: BankNote | None = None  # stacked, its 81 not acknowledged; outlives power

    # --- what people do

    def insert_note(self, yuan: int) -> bool:
        """Offer a note. False: the motor stands still, the note stays in the hand."""
        self._tick(self._now_ms)
        if self._off or self.state != IDLING:
            return False
        kind = self.table.index(yuan) if yuan in self.table else None
        self.note = self.book.insert(yuan, kind)
        self._go(ACCEPTING, self._now_ms, self.timing.accept_ms)
        self._woken()
        return True

    def pull_note(self) -> bool:
        """Pull at the note while it is drawn in, or while the power is off. False: it is held."""
        note = self.note
        if note is None or note.place != VALIDATOR or not (self._off or self.state == ACCEPTING):
            return False
        self._out(HAND)
        if not self._off:
            self._reject(REJECT_INSERTION, self._now_ms)
        self._woken()
        return True

    def clear_jam(self) -> BankNote | None:
        """An officer opens the machine and takes the note out that sticks or moves, if there is
        one. A jam ends with the next RESET."""
        note = self.note
        if note is not None:
            self._out(OFFICER)
            if self.state in (ACCEPTING, ESCROW, HOLDING, STACKING, RETURNING, REJECTING):
                self._settle(self._now_ms)
        self._woken()
        return note

    def remove_cassette(self) -> list[BankNote]:
        """Take the cassette away. A note in escrow is given back, one on its way sticks."""
        taken = self.book.at(CASSETTE)
        for note in taken:
            note.place = COLLECTED
        self._cassette = False
        now_ms = self._now_ms
        if self.state in (ESCROW, HOLDING):
            self._return(now_ms)
        elif self.state == STACKING and self.note is not None:
            self.note.place = PATH
            self._go(CASSETTE_JAMMED, now_ms)
        elif self.state in (IDLING, DISABLED, FULL):
            self._settle(now_ms)
        self._woken()
        return taken

    def insert_cassette(self) -> None:
        """Put an empty cassette in."""
        self._cassette = True
        self.faults.remove("cassette_full")
        if self.state in (CASSETTE_OUT, FULL):
            self.enabled = self.escrowed = 0
            self._go(INITIALISING, self._now_ms, self.timing.init_ms)
        self._woken()

    def power_cut(self) -> None:
        """Power goes and comes back at once."""
        self._pending.clear()
        self._pending_bytes = 0
        self._power_lost()
        self._power_returned()
        self._woken()

    # --- what the machine does

    def _go(self, state: int, now_ms: float, lasts_ms: float | None = None) -> None:
        self.state = state
        self._until = None if lasts_ms is None else now_ms + lasts_ms
        moves = state in (STACKING, RETURNING) and lasts_ms is not None
        self._halfway = now_ms + (lasts_ms or 0) / 2 if moves else None

    def _tick(self, now_ms: float) -> None:
        self._follow_faults(now_ms)
        if self._halfway is not None and self._halfway <= now_ms:
            at_ms, self._halfway = self._halfway, None
            self._pass_halfway(at_ms)
        if self._until is not None and self._until <= now_ms:
            if self.state == REJECTING and not self._acknowledged:
                return
            at_ms, self._until = self._until, None
            self._motion_ends(at_ms)

    def _deadline(self) -> float | None:
        waits = self.state == REJECTING and not self._acknowledged
        moments = [self._halfway, None if waits else self._until]
        return min((at for at in moments if at is not None), default=None)

    def _follow_faults(self, now_ms: float) -> None:
        failed = self._failure()
        if failed is not None and self.state not in (*POWERED_UP, *TOLD, FAILURE):
            self._argument = failed
            self._go(FAILURE, now_ms)
        elif "second_bill" in self.faults and self.state in (IDLING, ACCEPTING):
            self._go(PAUSE, now_ms)
        elif self.state == PAUSE and "second_bill" not in self.faults:
            if self.note is not None:
                self._go(ACCEPTING, now_ms, self.timing.accept_ms)
            else:
                self._settle(now_ms)
        elif self.state == IDLING and "cassette_full" in self.faults:
            self._settle(now_ms)

    def _failure(self) -> int | None:
        return next((FAILURES[n[7:]] for n in self.faults if n.startswith("failed_")), None)

    def _pass_halfway(self, at_ms: float) -> None:
        note = self.note
        assert note is not None
        if self.state == RETURNING:
            self._out(HAND)
        elif self.faults.take("cheated"):
            self._out(HAND)
            self._go(CHEATED, at_ms)
        elif self.faults.take("jam_in_cassette"):
            note.place = PATH
            self._go(CASSETTE_JAMMED, at_ms)
        else:
            self._out(CASSETTE)
            self._untold = note

    def _motion_ends(self, at_ms: float) -> None:
        state = self.state
        if state == INITIALISING:
            if self._untold is not None:
                self._tell(STACKED, self._untold, at_ms)
            else:
                self._settle(at_ms)
        elif state == ACCEPTING:
            self._recognise(at_ms)
        elif state == REJECTING:
            self._out(HAND)
            self._settle(at_ms)
        elif state == ESCROW:
            self._return(at_ms)
        elif state == HOLDING:
            self._go(ESCROW, at_ms, self.timing.escrow_ms)
        elif state == STACKING:
            self._go(STACKED, at_ms)
        elif state == RETURNING:
            self._go(RETURNED, at_ms)

    def _recognise(self, at_ms: float) -> None:
        note = self.note
        assert note is not None
        if self.faults.take("jam_in_validator"):
            self._go(JAMMED, at_ms)
            return
        for name, code in REASONS.items():
            if self.faults.take(f"reject_{name}"):
                self._reject(code, at_ms)
                return
        if note.kind is None:
            self._reject(REJECT_IDENTIFICATION, at_ms)
        elif not self.enabled >> note.kind & 1:
            self._reject(REJECT_INHIBITED, at_ms)
        else:
            self._argument = note.kind
            note.recognised = True
            if self.escrowed >> note.kind & 1:
                self._go(ESCROW, at_ms, self.timing.escrow_ms)
            else:
                self._stack(at_ms)

    def _reject(self, reason: int, at_ms: float) -> None:
        self._argument = reason
        self._acknowledged = False
        self._go(REJECTING, at_ms, self.timing.reject_ms)

    def _stack(self, at_ms: float) -> None:
        self._go(STACKING, at_ms, self.timing.stack_ms)

    def _return(self, at_ms: float) -> None:
        self._go(RETURNING, at_ms, self.timing.return_ms)

    def _tell(self, state: int, note: BankNote, at_ms: float) -> None:
        self._argument = note.kind or 0
        self._go(state, at_ms)

    def _out(self, place: str) -> None:
        """The note leaves validator and path."""
        if self.note is not None:
            self.note.place = place
        self.note = None

    def _settle(self, now_ms: float) -> None:
        """Nothing moves: which state is it?"""
        full = len(self.book.at(CASSETTE)) >= self.cassette_notes or "cassette_full" in self.faults
        if not self._cassette:
            self._go(CASSETTE_OUT, now_ms)
        elif full:
            self._go(FULL, now_ms)
        else:
            self._go(IDLING if self.enabled else DISABLED, now_ms)

    def _reset(self, now_ms: float) -> None:
        self.enabled = self.escrowed = 0
        stuck = self.note is not None and self.state in (JAMMED, CASSETTE_JAMMED, FAILURE)
        if stuck or self._failure() is not None:
            return  # it stays as it is until somebody opens it
        if self.note is not None:
            self._out(HAND)
        if not self.credit_recovery:
            self._untold = None
        self._go(INITIALISING, now_ms, self.timing.init_ms)

    # --- power

    def _power_lost(self) -> None:
        self._until = self._halfway = None
        self.enabled = self.escrowed = 0

    def _power_returned(self) -> None:
        if self.note is not None and self.note.place == PATH:
            self._go(CASSETTE_JAMMED, self._now_ms)
        elif self._untold is not None:
            self._go(POWER_UP_IN_STACKER, self._now_ms)
        elif self.note is not None:
            self._go(POWER_UP_IN_VALIDATOR, self._now_ms)
        else:
            self._go(POWER_UP, self._now_ms)
