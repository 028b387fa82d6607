"""Every bit flip and every truncation of what travels is refused, through the public way.

Twice: as a stranger changes bytes (the signature fails), and as a broken or hostile sender signs
what it changed (then fields, seal and chain must catch it).
"""

from collections.abc import Callable
from contextlib import suppress

import pytest

from protocol.batch import BATCH_DOMAIN, Batch, parse_batch
from protocol.envelope import OPENER_DOMAIN, EpochReader
from protocol.errors import (
    BatchError,
    EnvelopeError,
    ReceiptError,
    RemoteError,
    SlipKeysError,
    SlipProofError,
    StateError,
    StatusListError,
)
from protocol.receipts import ANSWER_DOMAIN, open_answer, sign_hold, sign_receipt, sign_rewind
from protocol.slip_keys import open_slip_keys, sign_slip_keys
from protocol.slip_proof import open_slip, sign_slip
from protocol.state import STATE_DOMAIN, open_state, sign_state
from protocol.status_list import STATUS_LIST_DOMAIN, open_status_list, sign_status_list
from tests.protocol.sample import CENTRE, DEVICE, TERMINAL, flips, open_epoch, small_batch
from tests.protocol.test_answers import HOLD, RECEIPT, REWIND
from tests.protocol.test_slip_proof import KEYS, PROOF
from tests.protocol.test_state_and_status_list import LIST, STATE


def whole_way(raw: bytes) -> list[bytes | None]:
    """As the centre reads a batch: parse, open the epoch, unseal."""
    batch: Batch = parse_batch(raw, DEVICE.verify_key, TERMINAL)
    assert batch.opener is not None, "this batch brought its opener"
    reader = EpochReader.open(batch.opener, CENTRE, DEVICE.verify_key)
    assert reader.opener.terminal == batch.terminal
    return reader.unseal_rows(batch.rows)


def open_opener(raw: bytes) -> object:
    return EpochReader.open(raw, CENTRE, DEVICE.verify_key)


def open_for_us(raw: bytes) -> object:
    return open_answer(raw, CENTRE.public, TERMINAL)


SIGNED: dict[str, tuple[bytes, Callable[[bytes], object], type[RemoteError]]] = {
    "opener": (open_epoch().opener, open_opener, EnvelopeError),
    "batch": (small_batch(2)[2], whole_way, BatchError),
    "receipt": (sign_receipt(CENTRE, RECEIPT), open_for_us, ReceiptError),
    "rewind": (sign_rewind(CENTRE, REWIND), open_for_us, ReceiptError),
    "hold": (sign_hold(CENTRE, HOLD), open_for_us, ReceiptError),
    "state": (
        sign_state(DEVICE, TERMINAL, 1, STATE),
        lambda raw: open_state(raw, DEVICE.verify_key, TERMINAL),
        StateError,
    ),
    "status list": (
        sign_status_list(CENTRE, LIST),
        lambda raw: open_status_list(raw, CENTRE.public),
        StatusListError,
    ),
    "slip": (
        sign_slip(DEVICE, PROOF).encode(),
        lambda raw: open_slip(raw.decode("latin-1"), DEVICE.verify_key),
        SlipProofError,
    ),
    "slip keys": (
        sign_slip_keys(CENTRE, "", 1, KEYS).encode(),
        open_slip_keys,
        SlipKeysError,
    ),
}


EACH_BYTE = 7
"""Every seventh bit: one or two of each byte, each of the eight places in turn."""
STEPS = pytest.mark.parametrize("step", [EACH_BYTE, pytest.param(1, marks=pytest.mark.long)])
"""Of what is LONG; all bits of it in the long run."""
LONG = ("opener", "batch")


@pytest.mark.parametrize("what", SIGNED)
def test_every_flipped_bit_is_refused(what: str) -> None:
    refused_whichever_bit(what, EACH_BYTE if what in LONG else 1)


@pytest.mark.long
@pytest.mark.parametrize("what", LONG)
def test_every_flipped_bit_of_what_is_long_is_refused(what: str) -> None:
    refused_whichever_bit(what, 1)


def refused_whichever_bit(what: str, step: int) -> None:
    raw, read, error = SIGNED[what]
    read(raw)
    accepted = []
    for bit, changed in flips(raw, step):
        try:
            read(changed)
            accepted.append(bit)
        except error:
            pass
    assert accepted == []


@pytest.mark.parametrize("what", SIGNED)
def test_every_truncation_and_every_extension_is_refused(what: str) -> None:
    raw, read, error = SIGNED[what]
    for size in range(len(raw)):
        with pytest.raises(error):
            read(raw[:size])
    for more in (b"\0", b"\xff", raw):
        with pytest.raises(error):
            read(raw + more)


@STEPS
def test_an_opener_changed_and_signed_again_by_its_device_does_not_open(step: int) -> None:
    raw = open_epoch().opener
    accepted = []
    for bit, changed in flips(raw[:-64], step):
        try:
            open_opener(DEVICE.sign(OPENER_DOMAIN, changed))
            accepted.append(bit)
        except EnvelopeError:
            pass
    assert accepted == []


@STEPS
def test_a_batch_changed_and_signed_again_by_its_device_is_refused(step: int) -> None:
    raw = small_batch(2)[2]
    accepted = []
    for bit, changed in flips(raw[:-64], step):
        try:
            whole_way(DEVICE.sign(BATCH_DOMAIN, changed))
            accepted.append(bit)
        except (BatchError, EnvelopeError):
            pass
    assert accepted == []


@pytest.mark.parametrize(
    ("what", "sign"),
    [
        ("receipt", lambda body: CENTRE.sign(ANSWER_DOMAIN, body)),
        ("rewind", lambda body: CENTRE.sign(ANSWER_DOMAIN, body)),
        ("hold", lambda body: CENTRE.sign(ANSWER_DOMAIN, body)),
        ("state", lambda body: DEVICE.sign(STATE_DOMAIN, body)),
        ("status list", lambda body: CENTRE.sign(STATUS_LIST_DOMAIN, body)),
    ],
)
def test_a_signer_that_signs_nonsense_meets_typed_errors_only(
    what: str, sign: Callable[[bytes], bytes]
) -> None:
    raw, read, error = SIGNED[what]
    for _, changed in flips(raw[:-64]):
        with suppress(error):
            read(sign(changed))
    for size in range(len(raw) - 64):
        with pytest.raises(error):
            read(sign(raw[:size]))
