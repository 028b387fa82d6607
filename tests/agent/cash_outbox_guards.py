"""Payments on a disk that loses power: what was acknowledged is recorded, once."""

import shutil
from collections import Counter
from pathlib import Path

import apsw

from edge_agent.cash_entries import entry_of
from edge_agent.core import cash_events as cx
from edge_agent.outbox import Appended, Draft, Outbox, OutboxError
from protocol.envelope import EpochReader
from protocol.records import KINDS, Body, CashNote, CashPayment, Common, decode, encode
from protocol.records.kinds import NOTE_STACKED
from tests.agent import power_cut_vfs as disk
from tests.agent.outbox_guards import CENTRE, CHECKPOINT_PAGES, DEVICE, open_outbox
from tongban.database import DatabaseError

PAYMENTS = 3
NOTES_EACH = 2
WAIT_S = 10.0
_VERSIONS = {info.body: info.version for info in KINDS.values()}


def order(number: int) -> cx.Order:
    """A payment of 15 yuan."""
    return cx.Order(number.to_bytes(8), number, "fee", 1, 1_500, 0x3F)


def append(outbox: Outbox, store: cx.Store) -> Appended:
    """As the agent does it; durable when it returns."""
    entry = entry_of(store)
    drafts = [_draft(body, entry.correlation) for body in entry.bodies]
    return outbox.append(store.intent, drafts, entry.effects).result(WAIT_S)


def _draft(body: Body, correlation: bytes) -> Draft:
    common = Common(_VERSIONS[type(body)], 1_764_000_000_000, 2, 5, bytes(8), correlation)
    return Draft(*encode(common, body))


def stores(number: int) -> list[cx.Store]:
    """What one payment of two notes stores, in order."""
    paying = order(number)
    found: list[cx.Store] = [cx.OpenPayment(paying)]
    for place in range(NOTES_EACH):
        note = (number << 32) + place
        found.append(cx.WantNote(note, paying.payment, number, 1_000))
        found.append(cx.EndNote(note, paying.payment, number, 1_000, cx.STACKED))
    found.append(cx.EndPayment(paying, 2_000, 1_500, f"VB-{number:03}", number, NOTES_EACH))
    return found


def records_in(path: Path) -> list[Body]:
    """What the centre will read in this outbox."""
    connection = apsw.Connection(str(path))
    found = []
    try:
        for number, opener in connection.execute("SELECT number, opener FROM epoch"):
            reader = EpochReader.open(opener, CENTRE, DEVICE.verify_key)
            sql = "SELECT seq, kind, coding, ciphertext FROM record WHERE epoch = ? ORDER BY seq"
            for seq, kind, coding, data in connection.execute(sql, (number,)):
                found.append(decode(kind, coding, reader.unseal(seq, kind, coding, data))[1])
    finally:
        connection.close(True)
    return found


def power_cut_violations(folder: Path, each: int = 1) -> list[str]:
    """A cut at every operation while people pay; afterwards all of it is done again, as the board
    says again what was not acknowledged."""
    history = disk.History()
    run = folder / "run"
    run.mkdir()
    with disk.PowerCutVfs(history) as vfs:
        outbox = open_outbox(run / "outbox.db", vfs=vfs.name)
        outbox._writer._connection.wal_autocheckpoint(CHECKPOINT_PAGES)  # type: ignore[union-attr]
        history.note("opened")
        for number in range(1, PAYMENTS + 1):
            for store in stores(number):
                append(outbox, store)
                history.note(store)  # from here on it is told and acknowledged
        outbox.close()
    wrong: list[str] = []
    for fate in (disk.nothing, disk.everything, disk.some(1)):
        wrong += wrong or _cuts(folder, history.ops, fate, each)
    return wrong


def _cuts(folder: Path, ops: list[disk.Op], fate: disk.Fate, each: int) -> list[str]:
    durable = disk.DurableDisk(fate)
    told: list[cx.Store] = []
    opened = False
    for place, op in enumerate(ops):
        durable.follow(op)
        if op.kind == disk.NOTE:
            opened = opened or op.data == "opened"
            told += [op.data] if op.data != "opened" else []
        if not opened or place % each:
            continue
        left = durable.new_files(len(told))
        if left is not None:
            image = folder / "image"
            disk.write_image(left, image)
            wrong = [f"cut after op {place}: {v}" for v in _after_cut(image / "outbox.db", told)]
            shutil.rmtree(image)
            if wrong:
                return wrong
    return []


def _after_cut(path: Path, told: list[cx.Store]) -> list[str]:
    with disk.PowerCutVfs(disk.History()) as vfs:  # it does not sync, which is quicker
        try:
            outbox = open_outbox(path, vfs=vfs.name)
        except DatabaseError as error:
            return [f"the outbox does not open after the cut: {error}"]
        try:
            wrong = [
                f"acknowledged but not there: {store}"
                for store in told
                if isinstance(store, cx.EndNote)
                and getattr(outbox.cash_note(store.note), "state", 0) != store.state
            ]
            for number in range(1, PAYMENTS + 1):
                for store in stores(number):
                    append(outbox, store)
        except OutboxError as error:
            return [f"the outbox does not work after the cut: {error}"]
        finally:
            outbox.close()
    return wrong + _counted(records_in(path))


def _counted(records: list[Body]) -> list[str]:
    notes = Counter(body.note for body in records if isinstance(body, CashNote))
    stacked = sum(
        body.fen for body in records if isinstance(body, CashNote) and body.outcome == NOTE_STACKED
    )
    paid = [body for body in records if isinstance(body, CashPayment)]
    wrong = [f"note {note} recorded {count} times" for note, count in notes.items() if count != 1]
    if stacked != PAYMENTS * NOTES_EACH * 1_000 or stacked != sum(body.paid_fen for body in paid):
        wrong.append(f"{stacked} fen stacked, {paid} paid")
    if len({body.voucher for body in paid}) != PAYMENTS:
        wrong.append("a voucher is missing or came twice")
    return wrong
