"""What the citizen's screen shows: made by the visit, drawn by the kiosk, read by nobody else.

A screen names texts by message id and carries what fills them in, so that a page can show it in any
language and size at any time. Nothing here names a person beyond a masked form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

WELCOME, READING, WORKING, CHOICE = "welcome", "reading", "working", "choice"
MESSAGE, TICKET, FAULT = "message", "ticket", "fault"
PAGES = (WELCOME, READING, WORKING, CHOICE, MESSAGE, TICKET, FAULT)

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


@dataclass(frozen=True)
class Choice:
    """One thing to choose: the key that means it and its message id."""

    key: str
    text: str


@dataclass(frozen=True)
class Screen:
    """One moment of the screen. `serial` rises with every change.

    `page`: one of PAGES. `text`: message id of the one thing this page says; `fields` fill it in.
    `choices`: at most CHOICES_MAX. `number`: a ticket to show large, or "". `person`: masked, as
    "样*甲 ...0027", or "". `warning_ms`: what is left of a time limit, only when it is little.
    `speaking`: the voice is on. `help`: HELP_NONE, HELP_CALLED or HELP_ANSWERED. `language`: one of
    texts.LANGUAGES. `large`, `volume` (0 to 16), `speed` (0 to 5): as this visitor set them.
    """

    serial: int = 0
    page: str = WELCOME
    text: str = "screen.welcome"
    fields: Mapping[str, str | int] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    number: str = ""
    person: str = ""
    warning_ms: int | None = None
    speaking: bool = False
    help: str = HELP_NONE
    language: str = "zh-CN"
    large: bool = False
    volume: int = 10
    speed: int = 4
