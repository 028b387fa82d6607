"""What goes into the flow engine (events) and what comes out of it (effects). Plain data.

Times are milliseconds on the engine's own clock; effect ids are 64-bit; intents are 16 bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.core.cash_events import Ended, Order, Progress
from edge_agent.core.screen import Choice
from protocol.people import CardHolder
from protocol.records.kinds import Body

FactValue = str | int
Fields = Mapping[str, FactValue]


# ---- events


@dataclass(frozen=True)
class CardRead:
    """A card was read and understood. `address`: the printed one."""

    holder: CardHolder
    address: str = ""


@dataclass(frozen=True)
class AddressRead:
    """What the card says of its newest address: None, that the printed one is; "" when nobody can
    tell."""

    address: str | None


@dataclass(frozen=True)
class CardNotRead:
    """No card was read: `reason` is an outcome of read_card other than `card`."""

    reason: str


@dataclass(frozen=True)
class CodeScanned:
    """A code was scanned; its text."""

    text: str


@dataclass(frozen=True)
class CodeNotScanned:
    """No code was scanned: `reason` is an outcome of scan other than `scanned`."""

    reason: str


@dataclass(frozen=True)
class KeyPressed:
    """A person pressed a key (screen.KEYS) of the page that shows this visit."""

    key: str


@dataclass(frozen=True)
class CheckDone:
    """A check ended. `outcome` is one that flow_steps lists for this check."""

    check: str
    outcome: str
    facts: Mapping[str, FactValue] = field(default_factory=dict)


@dataclass(frozen=True)
class SpeechDone:
    """The utterance `say_no` ended; `heard` is False when the voice module failed."""

    say_no: int
    heard: bool = True


@dataclass(frozen=True)
class EffectDone:
    """The board's word on an effect: `outcome` as in protocol.wire.states."""

    effect_id: int
    outcome: int
    detail: int = 0


@dataclass(frozen=True)
class Appended:
    """The append is durable. `first_seq` is the number of its first record."""

    intent: bytes
    first_seq: int


@dataclass(frozen=True)
class AppendFailed:
    """The append is not durable, or nobody knows. Nothing may be told."""

    intent: bytes


@dataclass(frozen=True)
class DeviceChanged:
    """A device (number in protocol.wire.states) began or ceased to work."""

    device: int
    works: bool


@dataclass(frozen=True)
class CashMoved:
    """The payment goes on: as cash_events.Progress."""

    progress: Progress


@dataclass(frozen=True)
class CashEnded:
    """The payment is over: as cash_events.Ended."""

    end: Ended


@dataclass(frozen=True)
class TimeIsUp:
    """The time armed last is over."""


Event = (
    CardRead
    | AddressRead
    | CardNotRead
    | CodeScanned
    | CodeNotScanned
    | KeyPressed
    | CheckDone
    | SpeechDone
    | EffectDone
    | Appended
    | AppendFailed
    | DeviceChanged
    | CashMoved
    | CashEnded
    | TimeIsUp
)


# ---- effects


@dataclass(frozen=True)
class StartRead:
    """Wait for a card until one comes or StopRead; then for AddressRead, if wanted."""

    address: bool = False


@dataclass(frozen=True)
class StopRead:
    """No card is waited for any more."""


@dataclass(frozen=True)
class StartScan:
    """Wait for a code until one comes or StopScan."""


@dataclass(frozen=True)
class StopScan:
    """No code is waited for any more."""


@dataclass(frozen=True)
class RunCheck:
    """Run a check; answer with CheckDone. The last five belong to their checks."""

    check: str
    holder: CardHolder | None
    option: str = ""
    age_ms_max: int = 0
    years: int = 0
    matter: str = ""
    voucher: str = ""


@dataclass(frozen=True)
class Say:
    """Speak a text, and then what each key means; answer with SpeechDone."""

    say_no: int
    text: str
    fields: Mapping[str, FactValue]
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Hush:
    """Nobody wants to hear the rest of what is spoken."""


@dataclass(frozen=True)
class Print:
    """Print a slip once; answer with EffectDone."""

    effect_id: int
    slip: str
    fields: Mapping[str, FactValue]


@dataclass(frozen=True)
class Pulse:
    """Open the gate once; answer with EffectDone."""

    effect_id: int
    duration_ms: int


@dataclass(frozen=True)
class QueryEffect:
    """Ask the board what became of an effect of an earlier life; answer with EffectDone."""

    effect_id: int


@dataclass(frozen=True)
class Abandon:
    """Nobody waits for this effect any more: never send it (again)."""

    effect_id: int


@dataclass(frozen=True)
class Pay:
    """Take cash; answer with CashMoved, and CashEnded once."""

    order: Order


@dataclass(frozen=True)
class StopPay:
    """Take no more cash, for this reason of cash_events; CashEnded comes."""

    payment: bytes
    why: str


@dataclass(frozen=True)
class LeavePay:
    """The visit waits for this payment no longer."""

    payment: bytes


@dataclass(frozen=True)
class PassageNote:
    """Which way the person went, for the day's index of who is inside."""

    direction: str


@dataclass(frozen=True)
class TicketNote:
    """A number is taken: for the day's index of who holds which."""

    day: str
    matter: str
    ticket: str


@dataclass(frozen=True)
class Append:
    """One durable commit; answer with Appended or AppendFailed.

    `save` is the flow's state to keep with it, `drop` forgets the flow. `note` goes into the day's
    index under the person whom the visit's last check looked up there.
    """

    intent: bytes
    bodies: tuple[Body, ...] = ()
    at_ms: int = 0
    save: bytes = b""
    drop: bool = False
    note: PassageNote | TicketNote | None = None


@dataclass(frozen=True)
class Arm:
    """Send TimeIsUp at this time; replaces what was armed before."""

    at_ms: int


@dataclass(frozen=True)
class Disarm:
    """Nothing is timed now."""


@dataclass(frozen=True)
class End:
    """The visit is over, in this way."""

    name: str


Effect = (
    StartRead
    | StopRead
    | StartScan
    | StopScan
    | RunCheck
    | Say
    | Hush
    | Print
    | Pulse
    | QueryEffect
    | Abandon
    | Pay
    | StopPay
    | LeavePay
    | Append
    | Arm
    | Disarm
    | End
)
