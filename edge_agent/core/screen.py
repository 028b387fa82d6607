"""What the citizen's screen shows: made by the visit, drawn by the kiosk, read by nobody else.

A screen names texts by message id and carries what fills them in, so that a page can show it in any
language and size at any time. Nothing here names a person beyond a masked form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.core.cash_events import HINT_REJECTED, HINT_RETURNED
from protocol.records.kinds import Person

WELCOME, READING, WORKING, CHOICE = "welcome", "reading", "working", "choice"
MESSAGE, TICKET, FAULT, PAY = "message", "ticket", "fault", "pay"
PAGES = (WELCOME, READING, WORKING, CHOICE, MESSAGE, TICKET, FAULT, PAY)

CHOICES_MAX = 3
HELP_NONE, HELP_CALLED, HELP_ANSWERED = "none", "called", "answered"

KEY_CHOICES = ("1", "2", "3")
KEY_REPEAT, KEY_SLOWER, KEY_LOUDER, KEY_LARGER = "repeat", "slower", "louder", "larger"
KEY_LANGUAGE, KEY_HELP, KEY_STOP, KEY_OTHER = "language", "help", "stop", "other"
KEYS = (
    *KEY_CHOICES,
    KEY_REPEAT,
    KEY_SLOWER,
    KEY_LOUDER,
    KEY_LARGER,
    KEY_LANGUAGE,
    KEY_HELP,
    KEY_STOP,
    KEY_OTHER,
)
"""What a keypad or a finger can say. KEY_OTHER is any other key: it only asks for more time."""
SPEAKING_KEYS = (KEY_REPEAT, KEY_SLOWER, KEY_LOUDER, KEY_LANGUAGE)
"""Keys after which the person hears the last text again, as it sounds now."""
KEY_NO_CARD, KEY_ASK_OFFICER = KEY_CHOICES[:2]
KEY_PAY, KEY_PAY_NO = KEY_CHOICES[:2]

WELCOME_TEXT = "screen.welcome"
WORKING_TEXT = "screen.working"
PRINTING_TEXT = "visit.printing"
WARNING_TEXT = "screen.warning"
TAKE_CARD_TEXT = "card.take"
SORRY_TEXT = "terminal.sorry"
READER_TEXT = "reader.fault"
FOUND_TEXT = "card.found"
CHOICE_SPOKEN_TEXT = "choice.spoken"
PAY_INSERT_TEXT, PAY_MORE_TEXT, PAY_BUSY_TEXT = "pay.insert", "pay.more", "pay.busy"
PAY_HINT_TEXTS = {HINT_REJECTED: "pay.rejected", HINT_RETURNED: "pay.returned"}
PAY_WAIT_TEXT, PAY_GONE_TEXT = "pay.wait", "pay.gone"


@dataclass(frozen=True)
class Choice:
    """One thing to choose: the key that means it and its message id."""

    key: str
    text: str


FIRST_CHOICES = (
    Choice(KEY_NO_CARD, "screen.no_card"),
    Choice(KEY_ASK_OFFICER, "screen.ask_officer"),
)
"""What every page offers that asks for the person's card."""


OFFER_CHOICES = (Choice(KEY_PAY, "pay.begin"), Choice(KEY_PAY_NO, "pay.no"))
PAY_CHOICES = (Choice(KEY_PAY_NO, "pay.stop"),)
"""What a person can do before money goes in, and while it does."""


@dataclass(frozen=True)
class Money:
    """What a page of paying shows large, in fen. `notes`: yuan of the notes it takes. `moves`:
    money is in the machine and nobody may go."""

    due_fen: int
    paid_fen: int
    notes: tuple[int, ...]
    moves: bool = False

    @property
    def rest_fen(self) -> int:
        """What is still to be paid."""
        return max(0, self.due_fen - self.paid_fen)


@dataclass(frozen=True)
class Screen:
    """One moment of the screen. `serial` rises with every change.

    `page`: one of PAGES. `title`: message id of the service's name. `text`: message id of the one
    thing this page says; `fields` fill it in. `choices`: at most CHOICES_MAX. `number`: a ticket to
    show large, or "". `money`: of a page of paying. `person`: as `masked` gives it, or "".
    `warning_ms`: what was left of a time limit when this screen began, only when it is little.
    `speaking`: the voice is on. `help`: HELP_NONE, HELP_CALLED or HELP_ANSWERED. `language`: one of
    texts.LANGUAGES. `large`, `volume` (0 to 16), `speed` (0 to 5): as this visitor set them.
    """

    serial: int = 0
    page: str = WELCOME
    title: str = ""
    text: str = WELCOME_TEXT
    fields: Mapping[str, str | int] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    number: str = ""
    money: Money | None = None
    person: str = ""
    warning_ms: int | None = None
    speaking: bool = False
    help: str = HELP_NONE
    language: str = "zh-CN"
    large: bool = False
    volume: int = 10
    speed: int = 4


def masked(person: Person) -> str:
    """Enough to know one's own card by, too little for anybody else: `样** …27`.

    The first character of the name, never how long it is, and the last two of the number.
    """
    return f"{person.name[:1]}** …{person.number[-2:]}"
