"""The registry of record kinds. Append only.

A number is never reused; a body only ever gains optional fields at its end, and then its
`version` in KINDS goes up. Readers ignore fields they do not know, so an older centre still takes
the facts of a newer terminal. tests/protocol/golden_records.json holds bytes of every version;
they decode for ever. Every text and number is bounded here, so a decoded record is a valid one.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from protocol.fields import TICKET_NUMBER_PATTERN

U8 = Annotated[int, Meta(ge=0, le=0xFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
U63 = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=500)]
Bytes8 = Annotated[bytes, Meta(min_length=8, max_length=8)]
I64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
FIELDS_MAX = 64
DOCUMENTS = ("C", "J", "I")

TicketNumber = Annotated[str, Meta(pattern=f"^{TICKET_NUMBER_PATTERN}$")]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]

DIRECTION_ENTRY, DIRECTION_EXIT = 1, 2
GROUND_AGE, GROUND_OFFICER = 1, 2
ANSWERED_AT_DESK, ANSWERED_ON_PAGE = 1, 2
OUTCOME_PRINTED, OUTCOME_NOT_PRINTED, OUTCOME_UNKNOWN = 1, 2, 3
NOTE_STACKED, NOTE_RETURNED, NOTE_CASE = 1, 2, 3


class TimeQuality(IntEnum):
    """How far `at_ms` can be trusted."""

    UNKNOWN = 0
    FLOOR = 1  # not before; the highest time the terminal ever saw
    SYNCED = 2


class Common(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What every record says: schema version, terminal time and its quality, and its origin.

    `at_ms`: Unix ms as the terminal had it. `mono_ms`: ms since the agent's boot `boot` (8 random
    bytes). `correlation`: 8 bytes shared by everything one card or event caused.
    """

    version: Annotated[int, Meta(ge=1, le=255)]
    at_ms: U63
    time_quality: Annotated[int, Meta(ge=0, le=2)]
    mono_ms: U63
    boot: Bytes8
    correlation: Bytes8


class Person(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who: `document` C citizen card, J residence permit, I foreign permanent resident card.
    Raises ValueError for another document."""

    document: Annotated[str, Meta(min_length=1, max_length=1)]
    number: Annotated[str, Meta(min_length=5, max_length=24)]
    name: Annotated[str, Meta(max_length=60)]

    def __post_init__(self) -> None:
        if self.document not in DOCUMENTS:  # as a pattern it would be half of all decoding
            raise ValueError(f"the document of a person is one of {', '.join(DOCUMENTS)}")

    def __repr__(self) -> str:
        return f"Person({self.document})"  # numbers and names stay out of logs and tracebacks


class GatePassage(msgspec.Struct, frozen=True, array_like=True):
    """A person went through the gate. `status`: code of the status list, 0 when not on it;
    `list_version` 0: no list was in force."""

    service: Name
    definition: U32
    direction: Annotated[int, Meta(ge=1, le=2)]
    person: Person
    status: U8 = 0
    list_version: U32 = 0


class ServiceFact(msgspec.Struct, frozen=True, array_like=True):
    """A fact of any service; its fields are defined by the service definition, not by code."""

    service: Name
    definition: U32
    fields: Annotated[dict[Name, Text | I64], Meta(max_length=FIELDS_MAX)]
    person: Person | None = None
    visit: bool = False


class PrintOutcome(msgspec.Struct, frozen=True, array_like=True):
    """Whether paper came out. `effect`: effect id of the print. `of`: seq of the record printed."""

    effect: Annotated[int, Meta(ge=0)]
    outcome: Annotated[int, Meta(ge=1, le=3)]
    of: U63


class HelpCall(msgspec.Struct, frozen=True, array_like=True):
    """The help button. `event`: the board's event number. `age_ms`: ms on the board until now."""

    event: U32
    age_ms: U32


class TerminalStarted(msgspec.Struct, frozen=True, array_like=True):
    """The agent started. `reason`: what its boot was, in one word."""

    agent_version: Name
    reason: Name


class DeviceState(msgspec.Struct, frozen=True, array_like=True):
    """A device changed state; numbers as in protocol/wire/states.py."""

    device: U8
    state: U8
    detail: U8 = 0


class TicketIssued(msgspec.Struct, frozen=True, array_like=True):
    """A walk-in number in the green channel. `number`: the terminal's letter and counter, B-017;
    `day`: the business date it is for. `ground`: why the person is eligible, age or an officer's
    word; then `officer` is whose."""

    service: Name
    definition: U32
    matter: Name
    number: TicketNumber
    day: Day
    ground: Annotated[int, Meta(ge=1, le=2)]
    person: Person
    officer: Person | None = None


class HelpAnswered(msgspec.Struct, frozen=True, array_like=True):
    """An officer answered a call for help. `event`: that of the help.call. `wait_ms`: from press
    to answer, 0xFFFFFFFF when the board restarted between. `by`: the contact at the officers'
    desk, or the officer's page."""

    event: U32
    wait_ms: U32
    by: Annotated[int, Meta(ge=1, le=2)]


class CashNote(msgspec.Struct, frozen=True, array_like=True):
    """What became of one bank note, once a note for ever. `note`: the board's number of it.
    `payment`: whose payment it was for, zeros when there was none. `fen`: its value. `outcome`:
    in the cassette (money), given back, or a case: then `place` and `reason` say where an officer
    looks and why; numbers as in protocol/wire/states.py."""

    note: U63
    payment: Bytes8
    fen: U32
    outcome: Annotated[int, Meta(ge=1, le=3)]
    place: U8 = 0
    reason: U8 = 0


class CashPayment(msgspec.Struct, frozen=True, array_like=True):
    """A payment ended. `paid_fen`: its notes in the cassette; `kept_fen`: what pays the matter, 0
    or `due_fen`; the rest is owed to the person under `voucher`, "" when nothing is owed."""

    service: Name
    definition: U32
    payment: Bytes8
    due_fen: U32
    paid_fen: U32
    kept_fen: U32
    voucher: Annotated[str, Meta(max_length=24)] = ""
    person: Person | None = None


class CashCassette(msgspec.Struct, frozen=True, array_like=True):
    """The cassette was taken out. `notes` and `fen`: what the terminal counted into it."""

    notes: U32
    fen: U32


Body = (
    GatePassage
    | ServiceFact
    | PrintOutcome
    | HelpCall
    | TerminalStarted
    | DeviceState
    | TicketIssued
    | HelpAnswered
    | CashNote
    | CashPayment
    | CashCassette
)


class KindInfo(NamedTuple):
    """A kind: dotted name, latest schema version, body, and whether a record of it is a visit."""

    name: str
    version: int
    body: type[Body]
    visit: bool


KINDS: dict[int, KindInfo] = {
    1: KindInfo("gate.passage", 1, GatePassage, visit=True),
    2: KindInfo("service.fact", 1, ServiceFact, visit=False),  # its `visit` field says so
    3: KindInfo("print.outcome", 1, PrintOutcome, visit=False),
    4: KindInfo("help.call", 1, HelpCall, visit=False),
    5: KindInfo("terminal.started", 1, TerminalStarted, visit=False),
    6: KindInfo("device.state", 1, DeviceState, visit=False),
    7: KindInfo("ticket.issued", 1, TicketIssued, visit=True),
    8: KindInfo("help.answered", 1, HelpAnswered, visit=False),
    9: KindInfo("cash.note", 1, CashNote, visit=False),
    10: KindInfo("cash.payment", 1, CashPayment, visit=True),
    11: KindInfo("cash.cassette", 1, CashCassette, visit=False),
}
