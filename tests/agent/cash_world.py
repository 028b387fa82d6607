"""A cash desk, its disk and its board in one deterministic world, with every fault between them.

The disk is the production schema in SQLite and the production effects; the board follows the rules
of the link: it takes a note only when told to, tells each end until it is acknowledged, gives back
what is in escrow when its session closes. What is physically so is kept apart from what anybody
says, and at the end both are compared.
"""

from collections import Counter, deque
from dataclasses import dataclass

import apsw

from edge_agent.cash_entries import entry_of
from edge_agent.core import cash_events as cx
from edge_agent.core.cash import LOST_MS, CashDesk
from edge_agent.outbox import OutboxFailedError, cash
from edge_agent.outbox.jobs import apply
from protocol.records import Body, CashNote, CashPayment
from protocol.records.kinds import NOTE_CASE, NOTE_RETURNED, NOTE_STACKED
from protocol.wire import states
from tongban.database import migrate

ALL_NOTES = 0x3F
_OUTCOMES = {"stacked": NOTE_STACKED, "returned": NOTE_RETURNED, "jammed": NOTE_CASE}
_TOLD = {
    "escrow": states.NOTE_ESCROW,
    "stacked": states.NOTE_STACKED,
    "returned": states.NOTE_RETURNED,
    "jammed": states.NOTE_CASE,
}


class Disk:
    """Records and rows of one terminal. `records` of the branch that is in force."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        migrate(self.connection, "edge_agent")
        self.records: list[Body] = []
        self.intents: dict[bytes, int] = {}
        self._image = (self.connection.serialize("main"), [], {})

    def commit(self, store: cx.Store) -> int:
        """The first seq of the records; raises OutboxFailedError."""
        if store.intent in self.intents:
            return self.intents[store.intent]
        entry = entry_of(store)
        with self.connection:
            for effect in entry.effects:
                apply(effect, self.connection)
        first = len(self.records) + 1
        self.records += entry.bodies
        if entry.bodies:
            self.intents[store.intent] = first
        return first if entry.bodies else 0

    def keep_image(self) -> None:
        image = self.connection.serialize("main")
        self._image = (image, list(self.records), dict(self.intents))

    def restore(self) -> None:
        image, records, intents = self._image
        self.connection.deserialize("main", image)
        self.records, self.intents = list(records), dict(intents)

    def cash_note(self, note: int) -> cx.SavedNote | None:
        return cash.read_note(self.connection, note)

    def cash_payment_of(self, session: int) -> bytes | None:
        return cash.read_payment_of(self.connection, session)


@dataclass
class Note:
    """A note as it really is: `where` escrow, stacked, returned or jammed."""

    yuan: int
    session: int
    where: str = "escrow"
    acked: bool = False


class Board:
    """What the acceptor's board does and says."""

    def __init__(self) -> None:
        self.notes: dict[int, Note] = {}
        self.session = 0
        self.mask = 0
        self.out: deque[tuple[str, tuple[int, ...]]] = deque()

    def insert(self, yuan: int) -> None:
        bit = 1 << states.NOTE_YUAN.index(yuan)
        if not self.session or any(note.where == "escrow" for note in self.notes.values()):
            return
        if not self.mask & bit:
            self.out.append(("rejected", (self.session,)))
            return
        number = (0x5EED << 32) + len(self.notes) + 1
        self.notes[number] = Note(yuan, self.session)
        self.tell(number)

    def tell(self, number: int) -> None:
        note = self.notes[number]
        self.out.append(("note", (number, note.session, note.yuan * 100, _TOLD[note.where], 0, 0)))

    def hear(self, effect: cx.Effect) -> None:
        match effect:
            case cx.Accept(session, mask) if mask:
                self.session, self.mask = session, mask
                self.out.append(("state", (session, states.CASH_OPEN)))
            case cx.Accept(session):
                if session == self.session:
                    self.close()
                self.out.append(("state", (session, states.CASH_CLOSED)))
            case cx.Stack(number):
                self.move(number, "stacked")
            case cx.Return(number):
                self.move(number, "returned")
            case cx.Ack(number) if number in self.notes:
                self.notes[number].acked = True

    def move(self, number: int, where: str) -> None:
        note = self.notes.get(number)
        if note is None:
            return
        if note.where == "escrow":
            note.where = where
        self.tell(number)

    def close(self) -> None:
        self.session = 0
        for number, note in self.notes.items():
            if note.where == "escrow":
                self.move(number, "returned")

    def link_up(self) -> None:
        self.out.clear()
        for number, note in self.notes.items():
            if not note.acked:
                self.tell(number)


