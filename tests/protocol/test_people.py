"""People: every real card is read, every wrong number refused, no number shown."""

import contextlib
import datetime
from hashlib import sha256

import id_validator.validator
import pytest
import stdnum.cn.ric
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import CardError, Reason
from protocol.people import (
    CardHolder,
    added_address,
    check_character,
    id_number_problem,
    is_foreign_number,
    layout_of,
    mask,
    parse_text_block,
    printed_address,
)
from protocol.records import Person

# a citizen card's text block, byte for byte
VECTOR = bytes.fromhex(
    "37688B4F327520002000200020002000200020002000200020002000200032003000310031003900300030003000"
    "310030003100"
    "7F5E1C4E01771C4E9E83025E5753CE575788539037688B4FEF8D3800F753" + "2000" * 20 + "340034003100"
    "390030003000310039003000300030003100300031003000300032003700"
    "1C4E9E83025E6C51895B405C37688B4F0652405C" + "2000" * 5 + "3200300032003000300031003000"
    "31007F951F67" + "2000" * 24
)
VECTOR_SHA256 = "80cbf7283d870d474e46462715d711773e90eaeb4c4e89631ad5ce9a41c51947"
DAY_1900 = datetime.date(1900, 1, 1)


def units(text: str, count: int, pad: str = " ") -> bytes:
    """`text` as `count` UTF-16LE code units, padded."""
    data = text.encode("utf-16-le")
    return (data + pad.encode("utf-16-le") * count)[: count * 2]


def citizen(
    name: str = "样例甲",
    number: str = "441900190001010027",
    *,
    sex: str = "2",
    birth: str = "19000101",
    first: str = "20200101",
    last: str = "长期",
    marker: str = " ",
    pad: str = " ",
) -> bytes:
    """A text block in the citizen layout (also the residence permit's)."""
    return b"".join(
        (
            units(name, 15, pad),
            units(sex, 1, pad),
            units("01", 2, pad),
            units(birth, 8, pad),
            units("广东省东莞市南城街道样例路8号", 35, pad),
            units(number, 18, pad),
            units("东莞市公安局样例分局", 15, pad),
            units(first, 8, pad),
            units(last, 8, pad),
            units("", 14, pad),
            units(marker, 1, pad),
            units("", 3, pad),
        )
    )


def foreign(chinese: str = "样例丙", number: str = "AAA110000000000") -> bytes:
    """A text block in the layout of the foreign permanent resident card of 2017."""
    return b"".join(
        (
            units("SAMPLE, PERSON", 60),
            units("1", 1),
            units(number, 15),
            units("AAA", 3),
            units(chinese, 15),
            units("20200101", 8),
            units("20300101", 8),
            units("19000101", 8),
            units("01", 2),
            units("1100", 4),
            units("I", 1),
            units("", 3),
        )
    )


def test_the_vector_is_the_published_one() -> None:
    assert sha256(VECTOR).hexdigest() == VECTOR_SHA256
    assert citizen() == VECTOR


def test_a_citizen_card_names_its_holder() -> None:
    assert parse_text_block(VECTOR) == CardHolder(
        Person("C", "441900190001010027", "样例甲"),
        "female",
        DAY_1900,
        datetime.date(2020, 1, 1),
        None,
    )


def test_a_card_for_life_stays_valid_and_another_ends_after_its_last_day() -> None:
    for_life = parse_text_block(citizen(last="长期"))
    assert for_life.valid_to is None
    assert for_life.is_valid_on(datetime.date(2999, 1, 1))
    ends = parse_text_block(citizen(last="20400101"))
    assert ends.is_valid_on(datetime.date(2040, 1, 1))
    assert not ends.is_valid_on(datetime.date(2040, 1, 2))
    assert not ends.is_valid_on(datetime.date(2019, 12, 31))


def test_age_counts_whole_years() -> None:
    holder = parse_text_block(citizen(birth="19000615"))
    assert holder.age_on(datetime.date(1960, 6, 14)) == 59
    assert holder.age_on(datetime.date(1960, 6, 15)) == 60


def test_a_residence_permit_is_read_in_its_layout() -> None:
    block = citizen("样例乙", "810000190001010034", sex="1", last="20250101", marker="J")
    holder = parse_text_block(block)
    assert holder.person == Person("J", "810000190001010034", "样例乙")
    assert holder.sex == "male"
    assert layout_of(block) == "J"


def test_a_foreign_permanent_resident_card_is_read_in_its_layout() -> None:
    assert len(foreign()) == 256
    assert parse_text_block(foreign()) == CardHolder(
        Person("I", "AAA110000000000", "样例丙"),
        "male",
        DAY_1900,
        datetime.date(2020, 1, 1),
        datetime.date(2030, 1, 1),
        "SAMPLE, PERSON",
    )
    assert parse_text_block(foreign(chinese="")).person.name == "SAMPLE, PERSON"
    with pytest.raises(CardError):
        parse_text_block(foreign(number="AAA11000000000X"))


NINE = "944156190001010018"


@pytest.mark.parametrize("marker", ["Y", " "])
def test_a_foreign_card_of_2023_is_known_by_its_marker_or_its_number(marker: str) -> None:
    holder = parse_text_block(citizen("样例戊", NINE, sex="1", marker=marker))
    assert holder.person == Person("I", NINE, "样例戊")
    assert (holder.birth, holder.sex) == (DAY_1900, "male")


