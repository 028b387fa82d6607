"""The rules of effects: at most once an id, `begun` on flash before the first byte or edge, an
outcome on flash before it is told.

| an id is | asked for (`request`) | queried (`query`) |
| --- | --- | --- |
| never seen | accepted: the device may call `begin`, must call `end` | NEVER_SEEN |
| never seen, journal damaged | the same | UNKNOWN |
| accepted or begun in this life | nothing: answered when it ends | the same |
| ended, or begun in an earlier life | its outcome again | its outcome again |
"""

from firmware.effect_journal import NEVER
from protocol.wire import states

BEGIN_LATER = 0
BEGUN_NOW = 1
BEGIN_REFUSED = 2

ACCEPTED_MAX = 4


class _Accepted:
    def __init__(self, effect_id):
        self.effect_id = effect_id
        self.begin_asked = None  # ticks of the first `begin`
        self.outcome = 0
        self.detail = 0
        self.ended = None  # ticks of `end`


class Effects:
    """`answer(effect_id, outcome, detail)` tells the agent; `gate` is the FlashGate."""

    def __init__(self, journal, gate, answer):
        self._journal = journal
        self._gate = gate
        self._answer = answer
        self._accepted = []

    def request(self, effect_id):
        """True when this id is new and its device may start. False: it has been or will be
        answered.
        """
        if self._find(effect_id) is not None:
            return False
        state, detail = self._journal.state(effect_id)
        if state != NEVER:
            self._answer(effect_id, state, detail)
            return False
        if len(self._accepted) >= ACCEPTED_MAX:
            self._answer(effect_id, states.NOT_DONE, states.DETAIL_BUSY)
            return False
        self._accepted.append(_Accepted(effect_id))
        return True

    def query(self, effect_id):
        """Answer what is known of an id; one that has not ended is answered when it ends."""
        if self._find(effect_id) is not None:
            return
        state, detail = self._journal.state(effect_id)
        if state == NEVER:
            state = states.UNKNOWN if self._journal.damaged else states.NEVER_SEEN
        self._answer(effect_id, state, detail)

    @property
    def are_open(self):
        """Whether one was accepted and has not been answered."""
        return bool(self._accepted)

    def begin(self, effect_id, now):
        """BEGUN_NOW once `begun` is on flash, BEGIN_LATER while it must wait, BEGIN_REFUSED when
        the flash fails.
        """
        accepted = self._find(effect_id)
        if accepted.begin_asked is None:
            accepted.begin_asked = now
        if not self._gate.is_open(accepted.begin_asked, now):
            return BEGIN_LATER
        try:
            self._journal.begin(effect_id)
        except OSError:
            return BEGIN_REFUSED
        return BEGUN_NOW

    def end(self, effect_id, outcome, detail, now):
        """The device is through with it."""
        accepted = self._find(effect_id)
        accepted.outcome = outcome
        accepted.detail = detail
        accepted.ended = now

    def tick(self, now):
        """Write outcomes and tell them."""
        for accepted in self._accepted:
            if accepted.ended is not None and self._gate.is_open(accepted.ended, now):
                self._settle(accepted)
                return

    def _settle(self, accepted):
        self._accepted.remove(accepted)
        try:
            self._journal.end(accepted.effect_id, accepted.outcome, accepted.detail)
        except OSError:
            pass  # true all the same; the next life will say UNKNOWN
        self._answer(accepted.effect_id, accepted.outcome, accepted.detail)

    def _find(self, effect_id):
        for accepted in self._accepted:
            if accepted.effect_id == effect_id:
                return accepted
        return None
