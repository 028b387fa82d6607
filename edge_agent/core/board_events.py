"""What the board session tells the terminal. Numbers as in protocol.wire.states."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LinkUp:
    """The board is there. `info`: what it said of itself."""

    version: int
    info: Mapping[str, str]


@dataclass(frozen=True)
class LinkDown:
    """The board is gone, for this reason."""

    reason: str


@dataclass(frozen=True)
class Card:
    """A card was read. `block`: its text block, 256 bytes."""

    read_no: int
    block: bytes


@dataclass(frozen=True)
class CardAddress:
    """The newest added address of the card that was read. `outcome`: an ADDRESS_ of states;
    `data`: UTF-16LE, when it is ADDRESS_ADDED."""

    read_no: int
    outcome: int
    data: bytes


@dataclass(frozen=True)
class CardFound:
    """A card lies on the reader; reading it takes up to two seconds more."""

    read_no: int


@dataclass(frozen=True)
class CardFault:
    """No card was read."""

    read_no: int
    reason: int


@dataclass(frozen=True)
class CardRemoved:
    """The card of this read has left the reader."""

    read_no: int


@dataclass(frozen=True)
class Scanned:
    """A code was scanned. `code`: its bytes, 1 to SCAN_BYTES_MAX."""

    scan_no: int
    code: bytes


@dataclass(frozen=True)
class ScanFault:
    """No code was scanned."""

    scan_no: int
    reason: int


@dataclass(frozen=True)
class SpeechEnded:
    """The utterance is over; `heard`: to its end."""

    say_id: int
    heard: bool


@dataclass(frozen=True)
class EffectResult:
    """What became of an effect."""

    effect_id: int
    outcome: int
    detail: int


@dataclass(frozen=True)
class Happened:
    """An event that the board keeps until it is acknowledged. `age_ms`: ago, on the board."""

    event_no: int
    kind: int
    age_ms: int
    tail: bytes


@dataclass(frozen=True)
class Device:
    """A device's state, now."""

    device: int
    state: int
    detail: int


@dataclass(frozen=True)
class CashState:
    """Whether the acceptor takes notes for a session."""

    session: int
    state: int


@dataclass(frozen=True)
class CashNote:
    """A bank note, at each change and until its end is acknowledged."""

    note: int
    session: int
    yuan: int
    state: int
    place: int
    reason: int


@dataclass(frozen=True)
class CashRejected:
    """What was put in was not taken."""

    session: int
    reason: int


@dataclass(frozen=True)
class UpdateState:
    """What the board does with a release; `offset` is what it wants next of the stream."""

    release: int
    state: int
    reason: int
    offset: int


@dataclass(frozen=True)
class UpdateSlot:
    """Which slot runs, with what in it, and which release failed last (0 none), for what reason."""

    slot: int
    state: int
    version: int
    release: int
    failed: int
    reason: int


@dataclass(frozen=True)
class Counted:
    """What a device has done since its board started, in the order of `states.COUNTER_NAMES`."""

    device: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class BoardTrouble:
    """The board said something that its protocol version does not allow."""

    text: str


BoardEvent = (
    LinkUp
    | LinkDown
    | Card
    | CardAddress
    | CardFound
    | CardFault
    | CardRemoved
    | Scanned
    | ScanFault
    | SpeechEnded
    | EffectResult
    | Happened
    | Device
    | Counted
    | CashState
    | CashNote
    | CashRejected
    | UpdateState
    | UpdateSlot
    | BoardTrouble
)