@pytest.mark.parametrize(
    "block",
    [
        citizen(marker="Y"),  # a citizen's number
        citizen(number="AAA110000000000", marker="Y"),
        citizen(number=NINE[:-1] + "9", marker="Y"),  # wrong check: the field lies elsewhere
        citizen(number=NINE, birth="19010101"),  # the dates of birth do not agree
        b"\x00\xd8" * 124 + "Y   ".encode("utf-16-le"),
    ],
)
def test_a_layout_that_nobody_published_is_not_guessed(block: bytes) -> None:
    with pytest.raises(CardError) as unknown:
        parse_text_block(block)
    assert unknown.value.reason is Reason.UNKNOWN_KIND


def test_the_newest_address_is_the_added_one_or_the_printed_one() -> None:
    assert printed_address(citizen()) == "广东省东莞市南城街道样例路8号"
    assert printed_address(foreign()) == ""
    assert added_address(units("广东省东莞市新路1号", 35)) == "广东省东莞市新路1号"
    assert added_address(b"") == added_address(b"\x20") == ""
    with pytest.raises(CardError):
        added_address("一\n二".encode("utf-16-le"))


def test_numbers_of_foreign_residents_have_two_forms() -> None:
    for number, known in (
        ("AAA110000000000", True),
        (NINE, True),
        (NINE[:-1] + "9", False),
        ("441900190001010027", False),
        ("", False),
    ):
        assert is_foreign_number(number) == known, number


def test_padding_may_be_zeros() -> None:
    assert parse_text_block(citizen(pad="\0")) == parse_text_block(VECTOR)


@pytest.mark.parametrize(
    "name", ["𠮷样例", "䶮样例", "样例·样例江·样例买买提", "\ue823样例", "样" * 15]
)
def test_rare_and_long_names_are_kept(name: str) -> None:
    assert parse_text_block(citizen(name)).person.name == name


def test_half_a_character_at_the_end_of_a_full_field_is_dropped() -> None:
    assert parse_text_block(citizen("样" * 14 + "𠮷")).person.name == "样" * 14


@pytest.mark.parametrize(
    "block",
    [
        b"",
        VECTOR[:-1],
        VECTOR + b"\0",
        bytes(256),
        b"\xff" * 256,
        b"\x00\xd8" * 128,
        citizen(name=""),
        citizen(name="样\n例"),
        citizen(name="样\u2028例"),
        b"\x00\xdc" + VECTOR[2:],
        citizen(number="441900190001010028"),
        citizen(number="44190019000101002x"),
        citizen(number="441900190002300027"),
        citizen(number=""),
        citizen(birth="19000230"),
        citizen(birth="1900 101"),
        citizen(birth="１９０００１０１"),
        citizen(first=""),
        citizen(last="长长"),
        citizen(last="00000000"),
        citizen(sex="3"),
        citizen(sex=""),
    ],
)
def test_a_block_that_cannot_be_right_is_a_card_error_that_shows_nothing(block: bytes) -> None:
    with pytest.raises(CardError) as error:
        parse_text_block(block)
    assert "4419" not in str(error.value)
    assert "样" not in str(error.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=256, max_size=256))
def test_garbage_is_a_card_error(block: bytes) -> None:
    with pytest.raises(CardError):
        parse_text_block(block)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255))
def test_a_damaged_block_is_a_card_or_a_card_error(at: int, byte: int) -> None:
    for block in (VECTOR, foreign()):
        damaged = block[:at] + bytes((byte,)) + block[at + 1 :]
        with contextlib.suppress(CardError):
            assert isinstance(parse_text_block(damaged), CardHolder)


def test_a_holder_is_not_shown_by_repr() -> None:
    shown = repr(parse_text_block(VECTOR)) + str(parse_text_block(VECTOR))
    assert "441900" not in shown
    assert "样例" not in shown


def test_the_standards_own_example_is_valid() -> None:
    assert id_number_problem("11010519491231002X") == ""
    assert stdnum.cn.ric.is_valid("11010519491231002X")
    assert id_validator.validator.is_valid("11010519491231002X")


@pytest.mark.parametrize("area", ["441900", "442000"])
def test_cities_without_districts_are_not_refused(area: str) -> None:
    number = area + "19000101002"
    number += check_character(number)
    assert id_number_problem(number) == ""
    assert not stdnum.cn.ric.is_valid(number)  # why area codes are not judged here


@settings(max_examples=30, deadline=None)  # one of the others reads its tables for each number
@given(
    st.sampled_from(["110105", "110101", "310101", "120101"]),  # in every edition of the tables
    st.tuples(st.integers(0, 13), st.integers(0, 32)),
    st.integers(0, 999),
    st.sampled_from(["right", *"0123456789X"]),
)
def test_the_check_agrees_with_two_other_libraries(
    area: str, birthday: tuple[int, int], sequence: int, check: str
) -> None:
    number = f"{area}1900{birthday[0]:02}{birthday[1]:02}{sequence:03}"
    number += check_character(number) if check == "right" else check
    ours = id_number_problem(number) == ""
    assert ours == stdnum.cn.ric.is_valid(number)
    assert ours == id_validator.validator.is_valid(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "1",
        "44190019000101002",
        "4419001900010100277",
        "44190019000101002Ｘ",
        "４" * 18,
        "X" * 18,
    ],
)
def test_what_is_no_number_is_refused(number: str) -> None:
    assert id_number_problem(number)


def test_a_masked_number_hides_birth_and_sequence() -> None:
    assert mask("441900190001010027") == "441900********0027"
    assert mask("AAA110000000000") == "AAA********0000"
    assert mask("12345678") == "********"
    assert mask("") == ""


@settings(max_examples=100, deadline=None)
@given(st.text("0123456789X", max_size=24))
def test_a_mask_never_shows_more_than_ten_characters(number: str) -> None:
    masked = mask(number)
    assert len(masked) == len(number)
    assert len(masked.replace("*", "")) <= 10
    assert not number or "*" in masked
