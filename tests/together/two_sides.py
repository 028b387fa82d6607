"""The uplink over its real outbox against the intake that ships, and a bad network between them.

The network loses, repeats and reorders. Both programs start again at any moment; the terminal's
disk may be put back to an earlier copy of itself, and goes on from there.
"""

import shutil
from hashlib import sha256
from pathlib import Path

import apsw

from edge_agent.core import uplink as ux
from edge_agent.outbox import Outbox
from protocol import topics
from protocol.batch import build_batch
from protocol.envelope import LINK_ZERO
from protocol.receipts import Receipt, open_answer
from sync_server.core.chains import MAIN
from sync_server.core.codes import IntakeCode
from sync_server.core.store_port import Chain, RecordRow
from sync_server.intake_worker import IntakeWorker, Message
from sync_server.store_memory import MemoryStore
from tests.agent.outbox_tools import (
    DEVICE,
    KEYS,
    TERMINAL,
    Clock,
    intent_of,
    open_outbox,
    passage,
)
from tests.agent.power_cut_vfs import History, PowerCutVfs
from tests.server.making import Centre

BATCH_RECORDS = 4
"""So that few records make many batches."""
CALM_ROUNDS_MAX = 80
EXPECTED = (
    *(IntakeCode.ACCEPTED, IntakeCode.DUPLICATE, IntakeCode.BRANCH_ACCEPTED),
    *(IntakeCode.GAP_REWOUND, IntakeCode.GAP_NOT_ANSWERED, IntakeCode.HOLD_OPENER_MISSING),
)
"""What an honest terminal's batches may become."""


