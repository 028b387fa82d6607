"""From a Screen to the words, pictures and keys of its page. Pure.

The text of a screen is what is spoken; its first sentence is the headline, the others stand below,
so that nothing is heard that cannot be read. Sentences are kept as clauses: a line is broken
between clauses where it can be, never in the middle of a Chinese word for want of a hyphen.
"""

import re
import unicodedata
from dataclasses import dataclass

from edge_agent.core import screen as s
from edge_agent.core.money import parts
from edge_agent.core.texts import Texts

PICTURES = {
    s.WELCOME: "card",
    s.READING: "card",
    s.WORKING: "wait",
    s.CHOICE: "choose",
    s.MESSAGE: "note",
    s.FAULT: "officer",
}
PICTURE_WORDS = (
    ("打印凭条", "slip"),
    ("服务台", "officer"),
    ("取回", "take"),
    ("放上", "card"),
)
"""Words of the zh-CN source, first come, first drawn: whoever is sent to the desk sees the desk,
in every language and for texts of services that are not written yet."""
DONE_PICTURE = "done"
BAR = (
    (s.KEY_REPEAT, "4"),
    (s.KEY_SLOWER, "5"),
    (s.KEY_LOUDER, "6"),
    (s.KEY_LARGER, "7"),
    (s.KEY_LANGUAGE, "8"),
    (s.KEY_HELP, "9"),
    (s.KEY_STOP, "0"),
)
"""The fixed bar: key, and the digit of the keypad that means it."""
BRAND_TEXT = "screen.brand"
HELP_TEXTS = {s.HELP_CALLED: "screen.help_called", s.HELP_ANSWERED: "screen.help_answered"}
LEVELS = 5
VOLUME_MAX, SPEED_MAX = 16, 5
HTML_LANGUAGES = {"zh-CN": "zh-CN", "yue": "yue-Hans", "en": "en"}
"""What the browser is told: our Cantonese is written in simplified characters."""
SIZES = ((9, "huge"), (17, "big"), (30, "middle"), (60, "small"), (400, "least"))
"""Most characters (a wide one counts 1, a narrow one 0.5) of a headline in each size."""
REST_LONG = 24
SHORT_NUMBER = 4
"""Characters of an amount in the largest digits."""

