"""A terminal that ships and a centre that ships, joined by a bad line in the test's own hands.

Real: outbox, uplink core, batches, intake, receipts. Ours: the line (loses, repeats, reorders), the
clock, and the disk that is put back to an earlier day.
"""

import os
import shutil
from hashlib import sha256
from pathlib import Path

from edge_agent.core import uplink as ux
from edge_agent.outbox import Draft, Outbox
from protocol.envelope import LINK_ZERO
from protocol.receipts import ExceptionCode
from protocol.records import Common, TimeQuality, encode
from sync_server.core.intake import Intake
from sync_server.intake_worker import sign_answer
from sync_server.people import PersonVault
from sync_server.store_memory import MemoryStore
from tests.agent.outbox_guards import CENTRE, DEVICE, TERMINAL
from tests.agent.uplink_site import Site
from tests.server.making import UNIT, Centre, enrol, passage

NOW_MS = 1_785_643_200_000


class RealCentre(Centre):
    """The intake that ships over its store, answering with signed bytes."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), CENTRE)
        enrol(self.store, TERMINAL, DEVICE.verify_key, UNIT)
        self.vault = PersonVault(b"r" * 32, b"s" * 32, os.urandom)
        self.intake = Intake(CENTRE, self.vault, self.store.generation)

    def links(self, branch: int = 0) -> dict[int, bytes]:
        """seq -> link of what is stored on a branch."""
        return {row.seq: row.link for row in self.records() if row.branch == branch}

    @property
    def mark(self) -> int:
        return max(self.links(), default=0)


class Pair(Site):
    """`Site` with the real centre; its outbox lies in real files, so that they can be put back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(folder)
        self.real = RealCentre()
        self.people = 0
        self.exceptions: set[int] = set()

    def start(self) -> None:
        self.outbox = Outbox.open(
            self.path,
            terminal=TERMINAL,
            centre_public=CENTRE.public,
            device_key=DEVICE,
            entropy=os.urandom,
            clock=lambda: NOW_MS + self.now_ms,
        )
        self.uplink = ux.Uplink(
            self.outbox.settled_seq, self.outbox.generation, lambda: 0.5, self.outbox.head().seq
        )

    def append(self, count: int) -> None:
        drafts = []
        for _ in range(count):
            self.people += 1
            common = Common(1, NOW_MS, TimeQuality.SYNCED, 1, bytes(8), bytes(8))
            drafts.append(Draft(*encode(common, passage(self.people)), visit=True))
        intent = sha256(b"pair %d" % self.people).digest()[:16]
        self.outbox.append(intent, drafts).result()
        self.perform(self.uplink.appended(self.outbox.head().seq, self.now_ms))

    def deliver_up(self, index: int = 0, keep: bool = False) -> None:
        raw = self.up[index] if keep else self.up.pop(index)
        self.real.now_ms = NOW_MS + self.now_ms
        answer = self.real.take(raw, TERMINAL).answer
        if answer is not None:
            self.exceptions |= {code for _, code in getattr(answer, "exceptions", ())}
            self.down.append(sign_answer(CENTRE, answer))

    def restart_centre(self) -> None:
        """A new process over the same store; what it had not sent is gone."""
        self.down.clear()
        self.real.restart()

    def keep_disk(self) -> Path:
        """A copy of the terminal's disk as it is now."""
        self.outbox.close()
        copy = self.folder / f"disk-{self.people}"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.folder.glob("outbox.db*"):
            shutil.copy(path, copy)
        self.start()
        return copy

    def put_back(self, copy: Path) -> None:
        """The terminal starts from that copy."""
        self.outbox.close()
        for path in self.folder.glob("outbox.db*"):
            path.unlink()
        for path in copy.iterdir():
            shutil.copy(path, self.folder)
        self.up.clear()
        self.down.clear()
        self.start()
        self.connect()

    def settle_all(self, rounds: int = 80) -> list[str]:
        """The line works from now on; what is wrong at the end."""
        if self.uplink.state == ux.OFFLINE:
            self.connect()
        head = self.outbox.head().seq
        for _ in range(rounds):
            while self.up or self.down:
                if self.up:
                    self.deliver_up()
                if self.down:
                    self.deliver_down()
            if self.outbox.settled_seq == head and self.uplink.state == ux.IDLE:
                break
            due_ms = self.uplink.deadline_ms()
            self.wait(max(1, due_ms - self.now_ms) if due_ms is not None else 1)
        settled = self.outbox.settled_seq
        return self.pair_violations() + (
            [] if settled == head else [f"{settled} of {head} settled; {self.uplink.state}"]
        )

    def pair_violations(self) -> list[str]:
        """Promises 1, 2: settled is stored with the same link; the main branch has no hole."""
        wrong = []
        main = sorted(self.real.links())
        if main != list(range(1, len(main) + 1)):
            wrong.append(f"the main branch has holes: {main}")
        stored = {(row.seq, row.link) for row in self.real.records()}
        keys = [(row.branch, row.seq) for row in self.real.records()]
        if len(keys) != len(set(keys)):
            wrong.append("a record is stored twice")
        for seq in range(1, self.outbox.settled_seq + 1):
            if (seq, self.outbox.link_at(seq) or LINK_ZERO) not in stored:
                wrong.append(f"record {seq} is settled and not stored")
        return wrong

    @property
    def was_branch_held(self) -> bool:
        return int(ExceptionCode.BRANCH_HELD) in self.exceptions
