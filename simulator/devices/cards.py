"""Identity cards as a reader's field sees them: text block, photo, fingerprint, added address.

Text block: 256 bytes, UTF-16LE, unused space filled with U+0020; layouts after GA/T 490 and the
public SDT parse notes. Byte 248 tells the layout: 'J' residence permit for Hong Kong, Macao and
Taiwan residents, 'I' foreign permanent resident card (2017), 'Y' perhaps that of 2023, anything
else a citizen's card.
"""

from dataclasses import dataclass

from simulator.devices.id_numbers import (
    DONGGUAN,
    HONG_KONG,
    MACAO,
    TAIWAN,
    check_char,
    foreign_numbers_for_tests,
    number_of,
    numbers_for_tests,
)

__all__ = [
    "DONGGUAN",
    "HONG_KONG",
    "LONG_TERM",
    "MACAO",
    "RARE_NAMES",
    "TAIWAN",
    "Card",
    "CardTextError",
    "check_char",
    "citizen_card",
    "foreign_card",
    "foreign_card_2023",
    "foreign_numbers_for_tests",
    "hmt_card",
    "number_of",
    "numbers_for_tests",
]


TEXT_BYTES = 256
PHOTO_BYTES = 1024
FINGERPRINT_BYTES = (0, 512, 1024)
ADDED_ADDRESS_BYTES = 70

LONG_TERM = "长期"
"""Valid-to text on the cards of older holders, in place of a date."""

RARE_NAMES = ("样䶮", "𠮷样例", "样\u3400例", "样例·阿卜杜")
"""Names that break encoders: GB18030 outside GBK, surrogate pair, 4-byte, separator U+00B7."""

SAMPLE_ADDRESS = "广东省东莞市南城街道样例路8号"
SAMPLE_AUTHORITY = "东莞市公安局样例分局"
SAMPLE_PHOTO = bytes(i % 256 for i in range(PHOTO_BYTES))


class CardTextError(ValueError):
    """A text that does not fit its field on the card."""


@dataclass(frozen=True)
class Card:
    """One card. `document` is 'C', 'J', 'I' or 'Y'; `name` and `number` are what the block says."""

    document: str
    name: str
    number: str
    text: bytes
    photo: bytes = SAMPLE_PHOTO
    fingerprint: bytes = b""
    added_address: str = ""

    def __post_init__(self) -> None:
        if len(self.text) != TEXT_BYTES or len(self.photo) != PHOTO_BYTES:
            raise CardTextError(f"text must have {TEXT_BYTES} bytes, photo {PHOTO_BYTES}")
        if len(self.fingerprint) not in FINGERPRINT_BYTES:
            raise CardTextError(f"fingerprint must have one of {FINGERPRINT_BYTES} bytes")
        field_bytes("added address", self.added_address, ADDED_ADDRESS_BYTES)


