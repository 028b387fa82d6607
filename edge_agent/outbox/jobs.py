"""What the writer does inside its transaction."""

from dataclasses import dataclass
from functools import singledispatch
from typing import NamedTuple

import apsw

from edge_agent.outbox.sealer import Sealer
from edge_agent.outbox.types import (
    Appended,
    Draft,
    DropFlow,
    KeepNumber,
    LocalEffect,
    OutboxFailedError,
    RaiseFloor,
    SaveFlow,
    SetPassage,
    TakeTicket,
)
from protocol.receipts import Receipt

_SETTLE = (
    "UPDATE settled SET through_seq = max(through_seq, ?), generation = max(generation, ?), "
    "secured_seq = max(secured_seq, ?)"
)
_OFFER_AGAIN = (
    "UPDATE settled SET through_seq = min(through_seq, ?), generation = max(generation, ?)"
)
# Epochs that hold records after a seq: those begun after it, and the one begun last before it.
_FORGET_OPENERS = (
    "UPDATE epoch SET at_centre = 0 WHERE at_centre = 1 AND number >= coalesce("
    "(SELECT max(number) FROM epoch WHERE first_seq <= ?), 0)"
)
_COUNT_TICKET = (
    "INSERT INTO ticket_counter (day, last) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET "
    "last = excluded.last WHERE excluded.last > last AND closed = 0 RETURNING last"
)
_FORGET_DAYS = (
    "DELETE FROM passage WHERE day < ?",
    "DELETE FROM ticket WHERE day < ?",
    "DELETE FROM day_salt WHERE day < ?",
    "UPDATE ticket_counter SET closed = 1 WHERE day < ? AND closed = 0",
)


class AppendJob(NamedTuple):
    """Seal the drafts, apply the effects; an intent that is in already is only answered."""

    intent: bytes
    drafts: tuple[Draft, ...]
    effects: tuple[LocalEffect, ...]

    def run(self, connection: apsw.Connection, sealer: Sealer) -> Appended:
        """Inside the writer's transaction."""
        known = sealer.intents.find(connection, self.intent)
        if known is not None:
            return Appended(*known, True)
        first, last = sealer.seal(connection, self.intent, self.drafts)
        for effect in self.effects:
            apply(effect, connection)
        return Appended(first, last, False)


@dataclass(frozen=True)
class SettleJob:
    """Keep a verified receipt; settlement only goes up, and the epoch's opener is at the centre."""

    receipt: Receipt
    raw: bytes
    now_ms: int

    def run(self, connection: apsw.Connection, _sealer: Sealer) -> int:
        """Inside the writer's transaction; returns the settled seq."""
        receipt = self.receipt
        connection.execute(_SETTLE, (receipt.through_seq, receipt.generation, receipt.secured_seq))
        connection.execute(
            "INSERT OR IGNORE INTO receipt VALUES (?, ?, ?, ?)",
            (receipt.generation, receipt.through_seq, self.now_ms, self.raw),
        )
        connection.executemany("INSERT OR REPLACE INTO exception VALUES (?, ?)", receipt.exceptions)
        connection.execute(
            "UPDATE epoch SET at_centre = 1 WHERE epoch_id = ? AND at_centre = 0",
            (receipt.epoch_id,),
        )
        return receipt.through_seq


@dataclass(frozen=True)
class OfferAgainJob:
    """The centre said, signed, that it has nothing after `after_seq`, or not these openers."""

    after_seq: int
    generation: int
    lost_records: bool

    def run(self, connection: apsw.Connection, _sealer: Sealer) -> None:
        """Inside the writer's transaction."""
        if self.lost_records:
            connection.execute(_OFFER_AGAIN, (self.after_seq, self.generation))
        connection.execute(_FORGET_OPENERS, (self.after_seq + 1,))


@dataclass(frozen=True)
class SqlJob:
    """One statement with a value to give back (None when it yields no row)."""

    sql: str
    values: "tuple[apsw.SQLiteValue, ...]"

    def run(self, connection: apsw.Connection, _sealer: Sealer) -> object:
        """Inside the writer's transaction."""
        row = connection.execute(self.sql, self.values).fetchone()
        return row[0] if row else None


@singledispatch
def apply(effect: LocalEffect, connection: apsw.Connection) -> None:  # noqa: ARG001
    """Apply a local effect in the same commit as the records."""
    raise TypeError(f"no such local effect: {effect!r}")


@apply.register
def _(effect: SaveFlow, connection: apsw.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO flow VALUES (?, ?)", (effect.flow, effect.state))


@apply.register
def _(effect: DropFlow, connection: apsw.Connection) -> None:
    connection.execute("DELETE FROM flow WHERE flow = ?", (effect.flow,))


@apply.register
def _(effect: SetPassage, connection: apsw.Connection) -> None:
    row = (effect.day, effect.who, effect.direction)
    connection.execute("INSERT OR REPLACE INTO passage VALUES (?, ?, ?)", row)
    _forget_days(effect.day, connection)


@apply.register
def _(effect: TakeTicket, connection: apsw.Connection) -> None:
    counted = connection.execute(_COUNT_TICKET, (effect.day, effect.number)).fetchone()
    if counted is None:
        raise OutboxFailedError(
            f"number {effect.number} of {effect.day} is taken, or that day's index is deleted. "
            "Nothing was changed; the person is sent to the service desk"
        )
    row = (effect.day, effect.who, effect.matter, effect.number)
    connection.execute("INSERT INTO ticket VALUES (?, ?, ?, ?)", row)
    _forget_days(effect.day, connection)


def _forget_days(before: str, connection: apsw.Connection) -> None:
    """Delete what stands for a person of earlier days: index and salt."""
    for sql in _FORGET_DAYS:
        connection.execute(sql, (before,))


@apply.register
def _(effect: RaiseFloor, connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT INTO number VALUES ('floor_ms', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        (effect.ms,),
    )


@apply.register
def _(effect: KeepNumber, connection: apsw.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO number VALUES (?, ?)", (effect.name, effect.value))
