"""The uplink: sends what is unsettled, settles only by a verified receipt. Events in, effects out.

Rules. A batch handed to the broker counts for nothing, and there is no event for a PUBACK. Only a
receipt whose link equals our own at its seq settles. Settlement goes back only when the centre
says, signed, and with our own link, that it has less: it was restored from a backup, and all
behind it is offered again. What comes from an earlier generation of the centre counts for nothing.

| state | event | next | does |
| --- | --- | --- | --- |
| OFFLINE | connected | FLUSHING or IDLE | PublishState, Send from the first unsettled, or probe |
| FLUSHING | sent, window has room | FLUSHING | Send more |
| FLUSHING | no answer in time | FLUSHING | Send one batch again, wait twice as long (<= _MAX) |
| any online | receipt, link equal | FLUSHING or IDLE | Settle, ClearAlarm, Send more, full window |
| any online | the same, of a new generation | FLUSHING | Settle, then Send again or probe |
| any online | receipt or rewind, link differs | SUSPECT | RaiseAlarm; nothing settled |
| any online | rewind, link equal, REWIND_MS after the last | FLUSHING | OfferAgain if lower, Send |
| FLUSHING | hold | HELD | OpenerWanted if it is missing, RaiseAlarm if it needs a person |
| HELD, SUSPECT | time is up | FLUSHING | Send again from the first unsettled |
| IDLE | appended | FLUSHING | Send |
| IDLE | nothing for PROBE_MS | FLUSHING | probe: Send the last record again |
| any | disconnected | OFFLINE | nothing in flight counts |

A probe costs one small message. A centre that has the record says so again; one that was restored
while we had nothing to send says what it lacks.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from protocol.receipts import Hold, HoldReason, Receipt, Rewind

OFFLINE, IDLE, FLUSHING, HELD, SUSPECT = "offline", "idle", "flushing", "held", "suspect"

WINDOW_BATCHES = 32
ANSWER_MS = 3_000
ANSWER_MS_MAX = 60_000
HOLD_MS = 5_000
SUSPECT_MS = 60_000
REWIND_MS = 1_000
PROBE_MS = 600_000
ROUND_TRIP_MS_MAX = 10_000

ALARM_LINK = "link_differs"
ALARM_HELD = "held_by_centre"
_FOR_A_PERSON = (HoldReason.UNKNOWN_CENTRE_KEY, HoldReason.TERMINAL_SUSPENDED)


@dataclass(frozen=True)
class Send:
    """Build a batch of what follows this seq, publish it, then say `sent`."""

    after_seq: int


@dataclass(frozen=True)
class Settle:
    """Keep this verified receipt."""

    receipt: Receipt


@dataclass(frozen=True)
class OfferAgain:
    """The centre has nothing after this seq any more; keep that over a restart."""

    after_seq: int
    generation: int


@dataclass(frozen=True)
class OpenerWanted:
    """The centre lacks openers of what follows this seq: send them whole again."""

    after_seq: int


@dataclass(frozen=True)
class LearnTime:
    """The centre signed this time (Unix ms) within the last ROUND_TRIP_MS_MAX."""

    centre_ms: int


@dataclass(frozen=True)
class PublishState:
    """Say who we are and what we have."""


@dataclass(frozen=True)
class RaiseAlarm:
    """A person has to look at this."""

    code: str


@dataclass(frozen=True)
class ClearAlarm:
    """It is over."""

    code: str


Effect = (
    Send | Settle | OfferAgain | OpenerWanted | LearnTime | PublishState | RaiseAlarm | ClearAlarm
)
Effects = list[Effect]


class _Flight(NamedTuple):
    """A batch under way. `is_new`: none of it was ever sent before, so no answer can be older."""

    last_seq: int
    sent_ms: int
    is_new: bool


class Uplink:
    """`draw()` gives a float in [0, 1) for jitter. Times are ms of a clock that never jumps.

    `head_seq`: the last record when this program started; it may have been sent in an earlier life.
    """

    def __init__(
        self, settled_seq: int, generation: int, draw: Callable[[], float], head_seq: int = 0
    ) -> None:
        self.state = OFFLINE
        self.settled_seq = settled_seq
        self.generation = generation
        self.head_seq = max(head_seq, settled_seq)
        self.answered_ms: int | None = None
        self._draw = draw
        self._in_flight: deque[_Flight] = deque()
        self._sent_through = settled_seq
        self._ever_sent = self.head_seq
        self._window = WINDOW_BATCHES
        self._wait_ms = ANSWER_MS
        self._due_ms: int | None = None
        self._rewound_ms: int | None = None
        self._alarms: set[str] = set()

    # ---- events

    def connected(self, head_seq: int, now_ms: int) -> Effects:
        """The line stands and answers are subscribed to."""
        self.head_seq = max(head_seq, self.head_seq)
        self._wait_ms, self._window = ANSWER_MS, WINDOW_BATCHES
        if self.settled_seq < self.head_seq:
            return [PublishState(), *self._again(now_ms)]
        return [PublishState(), *self._probe(now_ms)]

    def disconnected(self) -> Effects:
        """The line is gone."""
        self.state = OFFLINE
        self._forget_flights()
        return []

    def appended(self, head_seq: int, now_ms: int) -> Effects:
        """Records were committed up to `head_seq`."""
        self.head_seq = max(head_seq, self.head_seq)
        if self.state not in (IDLE, FLUSHING):
            return []
        return self._more(now_ms)

    def sent(self, last_seq: int, now_ms: int) -> Effects:
        """The batch asked for by Send was published up to `last_seq`."""
        if self.state != FLUSHING or last_seq <= self._sent_through:
            return []
        is_new = self._sent_through >= self._ever_sent
        self._in_flight.append(_Flight(last_seq, now_ms, is_new))
        self._sent_through = last_seq
        self._ever_sent = max(self._ever_sent, last_seq)
        return self._more(now_ms)

    def receipt(self, receipt: Receipt, own_link: bytes | None, now_ms: int) -> Effects:
        """`own_link`: our chain value at its seq, None when we have no such record."""
        if self.state == OFFLINE or receipt.generation < self.generation:
            return []
        if own_link != receipt.link:
            return self._suspect(now_ms)
        is_new_centre = 0 < self.generation < receipt.generation
        self._heard(receipt, now_ms)
        self._window = WINDOW_BATCHES
        effects = self._clear(ALARM_LINK) + self._clear(ALARM_HELD)
        if receipt.through_seq > self.settled_seq:
            self.settled_seq = receipt.through_seq
            effects.append(Settle(receipt))
        if self._is_fresh(receipt, now_ms):
            effects.append(LearnTime(receipt.time_ms))
        self._landed(receipt.through_seq)
        if is_new_centre:  # it was restored: ask at once whether it still has all that is settled
            return effects + self._probe(now_ms)
        return effects + self._more(now_ms)

    def rewind(self, rewind: Rewind, own_link: bytes | None, now_ms: int) -> Effects:
        """`own_link`: our chain value at its seq (the zero link at 0), None when we have none."""
        if self.state == OFFLINE or rewind.generation < self.generation:
            return []
        if own_link != rewind.link:
            return self._suspect(now_ms)
        if self._rewound_ms is not None and now_ms - self._rewound_ms < REWIND_MS:
            return []
        self._heard(rewind, now_ms)
        self._rewound_ms = now_ms
        effects: Effects = []
        if rewind.seq < self.settled_seq:
            self.settled_seq = rewind.seq
            effects.append(OfferAgain(rewind.seq, rewind.generation))
        return effects + self._again(now_ms)

    def hold(self, hold: Hold, now_ms: int) -> Effects:
        """The centre cannot take it now."""
        if self.state != FLUSHING or hold.generation < self.generation:
            return []
        self._heard(hold, now_ms)
        self.state = HELD
        self._forget_flights()
        missing = hold.reason == HoldReason.OPENER_MISSING
        self._due_ms = now_ms + self._jittered(REWIND_MS if missing else HOLD_MS)
        if missing:
            return [OpenerWanted(self.settled_seq)]
        return self._raise(ALARM_HELD) if hold.reason in _FOR_A_PERSON else []

    def tick(self, now_ms: int) -> Effects:
        """Time has passed."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        if self.state == IDLE:
            return self._probe(now_ms)
        if self.state == FLUSHING:
            self._wait_ms = min(ANSWER_MS_MAX, self._wait_ms * 2)
            self._window = 1
        return self._again(now_ms)

    def deadline_ms(self) -> int | None:
        """When `tick` has something to do, None when never."""
        return self._due_ms

    # ---- parts

    def _heard(self, answer: Receipt | Rewind | Hold, now_ms: int) -> None:
        self.generation = answer.generation
        self.answered_ms = now_ms
        self._wait_ms = ANSWER_MS

    def _is_fresh(self, receipt: Receipt, now_ms: int) -> bool:
        return any(
            flight.is_new
            and flight.last_seq == receipt.through_seq
            and now_ms - flight.sent_ms <= ROUND_TRIP_MS_MAX
            for flight in self._in_flight
        )

    def _landed(self, through_seq: int) -> None:
        """All through this seq needs no answer any more; who still waits, waits from now on."""
        self._sent_through = max(self._sent_through, self.settled_seq)
        while self._in_flight and self._in_flight[0].last_seq <= through_seq:
            self._in_flight.popleft()
        self._due_ms = None

    def _forget_flights(self) -> None:
        self._in_flight.clear()
        self._sent_through = self.settled_seq
        self._due_ms = None

    def _again(self, now_ms: int) -> Effects:
        """Forget what is in flight and send from the first unsettled record."""
        self._forget_flights()
        return self._more(now_ms)

    def _probe(self, now_ms: int) -> Effects:
        """Send the last record again, if there is one."""
        effects = self._again(now_ms)
        if effects or not self.head_seq:
            return effects
        self._sent_through = self.head_seq - 1
        self._due_ms = None
        return self._more(now_ms)

    def _more(self, now_ms: int) -> Effects:
        """Send what the window takes. The line may refuse it: the wait for the answer runs on."""
        wants = self._sent_through < self.head_seq and len(self._in_flight) < self._window
        if wants or self._in_flight:
            if self.state != FLUSHING or self._due_ms is None:
                self._due_ms = now_ms + self._jittered(self._wait_ms)
            self.state = FLUSHING
        else:
            self.state = IDLE
            self._due_ms = now_ms + self._jittered(PROBE_MS)
        return [Send(self._sent_through)] if wants else []

    def _suspect(self, now_ms: int) -> Effects:
        """The centre knows another history than ours. Wait: it may be an answer from before."""
        if self.state != SUSPECT:
            self.state = SUSPECT
            self._forget_flights()
            self._due_ms = now_ms + self._jittered(SUSPECT_MS)
        return self._raise(ALARM_LINK)

    def _raise(self, code: str) -> Effects:
        new = code not in self._alarms
        self._alarms.add(code)
        return [RaiseAlarm(code)] if new else []

    def _clear(self, code: str) -> Effects:
        old = code in self._alarms
        self._alarms.discard(code)
        return [ClearAlarm(code)] if old else []

    def _jittered(self, wait_ms: int) -> int:
        return int(wait_ms * (0.75 + self._draw() / 2))
