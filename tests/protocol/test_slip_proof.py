"""A slip's code: only the terminal's own word, one writing of it, in what a scanner types right."""

import datetime
from base64 import b32encode, b64encode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.slip import QR_CHARACTERS_MAX
from protocol.errors import LocalError, Reason, SlipKeysError, SlipProofError
from protocol.fields import SEQ_MAX, TERMINAL_PATTERN, TICKET_NUMBER_PATTERN, UNIT_PATTERN
from protocol.slip_keys import (
    SLIP_KEYS_BYTES_MAX,
    SLIP_KEYS_DOMAIN,
    TERMINALS_MAX,
    TerminalKey,
    key_fingerprint,
    open_slip_keys,
    sign_slip_keys,
)
from protocol.slip_proof import (
    SERVICE_PATTERN,
    SLIP_CHARACTERS_MAX,
    SLIP_DOMAIN,
    SlipProof,
    claimed_terminal,
    open_slip,
    sign_slip,
)
from tests.protocol.sample import CENTRE, DEVICE, OTHER_CENTRE, OTHER_DEVICE, TERMINAL

DAY = datetime.date(2026, 11, 27)
PROOF = SlipProof(TERMINAL, "B-017", DAY, "green", "city/nancheng/hall-1")
KEYS = {
    TERMINAL: TerminalKey("city/nancheng/hall-1", DEVICE.verify_key),
    "hall-b-02": TerminalKey("city/nancheng/hall-2", OTHER_DEVICE.verify_key),
}
LONGEST = SlipProof("t" * 32, str(SEQ_MAX), DAY, "s" * 40, "/".join(["u" * 40] * 8))
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def refused(text: str) -> Reason:
    with pytest.raises(SlipProofError) as error:
        open_slip(text, DEVICE.verify_key)
    return error.value.reason


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        SlipProof,
        st.from_regex(TERMINAL_PATTERN, fullmatch=True),
        st.from_regex(TICKET_NUMBER_PATTERN, fullmatch=True) | st.integers(1, SEQ_MAX).map(str),
        st.dates(),
        st.from_regex(SERVICE_PATTERN, fullmatch=True),
        st.from_regex(UNIT_PATTERN, fullmatch=True),
    )
)
def test_what_is_signed_is_read_and_fits_alphanumeric_mode(proof: SlipProof) -> None:
    text = sign_slip(DEVICE, proof)
    assert open_slip(text, DEVICE.verify_key) == proof
    assert claimed_terminal(text) == proof.terminal
    assert set(text) <= ALPHANUMERIC - set(" $%*+.:")
    assert len(text) <= SLIP_CHARACTERS_MAX


def test_the_longest_slip_fits_in_the_largest_code() -> None:
    assert len(sign_slip(DEVICE, LONGEST)) == SLIP_CHARACTERS_MAX <= QR_CHARACTERS_MAX


def test_another_terminals_signature_and_another_use_of_the_key_prove_nothing() -> None:
    text = sign_slip(DEVICE, PROOF)
    with pytest.raises(SlipProofError) as error:
        open_slip(text, OTHER_DEVICE.verify_key)
    assert error.value.reason is Reason.BAD_SIGNATURE
    body = text.rpartition("/")[0].encode()
    for domain in (b"", b"tongban/1/batch", b"tongban/1/state", SLIP_DOMAIN + b"/"):
        other = b32encode(DEVICE.sign(domain, body)[-64:]).decode().rstrip("=")
        assert refused(f"{body.decode()}/{other}") is Reason.BAD_SIGNATURE


def test_a_field_of_one_slip_does_not_move_into_another() -> None:
    first = sign_slip(DEVICE, PROOF).split("/")
    second = sign_slip(DEVICE, PROOF._replace(number="B-018")).split("/")
    for at in range(len(first)):
        mixed = "/".join([*first[:at], second[at], *first[at + 1 :]])
        if mixed not in ("/".join(first), "/".join(second)):
            assert refused(mixed) is Reason.BAD_SIGNATURE


def test_there_is_one_writing_of_a_slip() -> None:
    text = sign_slip(DEVICE, PROOF)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    last = alphabet.index(text[-1])
    assert last % 8 == 0, "three bits are left over"
    for spare in range(1, 8):
        assert refused(text[:-1] + alphabet[last + spare]) is Reason.MALFORMED
    for other in (text.lower(), text + "=", f" {text}", f"{text}\n", text.replace("/", "//", 1)):
        assert refused(other) is Reason.MALFORMED


@pytest.mark.parametrize(
    "text",
    ["", "/", "TB1", "TB2/" + "A" * 120, "TB1/GATE-1/B-017", "https://example.org/" + "A" * 103],
)
def test_what_is_no_slip_is_said_to_be_none(text: str) -> None:
    assert refused(text) is Reason.MALFORMED
    with pytest.raises(SlipProofError):
        claimed_terminal(text)


