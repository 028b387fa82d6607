"""The hall's truth: what people were told against what the centre has, person by person."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.hall.payers import BIG, Money, Purse
from simulator.hall.people import KINDS, make_people
from simulator.hall.tally import Summary, compare, compare_cash

A, B = ("a", "entry"), ("b", "exit")
KEYS = st.lists(st.sampled_from([A, B, ("a", "exit")]), max_size=12)


def test_a_visit_that_was_told_and_is_not_stored_is_lost() -> None:
    assert compare([A], [A], []).lost == 1


def test_a_visit_that_is_stored_and_was_not_told_is_untold() -> None:
    truth = compare([], [A], [A])
    assert (truth.lost, truth.untold, truth.duplicated) == (0, 1, 0)


def test_more_rows_than_cards_on_the_reader_are_duplicates() -> None:
    assert compare([A], [A], [A, A]).duplicated == 1


def test_one_persons_lost_visit_is_not_hidden_by_anothers_untold_one() -> None:
    truth = compare([A], [A, B], [B])
    assert (truth.lost, truth.untold) == (1, 1)


@given(KEYS, KEYS)
def test_told_plus_untold_equals_stored_plus_lost(told: list, stored: list) -> None:
    truth = compare(told, told, stored)
    assert truth.told + truth.untold == truth.stored + truth.lost


def test_a_summary_is_good_only_without_any_loss() -> None:
    assert Summary(told=1).good
    assert not Summary(told=0).good
    for name in ("lost", "duplicated", "conflicts", "unsettled", "crashes", "cash_unbalanced"):
        assert not Summary(told=1, **{name: 1}).good


def test_the_same_seed_brings_the_same_people() -> None:
    one, two, other = make_people(5), make_people(5), make_people(6)
    numbers = [person.number for person in one.outside]
    assert numbers == [person.number for person in two.outside]
    assert numbers != [person.number for person in other.outside]
    assert len(set(numbers)) == len(numbers)
    assert {person.kind for person in one.outside} == set(KINDS)


def test_everybody_in_the_hall_was_born_in_1900() -> None:
    for person in make_people(1).outside:
        if person.document != "I":
            assert person.number[6:10] == "1900"


def _cash(stored: int, cases: int = 0, **acceptor: int) -> int:
    people = Money(inserted=5_000)
    centre = {"stacked_fen": stored, "in_cases_fen": cases, "balanced": True}
    return compare_cash(people, Money(inserted=5_000, **acceptor), centre)["cash_unbalanced"]


def test_money_that_people_acceptor_and_centre_do_not_agree_on_is_seen() -> None:
    assert _cash(5_000, stacked=5_000) == 0
    assert _cash(3_000, 2_000, stacked=3_000, inside=2_000) == 0
    assert _cash(0, stacked=5_000) == 5_000, "swallowed"
    assert _cash(5_000, stacked=3_000, inside=2_000) == 2_000, "invented"
    assert _cash(5_000, stacked=5_000, returned=1_000) == 1_000, "people saw nothing come back"
    books = {"stacked_fen": 0, "in_cases_fen": 0, "balanced": False}
    assert compare_cash(Money(), Money(), books)["cash_unbalanced"] == 1


def test_people_pay_each_in_their_own_way() -> None:
    purses = [Purse.of(person.number) for person in list(make_people(1).outside)[:200]]
    assert any(purse.second_thoughts for purse in purses)
    assert any(purse.to_give == list(BIG) for purse in purses)
    assert Purse.of("1") == Purse.of("1")
