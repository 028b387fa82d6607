"""What the help desk is told of and what it wants done."""

from dataclasses import dataclass

OWN = 0
OWN_NUMBERS = 0x80000000

RINGS, RINGS_UNRECORDED = "help.rings", "help.rings_unrecorded"
RECORDED, FAILED = "help.recorded", "help.failed"
ANSWERED = "help.answered"
"""Message ids of what may be said of a call."""


@dataclass(frozen=True)
class CallKey:
    """`board`: a digest of the id of the board whose number it is, OWN for one of ours."""

    board: int
    number: int


@dataclass(frozen=True)
class RecordCall:
    """Make the call durable, then say `call_recorded`."""

    key: CallKey
    age_ms: int


@dataclass(frozen=True)
class RecordAnswer:
    """Make the answer durable, then say `answer_recorded`."""

    key: CallKey
    wait_ms: int
    by: int


@dataclass(frozen=True)
class Acknowledge:
    """The board may forget this event."""

    event_no: int


@dataclass(frozen=True)
class CommandDone:
    """The centre's command is done, or could not be: then it has to come again."""

    number: int
    ok: bool


@dataclass(frozen=True)
class Say:
    """A fact about the call, by message id. All but ANSWERED want where to go beside it."""

    text: str


@dataclass(frozen=True)
class Ring:
    """The board shall ring for this call; `age_ms` AGE_UNKNOWN when nobody can tell."""

    number: int
    age_ms: int


@dataclass(frozen=True)
class Stop:
    """The board shall show that this call was answered."""

    number: int


@dataclass(frozen=True)
class Forget:
    """No call is open or answered any more: the board needs to hear nothing."""


Effect = RecordCall | RecordAnswer | Acknowledge | CommandDone | Say | Ring | Stop | Forget
Effects = list[Effect]


@dataclass(frozen=True)
class SavedCall:
    """The last call as it outlives us; times are Unix ms, 0 for none or unknown."""

    board: int
    number: int
    pressed_ms: int
    answered_ms: int