def test_a_text_longer_than_any_slip_is_not_looked_at() -> None:
    assert refused("A" * (SLIP_CHARACTERS_MAX + 1)) is Reason.TOO_LARGE


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_meets_the_typed_error_only(text: str) -> None:
    with pytest.raises(SlipProofError):
        open_slip(text, DEVICE.verify_key)


@pytest.mark.parametrize(
    "wrong",
    [
        PROOF._replace(terminal="Hall-A"),
        PROOF._replace(terminal="hall/a"),
        PROOF._replace(number="b-017"),
        PROOF._replace(number="017"),
        PROOF._replace(number="0"),
        PROOF._replace(number=str(SEQ_MAX + 1)),
        PROOF._replace(service="绿色"),
        PROOF._replace(service="a" * 41),
        PROOF._replace(service=""),
        PROOF._replace(unit="city//hall"),
        PROOF._replace(unit="a/" * 8 + "a"),
    ],
)
def test_a_slip_that_breaks_its_form_is_not_signed(wrong: SlipProof) -> None:
    with pytest.raises(LocalError):
        sign_slip(DEVICE, wrong)


# ---- the file of keys


def keys_refused(raw: bytes, fingerprint: str = "") -> Reason:
    with pytest.raises(SlipKeysError) as error:
        open_slip_keys(raw, fingerprint)
    return error.value.reason


def test_the_keys_arrive_with_their_unit_and_date() -> None:
    keys = open_slip_keys(sign_slip_keys(CENTRE, "city/nancheng", 1_760_000_000_000, KEYS).encode())
    assert (keys.unit, keys.issued_ms, keys.terminals) == ("city/nancheng", 1_760_000_000_000, KEYS)
    assert keys.fingerprint == key_fingerprint(CENTRE.public.verify_key)


def test_a_file_of_another_centre_is_told_apart_by_its_fingerprint() -> None:
    ours = key_fingerprint(CENTRE.public.verify_key)
    other = sign_slip_keys(OTHER_CENTRE, "", 1, KEYS).encode()
    assert open_slip_keys(other).fingerprint != ours
    assert keys_refused(other, ours) is Reason.UNKNOWN_CENTRE_KEY
    assert open_slip_keys(sign_slip_keys(CENTRE, "", 1, KEYS).encode(), ours).terminals == KEYS


def test_a_key_that_was_put_in_later_is_refused() -> None:
    file = msgspec.json.decode(sign_slip_keys(CENTRE, "", 1, {}).encode())
    body = msgspec.json.decode(file["body"])
    body["terminals"]["hall-x-01"] = {"unit": "city", "key": "A" * 43 + "="}
    file["body"] = msgspec.json.encode(body).decode()
    assert keys_refused(msgspec.json.encode(file)) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"format": 2, "unit": "", "issued_ms": 1, "terminals": {}},
        {"format": 1, "unit": "City", "issued_ms": 1, "terminals": {}},
        {"format": 1, "unit": "", "issued_ms": -1, "terminals": {}},
        {"format": 1, "unit": "", "issued_ms": 1, "terminals": {"x": {"unit": "c", "key": ""}}},
        {"format": 1, "unit": "", "issued_ms": 1, "terminals": {}, "more": 1},
    ],
)
def test_a_centre_that_signs_nonsense_is_refused(body: dict[str, object]) -> None:
    body |= {"centre": CENTRE.public.verify_key}
    raw = CENTRE.sign(SLIP_KEYS_DOMAIN, msgspec.json.encode(body))
    signature = b64encode(raw[-64:]).decode()
    file = {"body": raw[:-64].decode(), "signature": signature}
    assert keys_refused(msgspec.json.encode(file)) is Reason.MALFORMED


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_file_meets_the_typed_error_only(raw: bytes) -> None:
    with pytest.raises(SlipKeysError):
        open_slip_keys(raw)


def test_too_many_terminals_and_too_large_a_file_are_refused() -> None:
    many = {f"t-{n}": KEYS[TERMINAL] for n in range(TERMINALS_MAX)}
    raw = sign_slip_keys(CENTRE, "", 1, many).encode()
    assert len(open_slip_keys(raw).terminals) == TERMINALS_MAX
    with pytest.raises(LocalError):
        sign_slip_keys(CENTRE, "", 1, many | {"one-more": KEYS[TERMINAL]})
    assert keys_refused(b" " * (SLIP_KEYS_BYTES_MAX + 1)) is Reason.TOO_LARGE


def test_a_unit_that_is_none_is_not_signed() -> None:
    with pytest.raises(LocalError):
        sign_slip_keys(CENTRE, "City Hall", 1, KEYS)
