"""People as their cards say: the card's text block, the ID number's check, the masked number.

A text block is 256 bytes of UTF-16LE in one of three layouts, told apart by the byte at offset 248:
'J' residence permit of Hong Kong, Macao and Taiwan residents, 'I' foreign permanent resident card
(2017), anything else citizen card. Unused places hold spaces, on some cards U+0000. The address is
read when a service asks for it; authority and ethnic group are not: nobody here needs them.

The foreign card of 2023 is reported to be close to the citizen's, with 'Y' as its marker and a
number that begins with 9; its field widths are not published. So it is known by either sign, and
taken when number, check and date of birth stand in the citizen's places and agree; else it is
refused, for a guessed number would name somebody else.

An ID number (GB 11643-1999) is 17 digits and a MOD 11-2 check. The area code is never judged:
441900 (Dongguan) has no districts and is missing from common tables.
"""

import datetime
import re
import unicodedata
from typing import NamedTuple

from protocol.errors import CardError, Reason
from protocol.records.kinds import Person

TEXT_BLOCK_BYTES = 256
LONG_TERM = "长期"
LAYOUT_AT = 248
CITIZEN, RESIDENCE_PERMIT, FOREIGN_RESIDENT = "C", "J", "I"
_FOREIGN_2023_MARKER = "Y"
_FOREIGN_2023_DIGIT = "9"

_PADDING = " \0\u3000"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_FOREIGN_NUMBER = re.compile(r"[A-Z]{3}[0-9]{12}")
_DATE = re.compile(r"[0-9]{8}")
_SEXES = {"1": "male", "2": "female", "0": "", "9": ""}


class CardHolder(NamedTuple):
    """Who a card names. `sex`: "male", "female" or "" (unknown); `valid_to` None: 长期, for life.

    `latin_name` is set on foreign permanent resident cards only.
    """

    person: Person
    sex: str
    birth: datetime.date
    valid_from: datetime.date
    valid_to: datetime.date | None
    latin_name: str = ""

    def is_valid_on(self, day: datetime.date) -> bool:
        """Whether the card is in force on `day`; its last day counts."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def age_on(self, day: datetime.date) -> int:
        """Whole years of age on `day`."""
        before_birthday = (day.month, day.day) < (self.birth.month, self.birth.day)
        return day.year - self.birth.year - before_birthday

    def __repr__(self) -> str:
        return f"CardHolder({self.person.document})"


class _Layout(NamedTuple):
    """Byte ranges of the fields that are read."""

    name: slice
    latin_name: slice | None
    sex: slice
    birth: slice
    number: slice
    valid_from: slice
    valid_to: slice


_CITIZEN_LAYOUT = _Layout(
    name=slice(0, 30),
    latin_name=None,
    sex=slice(30, 32),
    birth=slice(36, 52),
    number=slice(122, 158),
    valid_from=slice(188, 204),
    valid_to=slice(204, 220),
)
_ADDRESS = slice(52, 122)
_FOREIGN_LAYOUT = _Layout(
    name=slice(158, 188),
    latin_name=slice(0, 120),
    sex=slice(120, 122),
    birth=slice(220, 236),
    number=slice(122, 152),
    valid_from=slice(188, 204),
    valid_to=slice(204, 220),
)
_LAYOUTS = {
    CITIZEN: _CITIZEN_LAYOUT,
    RESIDENCE_PERMIT: _CITIZEN_LAYOUT,
    FOREIGN_RESIDENT: _FOREIGN_LAYOUT,
}


def id_number_problem(number: str) -> str:
    """What is wrong with an 18-character ID number, or "" when it is valid."""
    if _ID_NUMBER.fullmatch(number) is None:
        return "needs 17 digits and a digit or X"
    if _date(number[6:14]) is None:
        return "holds no date of birth"
    if check_character(number) != number[17]:
        return "does not match its check character"
    return ""


def check_character(number: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECK[total % 11]


def mask(number: str) -> str:
    """A number that may be shown: `441900********0027`, `AAA********0000`."""
    head = 6 if len(number) >= 18 else 3
    if len(number) < head + 4 + 4:  # too short to hide anything in the middle
        return "*" * len(number)
    return number[:head] + "*" * (len(number) - head - 4) + number[-4:]


def layout_of(block: bytes) -> str:
    """Whose places the fields have: "C", "J" or "I". Raises CardError."""
    if len(block) != TEXT_BLOCK_BYTES:
        raise CardError(Reason.MALFORMED, f"text block of {len(block)} bytes, not 256")
    marker = chr(block[LAYOUT_AT])
    return marker if marker in (RESIDENCE_PERMIT, FOREIGN_RESIDENT) else CITIZEN


def parse_text_block(block: bytes) -> CardHolder:
    """The holder that a card's 256-byte text block names. Raises CardError."""
    document = layout_of(block)
    layout = _LAYOUTS[document]
    if document == CITIZEN and _is_foreign_2023(block):
        document = FOREIGN_RESIDENT
    name = _text(block, layout.name)
    latin_name = _text(block, layout.latin_name) if layout.latin_name else ""
    if not name and not latin_name:
        raise CardError(Reason.MALFORMED, "the card holds no name")
    sex = _text(block, layout.sex)
    if sex not in _SEXES:
        raise CardError(Reason.MALFORMED, "the card's sex code is none of 0, 1, 2, 9")
    until = _text(block, layout.valid_to)
    return CardHolder(
        Person(document, _number(block, layout), name or latin_name),
        _SEXES[sex],
        _field_date(block, layout.birth, "date of birth"),
        _field_date(block, layout.valid_from, "first day"),
        None if until == LONG_TERM else _field_date(block, layout.valid_to, "last day"),
        latin_name,
    )


