"""Test identities are valid for independent checkers, distinct, reproducible, and nobody's."""

import random

import pytest
from id_validator import validator
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from simulator.devices import cards
from simulator.devices.id_numbers import (
    FOREIGN_NUMBERS_MAX,
    TEST_NUMBERS_MAX,
    check_char,
    foreign_check_char,
)


def one_of_each_check_char(seed: int, area: str = "441900") -> list[str]:
    """Numbers that end in each of the eleven check characters."""
    numbers = cards.numbers_for_tests(random.Random(seed), 200, area)
    chosen = list({number[17]: number for number in numbers}.values())
    assert len(chosen) == 11
    return chosen


def test_numbers_are_distinct_born_in_1900_and_the_same_for_a_seed() -> None:
    numbers = cards.numbers_for_tests(random.Random(7), 2000)
    assert len(set(numbers)) == 2000
    assert {n[:10] for n in numbers} == {"4419001900"}
    assert numbers == cards.numbers_for_tests(random.Random(7), 2000)
    assert numbers != cards.numbers_for_tests(random.Random(8), 2000)


def test_id_validator_accepts_every_number() -> None:
    for number in one_of_each_check_char(1):
        assert validator.is_valid(number), number
        assert number[-1] == check_char(number[:17])


@pytest.mark.parametrize("area", ["110105", "440121"])
def test_stdnum_agrees_where_it_knows_the_area(area: str) -> None:
    for number in one_of_each_check_char(2, area):
        assert ric.validate(number) == number
        assert ric.get_birth_date(number).year == 1900
        wrong = number[:17] + ("0" if number[17] != "0" else "1")
        assert not ric.is_valid(wrong)
        assert not validator.is_valid(wrong)


def test_stdnum_does_not_know_a_city_without_districts() -> None:
    """The reason why no check of ours may look at area codes."""
    with pytest.raises(InvalidComponent):
        ric.validate("441900190001010027")
    assert validator.is_valid("441900190001010027")


def test_known_numbers() -> None:
    assert check_char("11010519491231002") == "X"  # example of GB 11643-1999
    assert check_char("44190019000101002") == "7"
    assert check_char("81000019000101003") == "4"
    assert foreign_check_char("AAA11000000000") == "0"


def test_every_number_of_an_area_can_be_drawn_once() -> None:
    with pytest.raises(ValueError, match=str(TEST_NUMBERS_MAX)):
        cards.numbers_for_tests(random.Random(1), TEST_NUMBERS_MAX + 1)
    with pytest.raises(ValueError, match="seventeen digits"):
        check_char("123")


def test_foreign_numbers_are_distinct_and_carry_their_check_digit() -> None:
    numbers = cards.foreign_numbers_for_tests(random.Random(3), 500)
    assert len(set(numbers)) == 500
    assert {len(n) for n in numbers} == {15}
    assert all(n[14] == foreign_check_char(n[:14]) for n in numbers)
    with pytest.raises(ValueError, match=str(FOREIGN_NUMBERS_MAX)):
        cards.foreign_numbers_for_tests(random.Random(3), FOREIGN_NUMBERS_MAX + 1)
