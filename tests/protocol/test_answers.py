"""Receipts, rewinds and holds: only the centre's own word, for this terminal, settles anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import LocalError, Reason, ReceiptError
from protocol.receipts import (
    ANSWER_BYTES_MAX,
    ANSWER_DOMAIN,
    EXCEPTIONS_MAX,
    Answer,
    ExceptionCode,
    Hold,
    HoldReason,
    Receipt,
    Rewind,
    open_answer,
    sign_hold,
    sign_receipt,
    sign_rewind,
)
from tests.protocol.sample import CENTRE, DEVICE, OTHER_CENTRE, TERMINAL, entropy

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
LINKS = st.binary(min_size=32, max_size=32)
RECEIPT = Receipt(TERMINAL, 1, entropy("e", 16), 9, entropy("l"), 4, 5, ((7, 2), (8, 1)))
REWIND = Rewind(TERMINAL, 1, 9, entropy("l"), 5)
HOLD = Hold(TERMINAL, 1, 9, HoldReason.OPENER_MISSING, 5)


def signed(answer: Answer) -> bytes:
    if isinstance(answer, Receipt):
        return sign_receipt(CENTRE, answer)
    return sign_rewind(CENTRE, answer) if isinstance(answer, Rewind) else sign_hold(CENTRE, answer)


def refused(raw: bytes, terminal: str = TERMINAL) -> Reason:
    with pytest.raises(ReceiptError) as error:
        open_answer(raw, CENTRE.public, terminal)
    return error.value.reason


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.builds(
            Receipt,
            st.just(TERMINAL),
            U32,
            st.binary(min_size=16, max_size=16),
            U64,
            LINKS,
            U64,
            U64,
            st.lists(st.tuples(U64, st.integers(0, 255)), max_size=EXCEPTIONS_MAX).map(tuple),
        ),
        st.builds(Rewind, st.just(TERMINAL), U32, U64, LINKS, U64),
        st.builds(Hold, st.just(TERMINAL), U32, U64, st.integers(0, 255), U64),
    )
)
def test_what_the_centre_says_arrives(answer: Answer) -> None:
    assert open_answer(signed(answer), CENTRE.public, TERMINAL) == answer


@pytest.mark.parametrize("answer", [RECEIPT, REWIND, HOLD])
def test_an_answer_is_for_one_terminal_and_from_one_centre(answer: Answer) -> None:
    assert refused(signed(answer), "hall-b-02") is Reason.WRONG_TERMINAL
    with pytest.raises(ReceiptError) as other:
        open_answer(signed(answer), OTHER_CENTRE.public, TERMINAL)
    assert other.value.reason is Reason.BAD_SIGNATURE
    assert refused(DEVICE.sign(ANSWER_DOMAIN, signed(answer)[:-64])) is Reason.BAD_SIGNATURE
    assert refused(CENTRE.sign(b"tongban/1/status-list", signed(answer)[:-64])) is (
        Reason.BAD_SIGNATURE
    )


def test_an_oversized_answer_is_refused_by_its_size() -> None:
    full = RECEIPT._replace(terminal="a" * 32, exceptions=((1, 1),) * EXCEPTIONS_MAX)
    assert len(signed(full)) == ANSWER_BYTES_MAX
    assert refused(signed(full) + b"\0") is Reason.TOO_LARGE


def test_a_receipt_of_too_many_exceptions_is_refused_even_when_signed() -> None:
    body = signed(RECEIPT._replace(exceptions=()))[: -2 - 64]
    many = (EXCEPTIONS_MAX + 1).to_bytes(2, "big") + bytes(9 * (EXCEPTIONS_MAX + 1))
    assert refused(CENTRE.sign(ANSWER_DOMAIN, body + many)) is Reason.TOO_LARGE


def test_what_does_not_fit_is_never_signed() -> None:
    for wrong in (
        RECEIPT._replace(exceptions=((1, 1),) * (EXCEPTIONS_MAX + 1)),
        RECEIPT._replace(exceptions=((1, 256),)),
        RECEIPT._replace(link=b"short"),
        RECEIPT._replace(epoch_id=b"short"),
        RECEIPT._replace(through_seq=-1),
        RECEIPT._replace(terminal="HALL"),
        REWIND._replace(link=b""),
        REWIND._replace(time_ms=2**64),
        HOLD._replace(reason=256),
        HOLD._replace(generation=2**32),
    ):
        with pytest.raises(LocalError):
            signed(wrong)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"", b"TBR1", b"TBW1", b"TBH1"]), st.binary(max_size=200))
def test_garbage_is_a_receipt_error_also_when_signed(magic: bytes, data: bytes) -> None:
    refused(magic + data)
    refused(CENTRE.sign(ANSWER_DOMAIN, magic + data))


def test_codes_never_change_their_numbers() -> None:
    assert [(code.name, code.value) for code in ExceptionCode][:4] == [
        ("QUARANTINED_SEAL", 1),
        ("QUARANTINED_SCHEMA", 2),
        ("BRANCH_HELD", 3),
        ("CONFLICT", 4),
    ]
    assert [(reason.name, reason.value) for reason in HoldReason][:4] == [
        ("UNKNOWN_CENTRE_KEY", 1),
        ("OPENER_MISSING", 2),
        ("STORE_UNAVAILABLE", 3),
        ("TERMINAL_SUSPENDED", 4),
    ]


def test_a_code_from_a_newer_centre_is_kept_as_a_number() -> None:
    newer = RECEIPT._replace(exceptions=((7, 200),))
    assert open_answer(signed(newer), CENTRE.public, TERMINAL) == newer
    hold = HOLD._replace(reason=99)
    assert open_answer(signed(hold), CENTRE.public, TERMINAL) == hold