class World:
    """`do(step)` one of STEPS; `settle()` lets everything come to rest; `violations()`."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.disk = Disk()
        self.board = Board()
        self.wrong: list[str] = []
        self.branches: list[list[Body]] = []
        self.payments = 0
        self.open: bytes | None = None
        self.to_disk: deque[cx.Store] = deque()
        self.to_board: deque[cx.Effect] = deque()
        self.ends: list[cx.Ended] = []
        self.helped: list[bytes] = []
        self.up = False
        self._accepting: cx.Accept | None = None
        self.restart()

    def restart(self) -> None:
        """The agent starts; the person's visit is gone."""
        self.to_disk.clear()
        self.to_board.clear()
        self.open, self._accepting = None, None
        saved = cash.read_saved(self.disk.connection)
        self.desk = CashDesk(saved, self.disk, "B", self.now_ms)
        self.perform(self.desk.begun(self.now_ms))
        self.up = False
        self.link_up()

    def link_down(self) -> None:
        if self.up:
            self.up = False
            self.to_board.clear()
            self.perform(self.desk.link(self.now_ms, up=False))

    def link_up(self) -> None:
        if not self.up:
            self.up = True
            self.board.link_up()
            self.perform(self.desk.link(self.now_ms, up=True))
            if self._accepting is not None:
                self.to_board.append(self._accepting)

    def begin(self, due_fen: int = 3_000, notes: int = ALL_NOTES) -> bytes:
        self.payments += 1
        self.open = self.payments.to_bytes(8)
        order = cx.Order(self.open, 1000 + self.payments, "fee", 1, due_fen, notes)
        self.perform(self.desk.begin(order, self.now_ms))
        return order.payment

    def perform(self, effects: cx.Effects) -> None:
        for effect in effects:
            match effect:
                case cx.Progress():
                    if effect.paid_fen > self._durable_fen(effect.payment):
                        self.wrong.append(f"told before it was durable: {effect}")
                case cx.Ended():
                    self._ended(effect)
                case cx.CallHelp():
                    self.helped.append(effect.payment)
                case cx.Ack():
                    if not any(getattr(b, "note", 0) == effect.note for b in self.disk.records):
                        self.wrong.append(f"acknowledged before it was durable: {effect}")
                    self.to_board.append(effect)
                case cx.Accept():
                    self._accepting = effect if effect.notes else None
                    self.to_board.append(effect)
                case cx.Stack() | cx.Return():
                    self.to_board.append(effect)
                case _:
                    self.to_disk.append(effect)

    def _ended(self, end: cx.Ended) -> None:
        self.ends.append(end)
        if end.outcome == cx.PAID:
            kept = [b.kept_fen for b in self._payments() if b.payment == end.payment]
            if kept != [end.amounts.due_fen]:
                self.wrong.append(f"told paid, and the records keep {kept}")
        if end.payment == self.open:
            self.open = None

    def _durable_fen(self, payment: bytes) -> int:
        return sum(
            body.fen
            for body in self.disk.records
            if isinstance(body, CashNote)
            and (body.payment, body.outcome) == (payment, NOTE_STACKED)
        )

    def _payments(self) -> list[CashPayment]:
        return [body for body in self.disk.records if isinstance(body, CashPayment)]

    # ---- steps

    def do(self, step: str) -> None:
        match step:
            case "begin" if self.open is None:
                self.begin()
            case "ten" | "twenty" | "fifty":
                self.board.insert({"ten": 10, "twenty": 20, "fifty": 50}[step])
            case "stop" | "late" if self.open is not None:
                why = cx.STOPPED if step == "stop" else cx.TIME_LIMIT
                self.perform(self.desk.stop(self.open, why, self.now_ms))
            case "leave" if self.open is not None:
                payment, self.open = self.open, None
                self.perform(self.desk.leave(payment, self.now_ms))
            case "hear":
                self.to_agent()
            case "obey" if self.up and self.to_board:
                self.board.hear(self.to_board.popleft())
            case "disk" | "disk fails" | "disk unsure" if self.to_disk:
                self.one_commit(step)
            case "all goes on":
                self.go_on()
            case "wait":
                self.wait(1_500)
            case "wait long":
                self.wait(40_000)
            case "jam":
                self._jam()
            case "cut":
                self.link_down()
            case "link":
                self.link_up()
            case "board reboots":
                self.board.close()
                self.link_down()
            case "agent restarts":
                self.restart()
            case "cassette":
                self.cassette_out()
            case "image":
                self.disk.keep_image()
            case "restore":
                self.branches.append(self.disk.records)
                self.disk.restore()
                self.restart()

    def cassette_out(self) -> None:
        self.perform(self.desk.acceptor(self.now_ms, works=False, cassette_out=True))
        self.perform(self.desk.acceptor(self.now_ms, works=True, cassette_out=False))

    def _jam(self) -> None:
        for number, note in self.board.notes.items():
            if note.where == "escrow":
                self.board.move(number, "jammed")

    def to_agent(self) -> None:
        if not self.up or not self.board.out:
            return
        what, fields = self.board.out.popleft()
        if what == "note":
            self.perform(self.desk.note(cx.NoteTold(*fields), self.now_ms))
        elif what == "state":
            self.perform(self.desk.cash_state(*fields, self.now_ms))
        else:
            self.perform(self.desk.rejected(*fields))

    def one_commit(self, how: str = "disk") -> None:
        store = self.to_disk.popleft()
        seq, ok = 0, how != "disk fails"
        if ok:
            try:
                seq = self.disk.commit(store)
            except OutboxFailedError as error:
                self.wrong.append(f"the database refuses: {error}")
                ok = False
        ok = ok and how == "disk"
        self.perform(self.desk.stored(store.intent, self.now_ms, ok=ok, seq=seq))

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        for _ in range(20):
            if self.desk.wait_ms(self.now_ms) != 0:
                return
            self.perform(self.desk.tick(self.now_ms))
        self.wrong.append("a timer that is never through")

    def go_on(self) -> None:
        """Nothing is in the way of anything."""
        for _ in range(400):
            if not (self.to_disk or (self.up and (self.to_board or self.board.out))):
                return
            self.do("obey")
            self.do("hear")
            self.do("disk")
        self.wrong.append("the desk and its board never come to rest")

    def settle(self) -> None:
        """Link and disk are well and time goes by: all comes to rest."""
        for _ in range(4):
            self.link_down()
            self.link_up()
            self.go_on()
            if self.open is not None:
                self.do("late")
            self.wait(LOST_MS + 1)

    # ---- what must hold

    def violations(self) -> list[str]:
        """Of a world at rest."""
        wrong = list(self.wrong)
        notes = [body for body in self.disk.records if isinstance(body, CashNote)]
        wrong += [
            f"note recorded {count} times: {number}"
            for number, count in Counter(body.note for body in notes).items()
            if count > 1
        ]
        recorded = {b.note: b.outcome for rows in (*self.branches, notes) for b in rows
                    if isinstance(b, CashNote)}  # fmt: skip
        for number, note in self.board.notes.items():
            if note.where == "escrow":
                wrong.append(f"a note is held for ever: {number}")
            elif recorded.get(number) not in (_OUTCOMES[note.where], NOTE_CASE):
                wrong.append(f"{number} is {note.where}, recorded as {recorded.get(number)}")
            elif not note.acked:
                wrong.append(f"the board is never let go of {number}")
        return wrong + self._balance(notes)

    def _balance(self, notes: list[CashNote]) -> list[str]:
        wrong = []
        stacked: Counter[bytes] = Counter()
        for body in notes:
            if body.outcome == NOTE_STACKED:
                stacked[body.payment] += body.fen
        paid = {body.payment: body for body in self._payments()}
        if len(paid) != len(self._payments()):
            wrong.append("a payment ended twice")
        for payment, fen in stacked.items():
            if payment == cx.NO_PAYMENT:
                continue
            body = paid.get(payment)
            if body is None or body.paid_fen != fen:
                wrong.append(f"payment {payment.hex()}: {fen} in the cassette, {body}")
        for body in paid.values():
            owed = body.paid_fen - body.kept_fen
            if (
                body.kept_fen not in (0, body.due_fen)
                or owed < 0
                or bool(body.voucher) != (owed > 0)
            ):
                wrong.append(f"what is kept and owed does not make up {body}")
        vouchers = [body.voucher for body in paid.values() if body.voucher]
        if len(set(vouchers)) != len(vouchers):
            wrong.append(f"a voucher twice: {vouchers}")
        if (
            not self.branches
            and self.disk.connection.execute(
                "SELECT count(*) FROM cash_payment WHERE state = 1"
            ).get
        ):
            wrong.append("a payment is open for ever")
        return wrong


STEPS = (
    *("begin", "begin", "ten", "twenty", "fifty", "twenty", "all goes on", "all goes on"),
    *("all goes on", "all goes on", "hear", "obey", "disk", "hear", "obey", "disk", "stop", "late"),
    *(
        "leave",
        "jam",
        "wait",
        "link",
        "link",
        "link",
        "link",
        "disk fails",
        "disk unsure",
        "wait long",
        "cut",
    ),
    *("board reboots", "agent restarts", "cassette"),
)
"""Frequent ones are named more often."""
RESTORING = (*STEPS, "image", "restore")


def played(steps: list[str]) -> list[str]:
    """Violations of a world in which these steps happened."""
    world = World()
    for step in steps:
        world.do(step)
    world.settle()
    return world.violations()
