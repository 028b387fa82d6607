"""The terminal's durable queue of sealed records, and what is committed together with them."""

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
