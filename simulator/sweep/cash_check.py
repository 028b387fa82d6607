"""What must be true when a story of the cash sweep has come to rest, whatever lost power when.

The truth is where the notes physically are. The board has told every note that it ever wrote, the
terminal has exactly these with one end each, the centre has what the terminal has, and its books
balance: inserted = stacked + given back + in open cases.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import apsw

from edge_agent.core import cash_events as cx
from edge_agent.outbox import Outbox
from protocol.batch import build_batch
from simulator.devices import bank_notes
from simulator.sweep.cash_agent import DEVICE, KEYS, NOON_MS, TERMINAL, open_outbox
from simulator.sweep.cash_world import CashWorld
from sync_server.core import ledger
from sync_server.core.intake import Intake
from sync_server.people import PersonVault
from sync_server.store_memory import MemoryStore

UNIT = "dongguan/nancheng/hall-1"
BATCH_RECORDS = 50
_FEN = 100
_NOTES = "SELECT note, payment, fen, state FROM cash_note ORDER BY note"
_PAYMENTS = "SELECT payment, state, due_fen, kept_fen, voucher, voucher_fen FROM cash_payment"


class Terminal:
    """What the terminal's database holds of cash."""

    def __init__(self, world: CashWorld) -> None:
        connection = apsw.Connection(str(world.agent.path))
        self.notes = list(connection.execute(_NOTES))
        self.payments = list(connection.execute(_PAYMENTS))
        connection.close()

    def yuan(self, state: int) -> Counter[int]:
        """How many notes of each value ended so."""
        return Counter(fen // _FEN for _, _, fen, own in self.notes if own == state)

    def fen(self, state: int) -> int:
        """What they are worth."""
        return sum(fen for _, _, fen, own in self.notes if own == state)


def outcome(world: CashWorld) -> str:
    """The story in a word."""
    terminal = Terminal(world)
    kept = any(row[3] for row in terminal.payments)
    owed = any(row[4] for row in terminal.payments)
    if terminal.yuan(cx.CASE):
        return "case"
    if kept:
        return "paid_and_voucher" if owed else "paid"
    if owed:
        return "voucher"
    return "returned" if terminal.notes or world.acceptor.book.notes else "nothing"


def violations(world: CashWorld, *, at_rest: bool) -> list[str]:
    """What is wrong, in words."""
    if not at_rest:
        return ["it never came to rest"]
    terminal = Terminal(world)
    wrong = [*_of_machine(world, terminal), *_of_board(world, terminal)]
    wrong += _of_payments(terminal)
    outbox = open_outbox(world.agent.path)
    try:
        store = _centre(outbox)
    finally:
        outbox.close()
    return wrong + list(_of_centre(store, terminal))


def _of_machine(world: CashWorld, terminal: Terminal) -> Iterator[str]:
    book = world.acceptor.book
    in_box = Counter(n.yuan for n in book.at(bank_notes.CASSETTE, bank_notes.COLLECTED))
    in_hand = Counter(n.yuan for n in book.at(bank_notes.HAND))
    stacked, cases = terminal.yuan(cx.STACKED), terminal.yuan(cx.CASE)
    returned = terminal.yuan(cx.RETURNED)
    for yuan in {n.yuan for n in book.notes} | set(stacked) | set(cases) | set(returned):
        if stacked[yuan] > in_box[yuan]:
            yield f"{yuan} yuan credited that are not in the cassette"
        if in_box[yuan] > stacked[yuan] + cases[yuan]:
            yield f"{yuan} yuan in the cassette are lost"
        if returned[yuan] > in_hand[yuan]:
            yield f"{yuan} yuan said to be given back are not"
        kept = book.at(*bank_notes.MACHINE, bank_notes.OFFICER)
        inside = sum(n.yuan == yuan and n.recognised for n in kept)
        if inside > stacked[yuan] + cases[yuan]:
            yield f"{yuan} yuan kept by the machine are nowhere in the books"
    unknown = sum(not note.recognised for note in book.at(bank_notes.OFFICER))
    if unknown > cases[0] and not world.cuts:  # cut in that instant, the jam itself calls somebody
        yield f"{unknown} notes were taken out by an officer, {cases[0]} are cases"


def _of_board(world: CashWorld, terminal: Terminal) -> Iterator[str]:
    journal: Any = world.board.journal
    written = journal._counter
    numbers = [note & 0xFFFFFFFF for note, *_ in terminal.notes]
    if numbers != list(range(1, written + 1)):
        yield f"the board wrote {written} notes, the terminal has {numbers}"


def _of_payments(terminal: Terminal) -> Iterator[str]:
    for note, _, _, state in terminal.notes:
        if state == cx.WANTED:
            yield f"note {note} has no end"
    for payment, state, due_fen, kept_fen, voucher, voucher_fen in terminal.payments:
        paid = sum(n[2] for n in terminal.notes if n[1] == payment and n[3] == cx.STACKED)
        if state != 2:
            yield "the payment has no end"
        if kept_fen not in (0, due_fen) or paid != kept_fen + voucher_fen:
            yield f"paid {paid}, kept {kept_fen} of {due_fen}, voucher {voucher_fen}"
        if bool(voucher) != bool(voucher_fen):
            yield "a voucher of nothing, or money without a voucher"


def _centre(outbox: Outbox) -> MemoryStore:
    """A centre that got every batch, and the first one twice."""
    store = MemoryStore()
    store.enrol(TERMINAL, UNIT, DEVICE.verify_key)
    intake = Intake(KEYS, PersonVault(b"r" * 32, b"s" * 32, bytes), store.generation)
    seq = 0
    batches: list[bytes] = []
    while (rows := outbox.pending(seq, BATCH_RECORDS)) is not None:
        seq = rows.rows[-1].seq
        epoch = (rows.epoch_id, rows.opener, rows.link_before, rows.rows)
        batches.append(build_batch(DEVICE, TERMINAL, *epoch))
    for raw in batches[:1] + batches:
        with store.transaction() as tx:
            intake.take(tx, TERMINAL, raw, NOON_MS)
        intake.committed()
    return store


def _of_centre(store: MemoryStore, terminal: Terminal) -> Iterator[str]:
    cash = store.tables
    here = {(note, payment, fen, state - 1) for note, payment, fen, state in terminal.notes}
    there = {(r.note, r.payment, r.fen, r.outcome) for r in cash.cash_note.values()}
    if here != there:
        yield f"notes of the terminal {sorted(here)} are not those of the centre {sorted(there)}"
    balances = {name: fen for name, fen in cash.balances.items() if fen}
    if sum(balances.values()):
        yield f"the books do not balance: {balances}"
    boxes = (ledger.account(ledger.CASSETTE, TERMINAL), ledger.account(ledger.COLLECTED, TERMINAL))
    if sum(balances.get(name, 0) for name in boxes) != terminal.fen(cx.STACKED):
        yield f"cassette in the books: {balances}, at the terminal {terminal.fen(cx.STACKED)}"
    if balances.get(ledger.account(ledger.DOUBT, TERMINAL), 0) != terminal.fen(cx.CASE):
        yield f"in doubt in the books: {balances}, at the terminal {terminal.fen(cx.CASE)}"
    reasons = {row.reason for row in cash.case.values()}
    if odd := reasons - {ledger.IN_DOUBT, ledger.UNCLAIMED, ledger.LATE}:
        yield f"cases at the centre that nothing here explains: {sorted(odd)}"
    if any(name.startswith("payment:") for name in balances):
        yield f"a payment is open in the books: {balances}"
