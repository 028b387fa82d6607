"""Cards hold what the layouts say, at the byte where readers deliver it."""

import hashlib

import pytest

from simulator.devices import cards

NUMBER = "441900190001010027"


def at(card: cards.Card, offset: int, size: int) -> str:
    return card.text[offset : offset + size].decode("utf-16-le").rstrip()


def test_citizen_block_is_the_published_sample(vectors) -> None:
    card = cards.citizen_card("样例甲", NUMBER)
    assert card.text == vectors["sam"]["text_citizen"]
    digest = "80cbf7283d870d474e46462715d711773e90eaeb4c4e89631ad5ce9a41c51947"
    assert hashlib.sha256(card.text).hexdigest() == digest


def test_foreign_block_is_the_published_sample(vectors) -> None:
    card = cards.foreign_card("SAMPLE, PERSON", "AAA110000000000", chinese_name="样例丙")
    assert card.text == vectors["sam"]["text_foreign_I"]
    assert at(card, 248, 2) == "I"


def test_the_other_blocks_are_the_samples(vectors) -> None:
    sam = vectors["sam"]
    permit = cards.hmt_card("样例丁", "810000190001010034", valid_to="20250101")
    assert permit.text == sam["text_hmt_J"]
    card = cards.foreign_card_2023("样例戊", "944156190001010018")
    assert card.text == sam["text_foreign_2023"]
    assert (at(card, 122, 36)[0], at(card, 248, 2)) == ("9", "Y")


def test_residence_permit_fields_lie_where_the_layout_says() -> None:
    card = cards.hmt_card("样例乙", "810000190001010034", permit="H12345678", issue="02")
    assert (at(card, 30, 2), at(card, 32, 4)) == ("1", "")
    assert at(card, 122, 36) == "810000190001010034"
    assert (at(card, 220, 18), at(card, 238, 4), at(card, 248, 2)) == ("H12345678", "02", "J")
    assert card.document == "J"


def test_long_term_and_rare_names_fit_their_fields() -> None:
    assert at(cards.citizen_card("样例甲", NUMBER), 204, 16) == "长期"
    for name in cards.RARE_NAMES:
        card = cards.citizen_card(name, NUMBER)
        assert at(card, 0, 30) == name
        assert len(card.text) == 256
    assert any(ord(char) > 0xFFFF for name in cards.RARE_NAMES for char in name)


def test_text_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(cards.CardTextError, match="name takes 16 units"):
        cards.citizen_card("样" * 16, NUMBER)
    with pytest.raises(cards.CardTextError, match="address"):
        cards.citizen_card("样", NUMBER, address="路" * 36)
    with pytest.raises(cards.CardTextError, match="fingerprint"):
        cards.citizen_card("样", NUMBER, fingerprint=b"x" * 100)
    with pytest.raises(cards.CardTextError, match="photo"):
        cards.citizen_card("样", NUMBER, photo=b"")
    with pytest.raises(cards.CardTextError, match="fill 30 of 256"):
        cards.text_block([("name", "", 30)])