class TwoSides:
    """One terminal and its centre. `up` and `down` hold what is under way."""

    def __init__(self, folder: Path) -> None:
        self.vfs = PowerCutVfs(History())  # it does not sync, which is quicker
        self.disk = folder / "disk"
        self.disk.mkdir(parents=True)
        self.copies: list[Path] = []
        self.restores = 0
        self.clock = Clock()
        self.centre = Centre(MemoryStore(), KEYS)
        self.centre.store.enrol(TERMINAL, "dongguan/nancheng/hall-1", DEVICE.verify_key)
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.people = 0
        self.line_takes = True
        self.alarms: set[str] = set()
        self.main_seen: list[bytes] = []
        self.start_server()
        self.start_terminal()

    # ---- lives

    def start_terminal(self) -> None:
        self.outbox: Outbox = open_outbox(self.disk / "outbox.db", self.clock, self.vfs.name)
        self.uplink = ux.Uplink(
            self.outbox.settled_seq, self.outbox.generation, lambda: 0.5, self.outbox.head().seq
        )

    def restart_terminal(self) -> None:
        self.disconnect()
        self.outbox.close()
        self.alarms.clear()
        self.start_terminal()
        self.connect()

    def copy_disk(self) -> None:
        """As a virtual machine's snapshot does it: no commit is under way."""
        copy = self.disk.with_name(f"copy-{len(self.copies)}")
        shutil.copytree(self.disk, copy)
        self.copies.append(copy)

    def restore_disk(self, which: int) -> None:
        self.restores += 1
        self.uplink.disconnected()  # what is under way in the network still arrives
        self.outbox.close()
        self.alarms.clear()
        shutil.rmtree(self.disk)
        shutil.copytree(self.copies[which % len(self.copies)], self.disk)
        self.start_terminal()
        self.connect()

    def start_server(self) -> None:
        self.centre.restart()
        self.worker = IntakeWorker(
            self.centre.store, self.centre.intake, KEYS, self._publish, self.clock
        )

    def restart_server(self) -> None:
        self.write_counts()
        self.start_server()

    def write_counts(self) -> None:
        """What the server counted, into its store."""
        self.clock.ms += 1_000
        self.worker.handle([])

    def close(self) -> None:
        self.outbox.close()
        self.vfs.unregister()

    # ---- the terminal

    def append(self, count: int) -> None:
        first = self.people
        self.people += count
        drafts = [passage(index) for index in range(first, self.people)]
        self.outbox.append(intent_of(first), drafts).result()
        self._perform(self.uplink.appended(self.outbox.head().seq, self.clock.ms))

    def connect(self) -> None:
        self._perform(self.uplink.connected(self.outbox.head().seq, self.clock.ms))

    def disconnect(self) -> None:
        self.up.clear()
        self.down.clear()
        self.uplink.disconnected()

    def wait(self, ms: int) -> None:
        self.clock.ms += ms
        self._perform(self.uplink.tick(self.clock.ms))

    def _perform(self, effects: ux.Effects, raw: bytes = b"") -> None:
        waiting = list(effects)
        while waiting:
            match waiting.pop(0):
                case ux.Send(after_seq):
                    waiting += self._send(after_seq)
                case ux.Settle(receipt):
                    self.outbox.settle(receipt, raw, self.clock.ms).result()
                case ux.OfferAgain(after_seq, generation):
                    self.outbox.offer_again(after_seq, generation, lost_records=True).result()
                case ux.OpenerWanted(after_seq):
                    self.outbox.offer_again(after_seq, 0, lost_records=False).result()
                case ux.RaiseAlarm(code):
                    self.alarms.add(code)
                case ux.ClearAlarm(code):
                    self.alarms.discard(code)

    def _send(self, after_seq: int) -> ux.Effects:
        pending = self.outbox.pending(after_seq, BATCH_RECORDS)
        if pending is None or not self.line_takes:
            return []
        opener = sha256(pending.opener).digest() if pending.at_centre else pending.opener
        batch = (pending.epoch_id, opener, pending.link_before, pending.rows)
        self.up.append(build_batch(DEVICE, TERMINAL, *batch))
        return self.uplink.sent(pending.rows[-1].seq, self.clock.ms)

    # ---- the network

    def deliver_up(self, index: int = 0, count: int = 1, *, keep: bool = False) -> None:
        """Up to `count` batches reach the centre as one group; answers are under way then."""
        found = self.up[index : index + count]
        if not keep:
            del self.up[index : index + count]
        self.worker.handle([Message(topics.up_batch(TERMINAL), raw, len(raw)) for raw in found])

    def _publish(self, topic: str, payload: bytes) -> bool:
        assert topic == topics.down_receipt(TERMINAL)
        self.down.append(payload)
        return True

    def deliver_down(self, index: int = 0, *, keep: bool = False) -> None:
        """One answer reaches the terminal; nobody hears it when the terminal is offline."""
        raw = self.down[index] if keep else self.down.pop(index)
        answer = open_answer(raw, KEYS.public, TERMINAL)
        now_ms = self.clock.ms
        if isinstance(answer, Receipt):
            own = self.outbox.link_at(answer.through_seq)
            self._perform(self.uplink.receipt(answer, own, now_ms), raw)
        elif hasattr(answer, "reason"):
            self._perform(self.uplink.hold(answer, now_ms))
        else:
            own = LINK_ZERO if answer.seq == 0 else self.outbox.link_at(answer.seq)
            self._perform(self.uplink.rewind(answer, own, now_ms))

    def calm(self) -> list[str]:
        """The network works from now on; violations when not all is settled in the end."""
        self.line_takes = True
        if self.uplink.state == ux.OFFLINE:
            self.connect()
        for _ in range(CALM_ROUNDS_MAX):
            while self.up or self.down:
                if self.up:
                    self.deliver_up()
                if self.down:
                    self.deliver_down()
            if self.uplink.state == ux.IDLE and self.outbox.settled_seq == self.outbox.head().seq:
                return self.violations() + self.final_violations()
            due_ms = self.uplink.deadline_ms()
            self.wait(max(1, due_ms - self.clock.ms) if due_ms is not None else 1)
        head = self.outbox.head().seq
        return [f"{self.outbox.settled_seq} of {head} records settled, {self.uplink.state}"]

    # ---- what is where

    def main(self) -> list[RecordRow]:
        """The centre's main branch."""
        return [row for row in self.centre.records() if row.branch == MAIN]

    def branches(self) -> list[Chain]:
        with self.centre.store.transaction() as tx:
            return [chain for chain in tx.chains(1) if chain.branch != MAIN]

    def stored_as(self, link: bytes) -> RecordRow | None:
        return next((row for row in self.centre.records() if row.link == link), None)

    def own_records(self) -> list[tuple[int, bytes, bytes]]:
        """(seq, link, ciphertext) on the terminal's disk."""
        return self._read("SELECT seq, link, ciphertext FROM record ORDER BY seq")

    def exceptions(self) -> dict[int, int]:
        """Seq -> ExceptionCode, as the terminal's disk has them."""
        return dict(self._read("SELECT seq, code FROM exception"))

    def _read(self, sql: str) -> list:
        connection = apsw.Connection(str(self.disk / "outbox.db"), vfs=self.vfs.name)
        try:
            return list(connection.execute(sql))
        finally:
            connection.close()

    # ---- judgement

    def violations(self) -> list[str]:
        """What must hold at any time."""
        wrong = []
        main = self.main()
        if [row.seq for row in main] != list(range(1, len(main) + 1)):
            wrong.append(f"main has holes: {[row.seq for row in main]}")
        links = [row.link for row in main]
        if links[: len(self.main_seen)] != self.main_seen:
            wrong.append("what stood on main was changed")
        self.main_seen = links
        settled = self.outbox.settled_seq
        if settled != self.uplink.settled_seq:
            wrong.append(f"disk settled {settled}, core {self.uplink.settled_seq}")
        if settled:
            own = self.outbox.link_at(settled)
            row = self.stored_as(own) if own is not None else None
            if row is None or row.seq != settled:
                wrong.append(f"settled through {settled}, which the centre has not")
        return wrong

    def final_violations(self) -> list[str]:
        """What must hold when all is calm: the same histories, each record once, branches held."""
        wrong = []
        records = self.centre.records()
        by_link = {row.link: row for row in records}
        if len(by_link) != len(records):
            wrong.append("a record is stored twice")
        if len({row.correlation for row in records}) != len(records):
            wrong.append("one passage is in two records")
        known = self.exceptions()
        for seq, link, ciphertext in self.own_records():
            row = by_link.get(link)
            if row is None or (row.seq, row.ciphertext) != (seq, ciphertext):
                wrong.append(f"record {seq} of the terminal is not at the centre")
            elif known.get(seq, row.exception) != row.exception:
                wrong.append(f"record {seq}: terminal {known[seq]}, centre {row.exception}")
        wrong += self._branch_violations()
        self.write_counts()
        wrong += [
            f"{count} messages became {IntakeCode(code).name}"
            for (_, code), (count, _) in self.centre.store.tables.counts.items()
            if code not in EXPECTED
        ]
        return wrong

    def _branch_violations(self) -> list[str]:
        wrong = []
        held = {(visit.branch, visit.seq): visit.held for visit in self.centre.visits()}
        for row in self.centre.records():
            away = row.branch != MAIN
            if bool(row.exception) != away or bool(held[row.branch, row.seq]) != away:
                wrong.append(f"record {row.seq} of branch {row.branch}: held {not away}")
        branches = self.branches()
        for chain in branches:
            if not any(f"branch {chain.branch} left" in text for text in self.centre.alarms()):
                wrong.append(f"no alarm for branch {chain.branch}")
        if len(self.centre.alarms()) != len(branches):
            wrong.append(f"{len(self.centre.alarms())} alarms for {len(branches)} branches")
        return wrong
