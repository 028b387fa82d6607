"""The terminal's durable queue of sealed records, and what is committed together with them."""

from edge_agent.outbox.cash import (
    CashCassetteTaken,
    CashDropped,
    CashNoteEnded,
    CashOpened,
    CashPaid,
    CashWanted,
)
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.types import (
    Appended,
    Draft,
    DropFlow,
    Head,
    KeepNumber,
    LocalEffect,
    OutboxError,
    OutboxFailedError,
    OutboxFullError,
    PendingRows,
    RaiseFloor,
    SaveFlow,
    SetPassage,
    TakeTicket,
    TicketDay,
)

__all__ = [
    "Appended",
    "CashCassetteTaken",
    "CashDropped",
    "CashNoteEnded",
    "CashOpened",
    "CashPaid",
    "CashWanted",
    "Draft",
    "DropFlow",
    "Head",
    "KeepNumber",
    "LocalEffect",
    "Outbox",
    "OutboxError",
    "OutboxFailedError",
    "OutboxFullError",
    "PendingRows",
    "RaiseFloor",
    "SaveFlow",
    "SetPassage",
    "TakeTicket",
    "TicketDay",
]
