"""Commands: only the centre's own word, for this terminal, makes a terminal do anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.commands import (
    COMMAND_DOMAIN,
    AnswerHelp,
    CallTicket,
    Command,
    open_command,
    sign_command,
)
from protocol.errors import CommandError, LocalError, Reason
from protocol.fields import TICKET_NUMBER_PATTERN
from tests.protocol.sample import CENTRE, DEVICE, OTHER_CENTRE, TERMINAL, flips

U64 = st.integers(0, 2**64 - 1)
CALL = Command(TERMINAL, 7, 1_000, 61_000, CallTicket("B-017", "3"))


def refused(raw: bytes, terminal: str = TERMINAL) -> Reason:
    with pytest.raises(CommandError) as error:
        open_command(raw, CENTRE.public, terminal)
    return error.value.reason


@settings(max_examples=50, deadline=None)
@given(
    U64,
    U64,
    U64,
    st.builds(AnswerHelp, st.integers(0, 2**32 - 1))
    | st.builds(
        CallTicket,
        st.from_regex(TICKET_NUMBER_PATTERN, fullmatch=True),
        st.from_regex("[0-9]{1,2}", fullmatch=True),
    ),
)
def test_what_the_centre_asks_arrives(
    number: int, issued_ms: int, expires_ms: int, body: AnswerHelp | CallTicket
) -> None:
    command = Command(TERMINAL, number, issued_ms, expires_ms, body)
    assert open_command(sign_command(CENTRE, command), CENTRE.public, TERMINAL) == command


def test_a_command_is_for_one_terminal_and_from_one_centre() -> None:
    raw = sign_command(CENTRE, CALL)
    assert refused(raw, "hall-b-02") is Reason.WRONG_TERMINAL
    assert refused(sign_command(OTHER_CENTRE, CALL)) is Reason.BAD_SIGNATURE
    assert refused(DEVICE.sign(COMMAND_DOMAIN, raw[:-64])) is Reason.BAD_SIGNATURE
    assert refused(CENTRE.sign(b"tongban/1/answer", raw[:-64])) is Reason.BAD_SIGNATURE


def test_every_flipped_bit_and_every_cut_is_refused() -> None:
    raw = sign_command(CENTRE, CALL)
    for _, changed in flips(raw):
        assert refused(changed) is Reason.BAD_SIGNATURE
    for size in range(len(raw)):
        refused(raw[:size])
    assert refused(raw + bytes(1024)) is Reason.TOO_LARGE


def test_a_kind_of_a_newer_centre_is_taken_and_does_nothing() -> None:
    body = sign_command(CENTRE, CALL)[:-64]
    at = 4 + 1 + len(TERMINAL) + 24
    newer = CENTRE.sign(COMMAND_DOMAIN, body[:at] + bytes((99,)) + body[at + 1 :])
    assert open_command(newer, CENTRE.public, TERMINAL) == Command(TERMINAL, 7, 1_000, 61_000, None)


@pytest.mark.parametrize(
    "body", [CallTicket("I-1", "3"), CallTicket("B-017", "123"), AnswerHelp(-1), None]
)
def test_what_does_not_fit_is_never_signed(body: AnswerHelp | CallTicket | None) -> None:
    with pytest.raises(LocalError):
        sign_command(CENTRE, Command(TERMINAL, 1, 0, 0, body))
