"""The uplink core against an honest centre, over a line that loses, repeats and reorders.

Everything is plain: a record is its seq, a link is a hash over the seqs before it. The centre takes
what is next, says again what it has, asks for what is missing, and may be restored from a backup
(then it has a new generation). What must hold is said in `violations`.
"""

import random
from dataclasses import dataclass, field
from hashlib import sha256

from edge_agent.core import uplink as ux
from protocol.receipts import Hold, HoldReason, Receipt, Rewind

TERMINAL = "gate-1"
BATCH_RECORDS = 3
QUIET_STEPS_MAX = 10_000
Answer = Receipt | Rewind | Hold


def link_of(seq: int, history: str = "") -> bytes:
    """The chain value after `seq`; another `history` is another disk."""
    return sha256(f"{history}{seq}".encode()).digest() if seq else bytes(32)


@dataclass(frozen=True)
class SentBatch:
    """Records first..last under way to the centre."""

    first: int
    last: int


@dataclass
class Centre:
    """What it has is durable before it answers."""

    has: int = 0
    generation: int = 1
    backup: int = 0
    rewound_ms: int = -ux.REWIND_MS
    holds: HoldReason | None = None

    def take(self, batch: SentBatch, now_ms: int) -> Answer | None:
        if self.holds is not None:
            return Hold(TERMINAL, self.generation, self.has, self.holds, now_ms)
        if batch.first > self.has + 1:
            if now_ms - self.rewound_ms < ux.REWIND_MS:
                return None
            self.rewound_ms = now_ms
            return Rewind(TERMINAL, self.generation, self.has, link_of(self.has), now_ms)
        self.has = max(self.has, batch.last)
        # of a batch that came before, the receipt again: through its own end
        return Receipt(
            TERMINAL, self.generation, bytes(16), batch.last, link_of(batch.last), 0, now_ms
        )

    def restore(self) -> None:
        self.has = min(self.has, self.backup)
        self.generation += 1


@dataclass
class World:
    """A terminal, a centre, and the messages between them."""

    centre: Centre = field(default_factory=Centre)
    now_ms: int = 1_000
    head: int = 0
    settled: int = 0
    generation: int = 0
    up: list[SentBatch] = field(default_factory=list)
    down: list[Answer] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    waits_ms: list[int] = field(default_factory=list)
    line_takes: bool = True
    centre_had: int = 0
    """The most that was ever durable: a restored centre has receipts of before under way."""

    def __post_init__(self) -> None:
        self.draw = random.Random(1).random
        self.start()

    # ---- the terminal

    def start(self) -> None:
        """A new life of the agent, from what its disk has."""
        self.uplink = ux.Uplink(self.settled, self.generation, self.draw, self.head)

    def connect(self) -> None:
        self._do(self.uplink.connected(self.head, self.now_ms))

    def disconnect(self) -> None:
        self.up.clear()
        self.down.clear()
        self._do(self.uplink.disconnected())

    def append(self, count: int) -> None:
        self.head += count
        self._do(self.uplink.appended(self.head, self.now_ms))

    def pass_time(self, ms: int) -> None:
        self.now_ms += ms
        self._do(self.uplink.tick(self.now_ms))

    def _do(self, effects: ux.Effects) -> None:
        waiting = list(effects)
        while waiting:
            effect = waiting.pop(0)
            if isinstance(effect, ux.Send) and self.line_takes:
                waiting += self._send(effect.after_seq)
            elif isinstance(effect, ux.Settle):
                self.settled = max(self.settled, effect.receipt.through_seq)
                self.generation = effect.receipt.generation
                if self.settled > self.centre_had:
                    self.violations.append(f"settled {self.settled}, centre {self.centre.has}")
            elif isinstance(effect, ux.OfferAgain):
                self.settled = min(self.settled, effect.after_seq)
                self.generation = max(self.generation, effect.generation)
            elif isinstance(effect, ux.RaiseAlarm) and effect.code == ux.ALARM_LINK:
                self.violations.append("alarm although both have one history")
        if len(self.uplink._in_flight) > ux.WINDOW_BATCHES:
            self.violations.append(f"{len(self.uplink._in_flight)} batches in flight")
        if self.uplink.settled_seq != self.settled:
            self.violations.append(f"core {self.uplink.settled_seq}, disk {self.settled}")

    def _send(self, after_seq: int) -> ux.Effects:
        if after_seq >= self.head:
            return []
        batch = SentBatch(after_seq + 1, min(after_seq + BATCH_RECORDS, self.head))
        self.up.append(batch)
        return self.uplink.sent(batch.last, self.now_ms)

    # ---- the line and the centre

    def deliver_up(self, index: int = 0, *, keep: bool = False) -> None:
        if self.up:
            index %= len(self.up)
            batch = self.up[index] if keep else self.up.pop(index)
            answer = self.centre.take(batch, self.now_ms)
            self.centre_had = max(self.centre_had, self.centre.has)
            if answer is not None:
                self.down.append(answer)

    def deliver_down(self, index: int = 0, *, keep: bool = False) -> None:
        if self.down and self.uplink.state != ux.OFFLINE:
            index %= len(self.down)
            answer = self.down[index] if keep else self.down.pop(index)
            if isinstance(answer, Receipt):
                own = link_of(answer.through_seq) if answer.through_seq <= self.head else None
                self._do(self.uplink.receipt(answer, own, self.now_ms))
            elif isinstance(answer, Rewind):
                own = link_of(answer.seq) if answer.seq <= self.head else None
                self._do(self.uplink.rewind(answer, own, self.now_ms))
            else:
                self._do(self.uplink.hold(answer, self.now_ms))

    def quiet(self) -> None:
        """The faults are over: everything arrives in order until nothing more is to be done."""
        self.line_takes, self.centre.holds = True, None
        if self.uplink.state == ux.OFFLINE:
            self.connect()
        for _ in range(QUIET_STEPS_MAX):
            if self.up:
                self.deliver_up()
            elif self.down:
                self.deliver_down()
            elif self.centre.has == self.settled == self.head and self.uplink.state == ux.IDLE:
                return
            else:
                due_ms = self.uplink.deadline_ms()
                if due_ms is None:
                    break
                self.waits_ms.append(due_ms - self.now_ms)
                self.pass_time(max(0, due_ms - self.now_ms))
        self.violations.append(
            f"stuck in {self.uplink.state}: head {self.head}, settled {self.settled}, "
            f"centre {self.centre.has}"
        )
