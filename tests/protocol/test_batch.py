"""Batches: signed over raw bytes, whole, in one chain, of one terminal and one epoch."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.batch import (
    BATCH_BYTES_MAX,
    BATCH_DOMAIN,
    BATCH_RECORDS_MAX,
    build_batch,
    check_opener,
    fitting,
    parse_batch,
)
from protocol.envelope import LINK_ZERO, EpochReader, Sealed, make_header, next_link
from protocol.errors import BatchError, LocalError, Reason
from protocol.receipts import Receipt, sign_receipt
from protocol.records import decode
from tests.protocol.sample import (
    CENTRE,
    COMMON,
    DEVICE,
    OTHER_DEVICE,
    PASSAGE,
    TERMINAL,
    entropy,
    open_epoch,
    sealed_rows,
    small_batch,
)


def refused(raw: bytes) -> Reason:
    with pytest.raises(BatchError) as error:
        parse_batch(raw, DEVICE.verify_key, TERMINAL)
    return error.value.reason


def resigned(raw: bytes, change: Callable[[bytearray], object]) -> bytes:
    """`raw` changed by a device that signs whatever it likes."""
    body = bytearray(raw[:-64])
    change(body)
    return DEVICE.sign(BATCH_DOMAIN, bytes(body))


def test_a_batch_carries_records_from_seal_to_opening() -> None:
    epoch, rows, raw = small_batch(5)
    batch = parse_batch(raw, DEVICE.verify_key, TERMINAL)
    assert batch.rows == rows
    assert (batch.first_seq, batch.last_seq) == (1, 5)
    assert batch.link_last == rows[-1].link
    assert batch.opener == epoch.opener
    assert batch.opener_hash == sha256(epoch.opener).digest()
    assert batch.raw == raw
    reader = EpochReader.open(batch.opener, CENTRE, DEVICE.verify_key)
    for row, plaintext in zip(batch.rows, reader.unseal_rows(batch.rows), strict=True):
        assert plaintext is not None
        _, kind, coding, *_ = row
        assert decode(kind, coding, plaintext) == (COMMON, PASSAGE)


def test_once_known_the_opener_stays_at_home() -> None:
    epoch, rows, whole = small_batch(5)
    opener_hash = sha256(epoch.opener).digest()
    raw = build_batch(DEVICE, TERMINAL, epoch.epoch_id, opener_hash, rows[1].link, rows[2:])
    batch = parse_batch(raw, DEVICE.verify_key)
    assert batch.opener is None
    assert batch.opener_hash == parse_batch(whole, DEVICE.verify_key).opener_hash
    assert batch.rows == rows[2:]


def test_a_batch_can_be_signed_again_without_the_root() -> None:
    epoch, rows, raw = small_batch(3)
    epoch.discard()
    again = build_batch(DEVICE, TERMINAL, epoch.epoch_id, epoch.opener, LINK_ZERO, rows)
    assert again == raw


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 255), st.binary(max_size=500)),
        min_size=1,
        max_size=BATCH_RECORDS_MAX,
    ),
    st.integers(1, 2**62),
)
def test_any_rows_come_back(records: list[tuple[int, int, bytes]], first_seq: int) -> None:
    epoch = open_epoch("any", first_seq, entropy("link"))
    rows = [epoch.seal(*record) for record in records]
    rows = rows[: fitting(len(row.ciphertext) for row in rows)]
    raw = build_batch(DEVICE, TERMINAL, epoch.epoch_id, epoch.opener, entropy("link"), rows)
    assert parse_batch(raw, DEVICE.verify_key, TERMINAL).rows == rows


def test_fitting_fills_a_batch_to_its_limits() -> None:
    assert fitting([16] * 1000) == BATCH_RECORDS_MAX
    assert fitting([16_400]) == 1
    assert fitting([]) == 0
    epoch = open_epoch(terminal="a" * 32)
    rows = [epoch.seal(1, 1, bytes(16 * 1024)) for _ in range(20)]
    count = fitting(len(row.ciphertext) for row in rows)
    args = ("a" * 32, epoch.epoch_id, epoch.opener, LINK_ZERO)
    assert len(build_batch(DEVICE, *args, rows[:count])) <= BATCH_BYTES_MAX
    with pytest.raises(LocalError):
        build_batch(DEVICE, *args, rows[: count + 1])


def test_rows_that_do_not_belong_together_are_not_signed() -> None:
    epoch, rows, _ = small_batch(3)
    args = (DEVICE, TERMINAL, epoch.epoch_id, epoch.opener, LINK_ZERO)
    wrong: list[list[Sealed]] = [
        [],
        [rows[0], rows[2]],
        [rows[1], rows[0]],
        [rows[0], rows[0]],
        [rows[0]] * (BATCH_RECORDS_MAX + 1),
    ]
    for bad in wrong:
        with pytest.raises(LocalError):
            build_batch(*args, bad)


def test_a_batch_of_another_device_or_terminal_is_refused() -> None:
    _, _, raw = small_batch()
    with pytest.raises(BatchError) as device:
        parse_batch(raw, OTHER_DEVICE.verify_key)
    assert device.value.reason is Reason.BAD_SIGNATURE
    with pytest.raises(BatchError) as terminal:
        parse_batch(raw, DEVICE.verify_key, "hall-b-02")
    assert terminal.value.reason is Reason.WRONG_TERMINAL


def test_a_signature_made_for_another_purpose_is_refused() -> None:
    epoch, _, raw = small_batch()
    assert refused(DEVICE.sign(b"tongban/1/opener", raw[:-64])) is Reason.BAD_SIGNATURE
    assert refused(epoch.opener) is Reason.BAD_SIGNATURE


def test_size_is_refused_before_anything_is_read() -> None:
    assert refused(bytes(BATCH_BYTES_MAX + 1)) is Reason.TOO_LARGE
    assert refused(b"") is Reason.TOO_SHORT
    assert refused(bytes(64)) is Reason.TOO_SHORT


def test_records_cut_out_swapped_or_replaced_break_the_chain_even_when_signed() -> None:
    epoch, rows, _ = small_batch(4)
    other = sealed_rows(open_epoch(), 4)  # the same plaintexts sealed again, same nonces: a clone
    foreign = sealed_rows(open_epoch("else"), 4)
    args = (DEVICE, TERMINAL, epoch.epoch_id, epoch.opener, LINK_ZERO)

    def renumbered(chosen: list[Sealed]) -> list[Sealed]:
        return [row._replace(seq=1 + n) for n, row in enumerate(chosen)]

    for chosen in (
        [rows[0], rows[2], rows[3]],
        [rows[1], rows[0], rows[2], rows[3]],
        [rows[0], foreign[1], rows[2], rows[3]],
        rows[1:],
    ):
        assert refused(build_batch(*args, renumbered(chosen))) is Reason.BROKEN_CHAIN
    assert other == rows  # sealing draws nothing at random: only the root makes epochs differ


def test_an_opener_of_another_epoch_terminal_or_place_is_refused() -> None:
    epoch, rows, _ = small_batch(2)
    # another terminal's, another epoch's, another range, another link before
    wrong = {
        Reason.WRONG_TERMINAL: [open_epoch(terminal="hall-b-02").opener],
        Reason.WRONG_EPOCH: [
            open_epoch("else").opener,
            open_epoch(first_seq=2).opener,
            open_epoch(first_seq=300).opener,
        ],
        Reason.BROKEN_CHAIN: [open_epoch(link=entropy("elsewhere")).opener],
        Reason.MALFORMED: [bytes(1000)],
        Reason.TOO_SHORT: [bytes(3), bytes(64)],
        Reason.TOO_LARGE: [bytes(4000)],
    }
    for reason, openers in wrong.items():
        for opener in openers:
            raw = build_batch(DEVICE, TERMINAL, epoch.epoch_id, opener, LINK_ZERO, rows)
            assert refused(raw) is reason
            digest = sha256(opener).digest()
            by_hash = build_batch(DEVICE, TERMINAL, epoch.epoch_id, digest, LINK_ZERO, rows)
            with pytest.raises(BatchError) as stored:
                check_opener(parse_batch(by_hash, DEVICE.verify_key, TERMINAL), opener)
            assert stored.value.reason is reason


def test_fields_out_of_range_are_refused_even_when_signed() -> None:
    _, _, raw = small_batch(1)

    def put(at: int, data: bytes) -> Reason:
        return refused(
            resigned(raw, lambda body: body.__setitem__(slice(at, at + len(data)), data))
        )

    assert put(0, b"TBB2") is Reason.MALFORMED
    assert put(4, b"\x02") is Reason.WRONG_SUITE
    assert put(21, bytes(8)) is Reason.MALFORMED  # first seq 0
    assert put(21, b"\xff" * 8) is Reason.MALFORMED
    assert put(29, bytes(2)) is Reason.TOO_LARGE  # no records
    assert put(29, b"\x01\x01") is Reason.TOO_LARGE  # 257
    assert put(29, b"\x00\x02") is Reason.TOO_SHORT  # one more than there are
    assert put(96, b"HALL") is Reason.MALFORMED
    assert refused(resigned(raw, lambda body: body.append(0))) is Reason.MALFORMED
    row = len(raw) - 64 - len(small_batch(1)[1][0].ciphertext) - 5
    assert put(row + 3, b"\x00\x0f") is Reason.MALFORMED  # bytes left over
    assert put(row + 3, b"\xff\xff") is Reason.TOO_SHORT


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_a_batch_error_also_when_signed(data: bytes) -> None:
    for body in (data, b"TBB1\x01" + data):
        refused(body)
        refused(DEVICE.sign(BATCH_DOMAIN, body))


@pytest.mark.parametrize("ciphertext", [b"", bytes(15), bytes(16), bytes(60_000)])
def test_a_row_that_is_no_ciphertext_does_not_hold_back_the_others(ciphertext: bytes) -> None:
    epoch, rows, _ = small_batch(1)
    link = next_link(rows[0].link, make_header(TERMINAL, epoch.epoch_id, 2, 1, 1), ciphertext)
    rows.append(Sealed(2, 1, 1, ciphertext, link))
    raw = build_batch(DEVICE, TERMINAL, epoch.epoch_id, epoch.opener, LINK_ZERO, rows)
    batch = parse_batch(raw, DEVICE.verify_key, TERMINAL)
    assert batch.rows == rows
    opened = EpochReader.open(epoch.opener, CENTRE, DEVICE.verify_key).unseal_rows(batch.rows)
    assert opened[0] is not None
    assert opened[1] is None


def test_a_record_costs_at_most_140_bytes_on_the_wire_in_a_full_batch() -> None:
    epoch, rows, raw = small_batch(BATCH_RECORDS_MAX)
    receipt = Receipt(TERMINAL, 1, epoch.epoch_id, 200, rows[-1].link, 0, 1_760_000_000_000)
    assert (len(raw) + len(sign_receipt(CENTRE, receipt))) / BATCH_RECORDS_MAX <= 140
