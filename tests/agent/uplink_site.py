"""A terminal's uplink over its real outbox, a plain centre, and a bad network between them.

The centre is written from docs/architecture.md, apart from the one that ships: a dictionary of
links, nothing else. The network loses, repeats and reorders; both ends start again; the centre is
restored from older copies of itself.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from edge_agent.core import uplink as ux
from edge_agent.outbox import Draft, Outbox
from protocol.batch import BATCH_RECORDS_MAX, build_batch, parse_batch
from protocol.envelope import LINK_ZERO
from protocol.receipts import (
    Hold,
    HoldReason,
    Receipt,
    Rewind,
    open_answer,
    sign_hold,
    sign_receipt,
    sign_rewind,
)
from tests.agent.outbox_guards import CENTRE, DEVICE, TERMINAL, open_outbox
from tests.agent.power_cut_vfs import History, PowerCutVfs


@dataclass
class PlainCentre:
    """Takes batches of TERMINAL; `links[seq]` is the link after a record that it has."""

    generation: int = 1
    links: dict[int, bytes] = field(default_factory=lambda: {0: LINK_ZERO})
    openers: set[bytes] = field(default_factory=set)
    rewound_ms: int = -10_000
    taken: int = 0

    @property
    def mark(self) -> int:
        return len(self.links) - 1

    def copy(self) -> "PlainCentre":
        return PlainCentre(self.generation, dict(self.links), set(self.openers))

    def take(self, raw: bytes, now_ms: int) -> bytes | None:
        """The signed answer to a batch."""
        batch = parse_batch(raw, DEVICE.verify_key, TERMINAL)
        if self.links.get(batch.first_seq - 1) != batch.link_before:
            if now_ms - self.rewound_ms < 1_000:
                return None
            self.rewound_ms = now_ms
            rewind = Rewind(TERMINAL, self.generation, self.mark, self.links[self.mark], now_ms)
            return sign_rewind(CENTRE, rewind)
        new = {seq: link for seq, *_, link in batch.rows if seq > self.mark}
        if new:
            if batch.opener is not None:
                self.openers.add(batch.opener_hash)
            if batch.opener_hash not in self.openers:
                reason = HoldReason.OPENER_MISSING
                hold = Hold(TERMINAL, self.generation, self.mark, reason, now_ms)
                return sign_hold(CENTRE, hold)
            self.links |= new
            self.taken += len(new)
        through = (batch.epoch_id, batch.last_seq, batch.link_last)
        return sign_receipt(CENTRE, Receipt(TERMINAL, self.generation, *through, 0, now_ms))


class Site:
    """One terminal, one centre. `up` and `down` hold what is under way."""

    def __init__(self, folder: Path) -> None:
        self.vfs = PowerCutVfs(History())  # it does not sync, which is quicker
        self.path = folder / "outbox.db"
        self.centre = PlainCentre()
        self.backups = [self.centre.copy()]
        self.now_ms = 1_000_000
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.appends = 0
        self.sent = 0
        self.full_openers = 0
        self.receipted = 0  # through which seq a receipt was ever handed to the terminal
        self.learned: list[int] = []
        self.alarms: set[str] = set()
        self.start()

    # ---- the terminal

    def start(self) -> None:
        self.outbox: Outbox = open_outbox(self.path, vfs=self.vfs.name)
        self.uplink = ux.Uplink(
            self.outbox.settled_seq, self.outbox.generation, lambda: 0.5, self.outbox.head().seq
        )

    def restart(self) -> None:
        self.outbox.close()
        self.alarms.clear()
        self.start()

    def close(self) -> None:
        self.outbox.close()
        self.vfs.unregister()

    def append(self, count: int) -> None:
        self.appends += 1
        intent = sha256(b"%d" % self.appends).digest()[:16]
        drafts = [Draft(1, 1, b"append %d" % self.appends)] * count
        self.outbox.append(intent, drafts).result()
        self.perform(self.uplink.appended(self.outbox.head().seq, self.now_ms))

    def connect(self) -> None:
        self.perform(self.uplink.connected(self.outbox.head().seq, self.now_ms))

    def disconnect(self) -> None:
        self.up.clear()
        self.down.clear()
        self.perform(self.uplink.disconnected())

    def perform(self, effects: ux.Effects, raw: bytes = b"") -> None:
        waiting = list(effects)
        while waiting:
            match waiting.pop(0):
                case ux.Send(after_seq):
                    waiting += self._send(after_seq)
                case ux.Settle(receipt):
                    self.outbox.settle(receipt, raw, self.now_ms).result()
                case ux.OfferAgain(after_seq, generation):
                    self.outbox.offer_again(after_seq, generation, lost_records=True).result()
                case ux.OpenerWanted(after_seq):
                    self.outbox.offer_again(after_seq, 0, lost_records=False).result()
                case ux.LearnTime(centre_ms):
                    self.learned.append(centre_ms)
                case ux.RaiseAlarm(code):
                    self.alarms.add(code)
                case ux.ClearAlarm(code):
                    self.alarms.discard(code)

    def _send(self, after_seq: int) -> ux.Effects:
        pending = self.outbox.pending(after_seq, BATCH_RECORDS_MAX)
        if pending is None:
            return []
        opener = sha256(pending.opener).digest() if pending.at_centre else pending.opener
        self.full_openers += not pending.at_centre
        batch = (pending.epoch_id, opener, pending.link_before, pending.rows)
        self.up.append(build_batch(DEVICE, TERMINAL, *batch))
        self.sent += 1
        return self.uplink.sent(pending.rows[-1].seq, self.now_ms)

    # ---- time and network

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        self.perform(self.uplink.tick(self.now_ms))

    def deliver_up(self, index: int = 0, keep: bool = False) -> None:
        """One batch reaches the centre; its answer is under way then."""
        raw = self.up[index] if keep else self.up.pop(index)
        answer = self.centre.take(raw, self.now_ms)
        if answer is not None:
            self.down.append(answer)

    def deliver_down(self, index: int = 0, keep: bool = False) -> None:
        """One answer reaches the terminal."""
        raw = self.down[index] if keep else self.down.pop(index)
        answer = open_answer(raw, CENTRE.public, TERMINAL)
        if isinstance(answer, Receipt):
            self.receipted = max(self.receipted, answer.through_seq)
            own = self.outbox.link_at(answer.through_seq)
            self.perform(self.uplink.receipt(answer, own, self.now_ms), raw)
        elif isinstance(answer, Rewind):
            own = LINK_ZERO if answer.seq == 0 else self.outbox.link_at(answer.seq)
            self.perform(self.uplink.rewind(answer, own, self.now_ms))
        else:
            self.perform(self.uplink.hold(answer, self.now_ms))

    def restore_centre(self, which: int) -> None:
        """The centre goes on from an older copy, as a new generation."""
        old = self.backups[which % len(self.backups)].copy()
        old.generation = self.centre.generation + 1
        self.centre = old

    # ---- judgement

    def violations(self) -> list[str]:
        """What must hold at any time."""
        wrong = []
        for name, settled in (
            ("core", self.uplink.settled_seq),
            ("outbox", self.outbox.settled_seq),
        ):
            if settled > self.receipted:
                wrong.append(f"{name} settled {settled}, receipts were heard to {self.receipted}")
        return wrong

    def calm(self, rounds: int = 60) -> list[str]:
        """The network works from now on: all is settled, soon and with few messages."""
        if self.uplink.state == ux.OFFLINE:
            self.connect()
        head = self.outbox.head().seq
        sent = self.sent
        for _ in range(rounds):
            while self.up or self.down:
                if self.up:
                    self.deliver_up()
                if self.down:
                    self.deliver_down()
            if self.centre.mark == self.outbox.settled_seq == head and self.probed():
                break
            due_ms = self.uplink.deadline_ms()
            self.wait(max(1, due_ms - self.now_ms) if due_ms is not None else 1)
        wrong = self.violations()
        if self.centre.mark != head:
            wrong.append(f"the centre has {self.centre.mark} of {head} records")
        if self.outbox.settled_seq != head or self.uplink.settled_seq != head:
            wrong.append(f"{self.outbox.settled_seq} of {head} records are settled")
        if self.sent - sent > 100 + head // 10:
            wrong.append(f"{self.sent - sent} batches for {head} records on a good network")
        return wrong

    def probed(self) -> bool:
        return self.uplink.state == ux.IDLE
