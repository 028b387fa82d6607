"""An outbox of real gate passages, with known keys, and what its uplink and its centre do to it."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import apsw

from edge_agent.outbox import Appended, Draft, LocalEffect, Outbox, OutboxError
from protocol.envelope import LINK_ZERO, EpochReader, make_header, next_link
from protocol.keys import CentreKeys, DeviceKey
from protocol.people import check_character
from protocol.receipts import Receipt, sign_receipt
from protocol.records import Common, GatePassage, Person, TimeQuality, encode

TERMINAL = "gate-1"
NOON_MS = 1_785_643_200_000  # 2026-08-02 12:00 in Shanghai
KEYS = CentreKeys(bytes(range(32)), bytes(range(32, 64)))
OTHER_KEYS = CentreKeys(bytes(range(1, 33)), bytes(range(33, 65)))
DEVICE = DeviceKey(bytes(range(64, 96)))
NAME = "样例甲"
WAIT_S = 10.0


@dataclass
class Clock:
    """Unix ms, moved by the test."""

    ms: int = NOON_MS

    def __call__(self) -> int:
        return self.ms


def number_of(index: int) -> str:
    """A test identity, born in 1900."""
    digits = f"44190019000101{index % 1000:03}"
    return digits + check_character(digits)


def passage(index: int) -> Draft:
    """The record of person `index` at the gate."""
    common = Common(1, NOON_MS + index, TimeQuality.SYNCED, index, bytes(8), index.to_bytes(8))
    body = GatePassage("gate", 1, 1, Person("C", number_of(index), NAME), 0, 7)
    return Draft(*encode(common, body), True)


def intent_of(index: int) -> bytes:
    return sha256(b"intent %d" % index).digest()[:16]


def open_outbox(path: Path, clock: Clock | None = None, vfs: str | None = None) -> Outbox:
    return Outbox.open(
        path,
        terminal=TERMINAL,
        centre_public=KEYS.public,
        device_key=DEVICE,
        entropy=os.urandom,
        clock=clock or Clock(),
        vfs=vfs,
    )


@contextmanager
def outbox_at(path: Path, clock: Clock | None = None, vfs: str | None = None) -> Iterator[Outbox]:
    """An open outbox, closed at the end."""
    outbox = open_outbox(path, clock, vfs)
    try:
        yield outbox
    finally:
        outbox.close()


def put(outbox: Outbox, *indexes: int, effects: Sequence[LocalEffect] = ()) -> Appended:
    """One append of these people's passages, durable when it returns; raises OutboxError."""
    future = outbox.append(intent_of(indexes[0]), [passage(i) for i in indexes], effects)
    return future.result(WAIT_S)


def receipt_for(
    outbox: Outbox, through: int, *, generation: int = 1, secured: int = 0
) -> tuple[Receipt, bytes]:
    """What the centre would sign once it has everything through a seq."""
    rows = outbox.pending(through - 1, 1)
    assert rows is not None
    receipt = Receipt(
        TERMINAL, generation, rows.epoch_id, through, rows.rows[0].link, secured, NOON_MS
    )
    return receipt, sign_receipt(KEYS, receipt)


def settle(outbox: Outbox, through: int, **more: int) -> int:
    return outbox.settle(*receipt_for(outbox, through, **more), NOON_MS).result(WAIT_S)


class _Hold:
    """A job that keeps the writer busy until it is released."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()

    def run(self, _connection: apsw.Connection, _sealer: object) -> None:
        self.reached.set()
        self.go.wait(WAIT_S)


@contextmanager
def writer_held(outbox: Outbox) -> Iterator[None]:
    """While inside, everything that is appended waits; then it is one group."""
    hold = _Hold()
    outbox._writer.submit(hold)
    outbox._writer.wake()
    assert hold.reached.wait(WAIT_S)
    try:
        yield
    finally:
        hold.go.set()


def plaintexts(path: Path) -> list[bytes]:
    """What the centre reads in an outbox, in order of seq, once the chain has proved right."""
    connection = apsw.Connection(str(path))
    openers = dict(connection.execute("SELECT number, opener FROM epoch"))
    sql = "SELECT epoch, link, seq, kind, coding, ciphertext FROM record ORDER BY seq"
    records = list(connection.execute(sql))
    connection.close()
    readers = {n: EpochReader.open(raw, KEYS, DEVICE.verify_key) for n, raw in openers.items()}
    link, found = LINK_ZERO, []
    for place, (number, own, seq, kind, coding, ciphertext) in enumerate(records, 1):
        header = make_header(TERMINAL, readers[number].opener.epoch_id, seq, kind, coding)
        link = next_link(link, header, ciphertext)
        assert (seq, own) == (place, link)
        found.append(readers[number].unseal(seq, kind, coding, ciphertext))
    return found


def ended(future: "Future[Appended]") -> Appended | OutboxError:
    """How an append ended."""
    error = future.exception(WAIT_S)
    if error is None:
        return future.result()
    assert isinstance(error, OutboxError), error
    return error