def printed_address(block: bytes) -> str:
    """The address in a card's text block; "" on a card that holds none. Raises CardError."""
    return "" if layout_of(block) == FOREIGN_RESIDENT else _text(block, _ADDRESS)


def added_address(data: bytes) -> str:
    """The newest added address as the card gives it, UTF-16LE. Raises CardError."""
    return _text(data, slice(0, len(data) & ~1)) if len(data) > 1 else ""


def is_foreign_number(number: str) -> bool:
    """Of a foreign permanent resident: 3 letters and 12 digits, or since 2023 an ID number that
    begins with 9."""
    if number[:1] == _FOREIGN_2023_DIGIT:
        return not id_number_problem(number)
    return _FOREIGN_NUMBER.fullmatch(number) is not None


def _is_foreign_2023(block: bytes) -> bool:
    """Whether a card in the citizen's layout is one of 2023. Raises CardError when it says so and
    is not in that layout."""
    marked = chr(block[LAYOUT_AT]) == _FOREIGN_2023_MARKER
    try:
        number = _text(block, _CITIZEN_LAYOUT.number)
        birth = _text(block, _CITIZEN_LAYOUT.birth)
    except CardError:
        number = birth = ""
    begins = number[:1] == _FOREIGN_2023_DIGIT
    if (marked or begins) and not (begins and is_foreign_number(number) and number[6:14] == birth):
        raise CardError(Reason.UNKNOWN_KIND, "a foreign resident card of 2023; send to an officer")
    return begins


def _number(block: bytes, layout: _Layout) -> str:
    number = _text(block, layout.number)
    if layout is _FOREIGN_LAYOUT:
        problem = "" if _FOREIGN_NUMBER.fullmatch(number) else "needs 3 letters and 12 digits"
    else:
        problem = id_number_problem(number)
    if problem:
        raise CardError(Reason.MALFORMED, f"the card's number {problem}")
    return number


def _text(block: bytes, place: slice) -> str:
    """A field without its padding. A surrogate cut off by the field's end is dropped."""
    data = block[place]
    if 0xD8 <= data[-1] <= 0xDB:
        data = data[:-2]
    try:
        text = data.decode("utf-16-le").strip(_PADDING)
    except UnicodeDecodeError as error:
        raise CardError(Reason.MALFORMED, "the card's text is garbled") from error
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise CardError(Reason.MALFORMED, "the card's text holds control characters")
    return text


def _field_date(block: bytes, place: slice, what: str) -> datetime.date:
    day = _date(_text(block, place))
    if day is None:
        raise CardError(Reason.MALFORMED, f"the card's {what} is no date")
    return day


def _date(text: str) -> datetime.date | None:
    """YYYYMMDD, or None."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
