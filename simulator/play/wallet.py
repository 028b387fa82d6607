"""The cards that a visitor can choose from. Nobody alive holds one of these numbers.

Born in 1900, in an area that the simulated people do not come from; the child's number has the
sequence 000, which is never given out.
"""

from dataclasses import dataclass
from datetime import date

from simulator.devices import cards
from simulator.devices.id_numbers import MACAO, foreign_check_char, number_of
from simulator.hall.place import Person

AREA = "440100"
OFFICER = "officer"


@dataclass(frozen=True)
class WalletCard:
    """One card: its key, what it is called (zh, en), what it shows (zh, en), and who holds it."""

    key: str
    title: tuple[str, str]
    note: tuple[str, str]
    person: Person

    @property
    def name(self) -> str:
        """As it stands on the card."""
        return self.person.card.name

    @property
    def short_number(self) -> str:
        """What of the number a page may show."""
        return f"…{self.person.number[-4:]}"


def _citizen(key: str, name: str, sequence: int, valid_to: str = "20991231") -> Person:
    number = number_of(AREA, date(1900, 12, 31), sequence)
    card = cards.citizen_card(name, number, valid_to=valid_to)
    return Person(card.document, card.number, card, key)


def _child() -> Person:
    card = cards.citizen_card("样例童", number_of(AREA, date(2018, 6, 1), 0), valid_to="20991231")
    return Person(card.document, card.number, card, "child")


def _hmt() -> Person:
    number = number_of(MACAO, date(1900, 12, 31), 9)
    card = cards.hmt_card("样例澳", number, valid_to="20991231")
    return Person(card.document, card.number, card, "hmt")


def _foreign() -> Person:
    body = "AAA110000" + "1231" + "7"
    card = cards.foreign_card(
        "SAMPLE, VISITOR", body + foreign_check_char(body), valid_to="20991231"
    )
    return Person(card.document, card.number, card, "foreign")


def make_wallet() -> dict[str, WalletCard]:
    """All cards in the order in which they lie in the wallet."""
    found = [
        WalletCard(
            "elder",
            ("老人", "An old citizen"),
            ("身份证，有效期到 2099 年", "ID card, valid to 2099"),
            _citizen("elder", "样例奶奶", 2),
        ),
        WalletCard(
            "long_term",
            ("长期有效", "Valid for ever"),
            ("有效期写的是“长期”", "Its end is written 长期"),
            _citizen("long_term", "样例爷爷", 1, cards.LONG_TERM),
        ),
        WalletCard(
            "rare_name",
            ("生僻字姓名", "A rare name"),
            ("很多字库没有这个字", "Many fonts lack this character"),
            _citizen("rare_name", cards.RARE_NAMES[1], 3),
        ),
        WalletCard(
            "hmt",
            ("港澳台居住证", "Residence permit, J"),
            ("另一种卡面格式", "Another layout of the chip"),
            _hmt(),
        ),
        WalletCard(
            "foreign",
            ("外国人永久居留证", "Foreign resident, I"),
            ("英文姓名，15 位号码", "Latin name, 15 characters"),
            _foreign(),
        ),
        WalletCard(
            "expired",
            ("过期的证", "Out of date"),
            ("2021 年已到期", "It ended in 2021"),
            _citizen("expired", "样例丙", 5, "20210101"),
        ),
        WalletCard(
            "child",
            ("孩子", "A child"),
            ("2018 年出生", "Born in 2018"),
            _child(),
        ),
        WalletCard(
            OFFICER,
            ("工作人员", "An officer"),
            ("替不满六十岁的人确认", "Agrees for people under 60"),
            _citizen(OFFICER, "样例专员", 7),
        ),
    ]
    return {card.key: card for card in found}
