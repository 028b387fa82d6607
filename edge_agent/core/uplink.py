"""The uplink: sends what is unsettled, settles only by a verified receipt. Events in, effects out.

Rules. A batch handed to the broker counts for nothing. Only a receipt whose link equals our own at
its seq settles. Every answer of the centre ends the waiting; silence doubles it, with jitter.

| state | event | next | does |
| --- | --- | --- | --- |
| OFFLINE | connected | FLUSHING or IDLE | PublishState, Send from the first unreceipted |
| FLUSHING | sent, window has room | FLUSHING | Send more |
| FLUSHING | receipt, link equal | FLUSHING or IDLE | Settle, Send more |
| FLUSHING, IDLE | receipt or rewind, link differs | SUSPECT | RaiseAlarm, nothing settled |
| FLUSHING, IDLE | rewind, link equal, REWIND_MS after the last | FLUSHING | Send from there |
| FLUSHING | hold | HELD | OpenerWanted when it is missing, wait HOLD_MS with jitter |
| HELD, SUSPECT | time is up | FLUSHING | Send again from the first unreceipted |
| FLUSHING | no answer in time | FLUSHING | Send again, wait twice as long, at most ANSWER_MS_MAX |
| IDLE | appended | FLUSHING | Send |
| SUSPECT | receipt, link equal | FLUSHING or IDLE | ClearAlarm, Settle, Send more |
| any | disconnected | OFFLINE | nothing in flight counts |

`through` is what the centre has receipted in this connection's view; after a rewind of a restored
centre it is below what is settled, and records are offered again while settlement stays.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from protocol.receipts import Hold, HoldReason, Receipt, Rewind

OFFLINE, IDLE, FLUSHING, HELD, SUSPECT = "offline", "idle", "flushing", "held", "suspect"

WINDOW_BATCHES = 4
ANSWER_MS = 3_000
ANSWER_MS_MAX = 60_000
HOLD_MS = 5_000
SUSPECT_MS = 60_000
REWIND_MS = 1_000

ALARM_LINK = "link_differs"


@dataclass(frozen=True)
class Send:
    """Build a batch of what follows this seq, publish it, then say `sent`."""

    after_seq: int


@dataclass(frozen=True)
class Settle:
    """Keep this verified receipt."""

    receipt: Receipt


@dataclass(frozen=True)
class OpenerWanted:
    """The centre does not have the opener: send it whole from now on."""


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


Effect = Send | Settle | OpenerWanted | PublishState | RaiseAlarm | ClearAlarm
Effects = list[Effect]


class Uplink:
    """`draw()` gives a float in [0, 1) for jitter. Times are ms of a clock that never jumps."""

    def __init__(self, settled_seq: int, generation: int, draw: Callable[[], float]) -> None:
        self.state = OFFLINE
        self.settled_seq = settled_seq
        self.generation = generation
        self.head_seq = settled_seq
        self.answered_ms: int | None = None
        self._draw = draw
        self._through = settled_seq
        self._in_flight: deque[int] = deque()  # last seq of each batch
        self._sent_through = settled_seq
        self._due_ms: int | None = None
        self._wait_ms = ANSWER_MS
        self._rewound_ms: int | None = None

    # ---- events

    def connected(self, head_seq: int, now_ms: int) -> Effects:
        """The line stands and answers are subscribed to."""
        self.head_seq = max(head_seq, self.head_seq)
        self.state = FLUSHING
        self._wait_ms = ANSWER_MS
        return [PublishState(), *self._again(now_ms)]

    def disconnected(self) -> Effects:
        """The line is gone."""
        self.state = OFFLINE
        self._in_flight.clear()
        self._due_ms = None
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
        self._sent_through = last_seq
        self._in_flight.append(last_seq)
        if self._due_ms is None:
            self._due_ms = now_ms + self._jittered(self._wait_ms)
        return self._more(now_ms)

    def receipt(self, receipt: Receipt, own_link: bytes | None, now_ms: int) -> Effects:
        """`own_link`: our chain value at its seq, None when we have no such record."""
        if self.state == OFFLINE or receipt.generation < self.generation:
            return []
        if own_link != receipt.link:
            return self._suspect(now_ms)
        self._heard(now_ms)
        self.generation = receipt.generation
        effects: Effects = [ClearAlarm(ALARM_LINK)] if self.state == SUSPECT else []
        if receipt.through_seq > self.settled_seq:
            self.settled_seq = receipt.through_seq
            effects.append(Settle(receipt))
        self._advance(receipt.through_seq)
        self.state = FLUSHING
        return effects + self._more(now_ms)

    def rewind(self, rewind: Rewind, own_link: bytes | None, now_ms: int) -> Effects:
        """`own_link`: our chain value at its seq (the zero link at 0), None when we have none."""
        if self.state == OFFLINE or rewind.generation < self.generation:
            return []
        if own_link != rewind.link:
            return self._suspect(now_ms)
        if self._rewound_ms is not None and now_ms - self._rewound_ms < REWIND_MS:
            return []
        self._heard(now_ms)
        self._rewound_ms = now_ms
        self.generation = rewind.generation
        self._through = rewind.seq
        self.state = FLUSHING
        return self._again(now_ms)

    def hold(self, hold: Hold, now_ms: int) -> Effects:
        """The centre cannot take it now."""
        if self.state != FLUSHING or hold.generation < self.generation:
            return []
        self._heard(now_ms)
        self.state = HELD
        self._in_flight.clear()
        missing = hold.reason == HoldReason.OPENER_MISSING
        self._due_ms = now_ms + self._jittered(REWIND_MS if missing else HOLD_MS)
        return [OpenerWanted()] if missing else []

    def tick(self, now_ms: int) -> Effects:
        """Time has passed."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        if self.state == FLUSHING:
            self._wait_ms = min(ANSWER_MS_MAX, self._wait_ms * 2)
        self.state = FLUSHING
        return self._again(now_ms)

    def deadline_ms(self) -> int | None:
        """When `tick` has something to do, None when never."""
        return self._due_ms

    # ---- parts

    def _heard(self, now_ms: int) -> None:
        self.answered_ms = now_ms
        self._wait_ms = ANSWER_MS

    def _advance(self, through: int) -> None:
        self._through = max(self._through, through)
        self._sent_through = max(self._sent_through, self._through)
        while self._in_flight and self._in_flight[0] <= self._through:
            self._in_flight.popleft()

    def _again(self, now_ms: int) -> Effects:
        """Forget what is in flight and send from the first unreceipted record."""
        self._in_flight.clear()
        self._sent_through = self._through
        return self._more(now_ms)

    def _more(self, now_ms: int) -> Effects:
        if not self._in_flight:
            self._due_ms = None
        elif self._due_ms is not None and self.answered_ms == now_ms:
            self._due_ms = now_ms + self._jittered(self._wait_ms)
        room = len(self._in_flight) < WINDOW_BATCHES
        if self._sent_through < self.head_seq:
            self.state = FLUSHING
            if not room:
                return []
            if self._due_ms is None:  # also watches a Send that the line could not take
                self._due_ms = now_ms + self._jittered(self._wait_ms)
            return [Send(self._sent_through)]
        self.state = FLUSHING if self._in_flight else IDLE
        return []

    def _suspect(self, now_ms: int) -> Effects:
        self.state = SUSPECT
        self._in_flight.clear()
        self._due_ms = now_ms + self._jittered(SUSPECT_MS)
        return [RaiseAlarm(ALARM_LINK)]

    def _jittered(self, wait_ms: int) -> int:
        return int(wait_ms * (0.75 + self._draw() / 2))
