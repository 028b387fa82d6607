"""What the writer does inside its transaction."""

from dataclasses import dataclass
from functools import singledispatch

import apsw

from edge_agent.outbox.sealer import Sealer
from edge_agent.outbox.types import (
    Appended,
    Draft,
    DropFlow,
    LocalEffect,
    RaiseFloor,
    SaveFlow,
    SetPassage,
)
from protocol.receipts import Receipt

_FIND_INTENT = "SELECT first_seq, last_seq FROM intent WHERE intent = ?"
_NOTE_INTENT = "INSERT INTO intent VALUES (?, ?, ?)"
_SETTLE = (
    "INSERT INTO settled VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET "
    "through_seq = max(through_seq, excluded.through_seq), generation = excluded.generation, "
    "secured_seq = excluded.secured_seq, settled_ms = excluded.settled_ms, "
    "receipt = excluded.receipt"
)


@dataclass(frozen=True)
class AppendJob:
    """Seal the drafts, apply the effects; an intent that is in already is only answered."""

    intent: bytes
    drafts: tuple[Draft, ...]
    effects: tuple[LocalEffect, ...]

    def run(self, connection: apsw.Connection, sealer: Sealer) -> Appended:
        """Inside the writer's transaction."""
        known = connection.execute(_FIND_INTENT, (self.intent,)).fetchone()
        if known is not None:
            return Appended(known[0], known[1], True)
        first, last = sealer.seal(connection, self.drafts)
        if self.drafts:
            connection.execute(_NOTE_INTENT, (self.intent, first, last))
        for effect in self.effects:
            apply(effect, connection)
        return Appended(first, last, False)


@dataclass(frozen=True)
class SettleJob:
    """Keep a verified receipt; never moves settlement back."""

    receipt: Receipt
    raw: bytes
    now_ms: int

    def run(self, connection: apsw.Connection, _sealer: Sealer) -> int:
        """Inside the writer's transaction; returns the settled seq."""
        receipt = self.receipt
        head = (receipt.through_seq, receipt.generation, receipt.secured_seq)
        connection.execute(_SETTLE, (*head, self.now_ms, self.raw))
        connection.executemany("INSERT OR REPLACE INTO exception VALUES (?, ?)", receipt.exceptions)
        connection.execute(
            "UPDATE epoch SET at_centre = 1 WHERE epoch_id = ? AND at_centre = 0",
            (receipt.epoch_id,),
        )
        return receipt.through_seq


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
    connection.execute("DELETE FROM passage WHERE day < ?", (effect.day,))
    connection.execute("DELETE FROM day_salt WHERE day < ?", (effect.day,))


@apply.register
def _(effect: RaiseFloor, connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT INTO number VALUES ('floor_ms', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        (effect.ms,),
    )