_SENTENCE = re.compile(r".*?(?:[。！？]|[.!?](?=\s|$))", re.DOTALL)
_CLAUSE = re.compile(r"(?<=[，。！？；：])|(?<=[,.!?;:])\s+")
_MARK = "\0"


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence that stays in one line where it can, and the gap after it."""

    text: str
    gap: str


@dataclass(frozen=True)
class Key:
    """Something to press: key of the screen, digit of the keypad, word, level 0 to LEVELS."""

    key: str
    digit: str
    word: str
    level: int | None = None


@dataclass(frozen=True)
class BarState:
    """`volume`, `speed`: levels."""

    language: str
    large: bool
    volume: int
    speed: int


@dataclass(frozen=True)
class Warned:
    """The words around the seconds that are left."""

    before: str
    after: str
    left_ms: int

    @property
    def seconds(self) -> int:
        """Whole seconds, rounded up as the page counts them."""
        return max(0, -(-self.left_ms // 1000))


@dataclass(frozen=True)
class Amount:
    """One amount of a page of paying."""

    label: str
    number: str
    unit: str

    @property
    def size(self) -> str:
        """Whether the number fits in the largest digits."""
        return "long" if len(self.number) > SHORT_NUMBER else "short"


@dataclass(frozen=True)
class MoneyView:
    """What is still to be paid, largest; what is due and received; which notes go in; what happens
    with too much."""

    rest: Amount
    parts: tuple[Amount, ...]
    notes: str
    policy: str


@dataclass(frozen=True)
class View:
    """What the template draws beside the bar. `crowd`: 0 to 4, how much else stands on the
    page."""

    lang: str
    title: str
    headline: tuple[Clause, ...]
    rest: tuple[Clause, ...]
    size: str
    crowd: int
    picture: str
    choices: tuple[Key, ...]
    person: str
    help: str
    warned: Warned | None
    tongue: str
    speaking: str
    your_number: str
    money: MoneyView | None


def view_of(screen: s.Screen, texts: Texts) -> View:
    """The view of a screen. KeyError when a text or a field of it is missing."""
    language = screen.language
    said = texts.text(screen.text, language, screen.fields)
    match = _SENTENCE.match(said)
    first = match[0] if match else said
    rest = said[len(first) :].strip()
    crowd = sum(
        (
            len(screen.choices) > 2,
            screen.help != s.HELP_NONE,
            screen.warning_ms is not None,
            weight(rest) > REST_LONG,
        )
    )
    is_large = screen.number != "" or screen.money is not None
    person = texts.text("screen.person", language, {"person": screen.person})
    help_text = HELP_TEXTS.get(screen.help, "")
    return View(
        lang=HTML_LANGUAGES[language],
        title=texts.text(screen.title or BRAND_TEXT, language, {}),
        headline=clauses(first),
        rest=clauses(rest),
        size=size_of(first, smaller=max(0, crowd - 1) + 2 * is_large),
        crowd=crowd,
        picture=_picture(screen, texts),
        choices=tuple(
            Key(choice.key, choice.key, texts.text(choice.text, language, screen.fields))
            for choice in screen.choices[: s.CHOICES_MAX]
        ),
        person=person if screen.person else "",
        help=texts.text(help_text, language, {}) if help_text else "",
        warned=_warned(screen, texts),
        tongue=texts.text("screen.language_name", language, {}),
        speaking=texts.text("screen.speaking", language, {}),
        your_number=texts.text("screen.your_number", language, {}) if screen.number else "",
        money=_money(screen.money, texts, language) if screen.money is not None else None,
    )


def _money(money: s.Money, texts: Texts, language: str) -> MoneyView:
    def amount(name: str, fen: int) -> Amount:
        return Amount(texts.text(f"screen.pay.{name}", language, {}), *parts(fen, language))

    notes = {"notes": " ".join(map(str, money.notes))}
    return MoneyView(
        amount("rest", money.rest_fen),
        (amount("due", money.due_fen), amount("paid", money.paid_fen)),
        texts.text("screen.pay.notes", language, notes),
        texts.text("screen.pay.policy", language, {}),
    )


def clauses(text: str) -> tuple[Clause, ...]:
    """`text` cut after its punctuation. Chinese has no gap there, other scripts have."""
    pieces = [piece.strip() for piece in _CLAUSE.split(text) if piece.strip()]
    return tuple(Clause(p, "" if _is_wide(p[-1]) else " ") for p in pieces)


def weight(text: str) -> float:
    """The length of a text: a wide character counts 1, a narrow one 0.5."""
    return sum(1 if _is_wide(character) else 0.5 for character in text)


def size_of(text: str, smaller: int = 0) -> str:
    """The size in which a headline fits its place, or some sizes `smaller`."""
    fits = sum(1 for most, _ in SIZES[:-1] if weight(text) > most)
    return SIZES[min(fits + smaller, len(SIZES) - 1)][1]


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _picture(screen: s.Screen, texts: Texts) -> str:
    if screen.page in (s.WELCOME, s.READING, s.CHOICE):
        return PICTURES[screen.page]
    message = texts[screen.text]
    if message.told:
        return DONE_PICTURE
    source = message.texts["zh-CN"]
    spoken_of = (picture for word, picture in PICTURE_WORDS if word in source)
    return next(spoken_of, PICTURES.get(screen.page, DONE_PICTURE))


def bar_state(screen: s.Screen) -> BarState:
    """What the bar of a screen depends on."""
    return BarState(
        screen.language,
        screen.large,
        _level(screen.volume, VOLUME_MAX),
        _level(screen.speed, SPEED_MAX),
    )


def bar_of(state: BarState, texts: Texts) -> tuple[Key, ...]:
    """The keys of the bar."""
    words = {s.KEY_LARGER: "smaller"} if state.large else {}
    levels = {s.KEY_LOUDER: state.volume, s.KEY_SLOWER: state.speed}
    return tuple(
        Key(
            key,
            digit,
            texts.text(f"screen.key.{words.get(key, key)}", state.language, {}),
            levels.get(key),
        )
        for key, digit in BAR
    )


def _level(value: int, most: int) -> int:
    return -(-min(max(value, 0), most) * LEVELS // most)


def _warned(screen: s.Screen, texts: Texts) -> Warned | None:
    if screen.warning_ms is None:
        return None
    text = texts.text("screen.warning", screen.language, {"seconds": _MARK})
    before, _, after = text.partition(_MARK)
    return Warned(before, after, screen.warning_ms)