def field_bytes(what: str, text: str, size: int) -> bytes:
    """`text` in UTF-16LE, filled with U+0020 to `size` bytes; CardTextError when it is longer."""
    raw = text.encode("utf-16-le")
    if len(raw) > size:
        raise CardTextError(f"{what} takes {len(raw) // 2} units, the card has {size // 2}: {text}")
    return raw + b"\x20\x00" * ((size - len(raw)) // 2)


def text_block(fields: list[tuple[str, str, int]]) -> bytes:
    """Fields of (what, text, bytes) one after the other; they must fill the block exactly."""
    block = b"".join(field_bytes(what, text, size) for what, text, size in fields)
    if len(block) != TEXT_BYTES:
        raise CardTextError(f"fields fill {len(block)} of {TEXT_BYTES} bytes")
    return block


def sex_of(number: str) -> str:
    """'1' male, '2' female, from the seventeenth character of the number."""
    return "1" if int(number[16]) % 2 else "2"


def citizen_card(
    name: str,
    number: str,
    *,
    sex: str | None = None,
    ethnic: str = "01",
    birth: str | None = None,
    address: str = SAMPLE_ADDRESS,
    authority: str = SAMPLE_AUTHORITY,
    valid_from: str = "20200101",
    valid_to: str = LONG_TERM,
    photo: bytes = SAMPLE_PHOTO,
    fingerprint: bytes = b"",
    added_address: str = "",
) -> Card:
    """A resident's card. Dates are YYYYMMDD; sex and birth default to what the number says."""
    text = text_block(
        [
            ("name", name, 30),
            ("sex", sex or sex_of(number), 2),
            ("ethnic group", ethnic, 4),
            ("birth", birth or number[6:14], 16),
            ("address", address, 70),
            ("number", number, 36),
            ("authority", authority, 30),
            ("valid from", valid_from, 16),
            ("valid to", valid_to, 16),
            ("reserved", "", 36),
        ]
    )
    return Card("C", name, number, text, photo, fingerprint, added_address)


def hmt_card(
    name: str,
    number: str,
    *,
    permit: str = "H00000000",
    issue: str = "01",
    address: str = SAMPLE_ADDRESS,
    authority: str = SAMPLE_AUTHORITY,
    valid_from: str = "20200101",
    valid_to: str = "20300101",
    photo: bytes = SAMPLE_PHOTO,
) -> Card:
    """A residence permit for Hong Kong, Macao and Taiwan residents ('J'); number 81/82/83 0000.."""
    text = text_block(
        [
            ("name", name, 30),
            ("sex", sex_of(number), 2),
            ("unused", "", 4),
            ("birth", number[6:14], 16),
            ("address", address, 70),
            ("number", number, 36),
            ("authority", authority, 30),
            ("valid from", valid_from, 16),
            ("valid to", valid_to, 16),
            ("travel permit", permit, 18),
            ("issue count", issue, 4),
            ("reserved", "", 6),
            ("layout", "J", 2),
            ("reserved", "", 6),
        ]
    )
    return Card("J", name, number, text, photo)


def foreign_card(
    name: str,
    number: str,
    *,
    chinese_name: str = "",
    sex: str = "1",
    nationality: str = "AAA",
    birth: str = "19000101",
    valid_from: str = "20200101",
    valid_to: str = "20300101",
    version: str = "01",
    authority: str = "1100",
    photo: bytes = SAMPLE_PHOTO,
) -> Card:
    """A foreign permanent resident card of the 2017 layout ('I'); `name` in English, 60 units."""
    text = text_block(
        [
            ("name", name, 120),
            ("sex", sex, 2),
            ("number", number, 30),
            ("nationality", nationality, 6),
            ("Chinese name", chinese_name, 30),
            ("valid from", valid_from, 16),
            ("valid to", valid_to, 16),
            ("birth", birth, 16),
            ("version", version, 4),
            ("authority", authority, 8),
            ("layout", "I", 2),
            ("reserved", "", 6),
        ]
    )
    return Card("I", name, number, text, photo)


def foreign_card_2023(
    name: str,
    number: str,
    *,
    address: str = SAMPLE_ADDRESS,
    authority: str = "国家移民管理局",
    birth: str | None = None,
    valid_from: str = "20240101",
    valid_to: str = "20340101",
    marker: str = "Y",
    photo: bytes = SAMPLE_PHOTO,
) -> Card:
    """A foreign permanent resident card of 2023: 18 digits, the first 9. Its layout is reported to
    be close to the citizen's and its marker 'Y'; neither is published."""
    text = text_block(
        [
            ("name", name, 30),
            ("sex", sex_of(number), 2),
            ("unused", "", 4),
            ("birth", birth or number[6:14], 16),
            ("address", address, 70),
            ("number", number, 36),
            ("authority", authority, 30),
            ("valid from", valid_from, 16),
            ("valid to", valid_to, 16),
            ("reserved", "", 28),
            ("layout", marker, 2),
            ("reserved", "", 6),
        ]
    )
    return Card("Y", name, number, text, photo)
