"""What goes into the outbox and what comes out of it."""

from dataclasses import dataclass
from typing import NamedTuple

from protocol.envelope import Sealed

INTENT_BYTES = 16
RECORDS_AN_APPEND_MAX = 64


class OutboxError(Exception):
    """The outbox did not do it. Nothing may be told to the citizen."""


class OutboxFullError(OutboxError):
    """Too much is waiting for the disk."""


class OutboxFailedError(OutboxError):
    """The commit failed or is uncertain; the same intent again is harmless."""


class Draft(NamedTuple):
    """A record to be sealed: kind, coding and encoded bytes as `protocol.records.encode` gives."""

    kind: int
    coding: int
    plaintext: bytes
    visit: bool = False


class LocalEffect:
    """What is committed together with records."""


@dataclass(frozen=True)
class SaveFlow(LocalEffect):
    """Keep the state of a visit under way."""

    flow: bytes
    state: bytes


@dataclass(frozen=True)
class DropFlow(LocalEffect):
    """The visit is over."""

    flow: bytes


@dataclass(frozen=True)
class SetPassage(LocalEffect):
    """Note which way a person (scrypt digest) went today (ISO date); earlier days are forgotten."""

    day: str
    who: bytes
    direction: str


@dataclass(frozen=True)
class TakeTicket(LocalEffect):
    """Note that a person (scrypt digest) has this number for a matter on a day (ISO date).

    Fails the commit when the person has one, the number is not new that day, or the day is closed.
    """

    day: str
    who: bytes
    matter: str
    number: int


@dataclass(frozen=True)
class RaiseFloor(LocalEffect):
    """No time before this (Unix ms) can be right any more."""

    ms: int


@dataclass(frozen=True)
class KeepNumber(LocalEffect):
    """A number by its name, instead of the one before."""

    name: str
    value: int


class Appended(NamedTuple):
    """The seqs of an append; `repeated`: it had been committed before. Both 0: no records."""

    first_seq: int
    last_seq: int
    repeated: bool


class TicketDay(NamedTuple):
    """What the day's index says: the person's number (0: none), the last one of the day, and
    whether the index of that day is deleted."""

    own: int
    last: int
    closed: bool


class Head(NamedTuple):
    """The end of the chain: last seq (0: none) and its link."""

    seq: int
    link: bytes


class PendingRows(NamedTuple):
    """Consecutive records of one epoch after a seq, ready for a batch."""

    epoch_id: bytes
    opener: bytes
    at_centre: bool
    link_before: bytes
    rows: list[Sealed]
