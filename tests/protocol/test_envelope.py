"""The envelope: opens only at the right centre, only in its own place, and never twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.envelope import (
    EPOCH_RECORDS_MAX,
    LINK_ZERO,
    OPENER_BYTES_MAX,
    PLAINTEXT_BYTES_MAX,
    Epoch,
    EpochReader,
    make_header,
    next_link,
    parse_opener,
    verify_opener,
)
from protocol.errors import EnvelopeError, LocalError, Reason, SealRefusedError
from tests.protocol.sample import (
    CENTRE,
    DEVICE,
    OTHER_CENTRE,
    OTHER_DEVICE,
    TERMINAL,
    entropy,
    open_epoch,
)


def reader_of(epoch: Epoch) -> EpochReader:
    return EpochReader.open(epoch.opener, CENTRE, DEVICE.verify_key)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 255), st.binary(max_size=300))),
    st.integers(1, 2**62),
    st.from_regex(r"[a-z0-9-]{3,32}", fullmatch=True),
)
def test_what_is_sealed_opens_in_any_order(
    records: list[tuple[int, int, bytes]], first_seq: int, terminal: str
) -> None:
    epoch = open_epoch("any", first_seq, entropy("before"), terminal)
    rows = [epoch.seal(*record) for record in records]
    reader = reader_of(epoch)
    assert [row.seq for row in rows] == list(range(first_seq, first_seq + len(rows)))
    for row, record in reversed(list(zip(rows, records, strict=True))):
        assert reader.unseal(row.seq, row.kind, row.coding, row.ciphertext) == record[2]
    assert reader.unseal_rows(rows) == [record[2] for record in records]


def test_the_chain_is_the_hash_of_link_header_and_ciphertext() -> None:
    epoch = open_epoch()
    link = LINK_ZERO
    for number in range(3):
        row = epoch.seal(1, 1, bytes(number))
        link = next_link(link, make_header(TERMINAL, epoch.epoch_id, row.seq, 1, 1), row.ciphertext)
        assert row.link == epoch.link == link


def test_an_opener_says_where_it_stands() -> None:
    epoch = open_epoch("e", 42, entropy("before"))
    fields = verify_opener(epoch.opener, DEVICE.verify_key)
    assert fields == parse_opener(epoch.opener)
    assert (fields.terminal, fields.first_seq) == (TERMINAL, 42)
    assert fields.epoch_id == epoch.epoch_id
    assert fields.link_before == entropy("before")
    assert fields.centre_key_id == CENTRE.public.key_id
    assert len(epoch.opener) == 1304 + len(TERMINAL)


def test_an_epoch_seals_each_seq_once_and_256_at_most() -> None:
    epoch = open_epoch()
    seqs = [epoch.seal(1, 1, b"").seq for _ in range(EPOCH_RECORDS_MAX)]
    assert seqs == list(range(1, EPOCH_RECORDS_MAX + 1))
    assert not epoch.is_open
    with pytest.raises(SealRefusedError):
        epoch.seal(1, 1, b"")
    assert epoch.seq_next == EPOCH_RECORDS_MAX + 1


def test_a_discarded_epoch_never_seals_again() -> None:
    epoch = open_epoch()
    epoch.seal(1, 1, b"first")
    epoch.discard()
    assert not epoch.is_open
    with pytest.raises(SealRefusedError):
        epoch.seal(1, 1, b"second")


def test_an_epoch_whose_cipher_failed_never_seals_again() -> None:
    epoch = open_epoch()
    with pytest.raises(TypeError):
        epoch.seal(1, 1, "text")  # type: ignore[arg-type]
    with pytest.raises(SealRefusedError):
        epoch.seal(1, 1, b"bytes")


@pytest.mark.parametrize(("kind", "coding"), [(-1, 1), (65536, 1), (1, -1), (1, 256)])
def test_a_header_that_does_not_fit_uses_no_nonce(kind: int, coding: int) -> None:
    epoch = open_epoch()
    with pytest.raises(LocalError):
        epoch.seal(kind, coding, b"")
    with pytest.raises(LocalError):
        epoch.seal(1, 1, bytes(PLAINTEXT_BYTES_MAX + 1))
    assert epoch.seal(1, 1, b"").seq == 1


@pytest.mark.parametrize(
    ("terminal", "epoch_bytes", "root_bytes", "first_seq", "link_bytes"),
    [
        ("a", 16, 32, 1, 32),
        ("hall/01", 16, 32, 1, 32),
        ("HALL-01", 16, 32, 1, 32),
        ("hall-01\n", 16, 32, 1, 32),
        (TERMINAL, 15, 32, 1, 32),
        (TERMINAL, 16, 31, 1, 32),
        (TERMINAL, 16, 32, 0, 32),
        (TERMINAL, 16, 32, 2**63, 32),
        (TERMINAL, 16, 32, 1, 31),
    ],
)
def test_an_epoch_does_not_open_on_wrong_values(
    terminal: str, epoch_bytes: int, root_bytes: int, first_seq: int, link_bytes: int
) -> None:
    with pytest.raises(LocalError):
        Epoch.open(
            terminal,
            CENTRE.public,
            DEVICE,
            bytes(epoch_bytes),
            bytes(root_bytes),
            first_seq,
            bytes(link_bytes),
        )


def test_another_centre_cannot_open() -> None:
    epoch = open_epoch()
    with pytest.raises(EnvelopeError) as unknown:
        EpochReader.open(epoch.opener, OTHER_CENTRE, DEVICE.verify_key)
    assert unknown.value.reason is Reason.UNKNOWN_CENTRE_KEY


def test_a_root_sealed_to_another_key_under_our_name_does_not_open() -> None:
    class Pretender:
        """Names our key, seals to its own."""

        key_id = CENTRE.public.key_id
        hpke_key = OTHER_CENTRE.public.hpke_key

    epoch = Epoch.open(
        TERMINAL,
        Pretender(),  # type: ignore[arg-type]
        DEVICE,
        entropy("e", 16),
        entropy("r"),
        1,
        LINK_ZERO,
    )
    with pytest.raises(EnvelopeError) as wrong:
        EpochReader.open(epoch.opener, CENTRE, DEVICE.verify_key)
    assert wrong.value.reason is Reason.NOT_OPENED


def test_another_device_cannot_open_an_epoch_in_this_ones_name() -> None:
    with pytest.raises(EnvelopeError) as forged:
        EpochReader.open(open_epoch().opener, CENTRE, OTHER_DEVICE.verify_key)
    assert forged.value.reason is Reason.BAD_SIGNATURE


def test_a_record_opens_only_in_its_own_place() -> None:
    here = open_epoch("here")
    same_root_elsewhere = Epoch.open(
        "hall-b-02",
        CENTRE.public,
        DEVICE,
        entropy("here", 16),
        entropy("here root"),
        1,
        LINK_ZERO,
    )
    same_root_other_epoch = Epoch.open(
        TERMINAL, CENTRE.public, DEVICE, entropy("x", 16), entropy("here root"), 1, LINK_ZERO
    )
    row = here.seal(1, 1, b"a fact")
    here.seal(1, 1, b"another")
    reader = reader_of(here)
    assert reader.unseal(*row[:4]) == b"a fact"
    misplaced = [
        (reader, row._replace(seq=2)),  # cross-seq
        (reader, row._replace(kind=2)),
        (reader, row._replace(coding=2)),
        (reader_of(same_root_elsewhere), row),  # cross-terminal
        (reader_of(same_root_other_epoch), row),  # cross-epoch
        (reader_of(open_epoch("there")), row),  # another key
        (reader, row._replace(seq=EPOCH_RECORDS_MAX + 1)),
        (reader, row._replace(seq=0)),
        (reader, row._replace(seq=-1)),
        (reader, row._replace(seq=2**64)),
        (reader, row._replace(kind=-1)),
    ]
    for wrong_reader, wrong_row in misplaced:
        with pytest.raises(EnvelopeError) as refused:
            wrong_reader.unseal(*wrong_row[:4])
        assert refused.value.reason is Reason.NOT_OPENED
        assert wrong_reader.unseal_rows([wrong_row]) == [None]


def test_what_a_device_seals_beyond_its_256_records_is_not_taken() -> None:
    epoch = open_epoch()
    epoch._seq_end += 1  # a device that broke the rule
    rows = [epoch.seal(1, 1, b"fact") for _ in range(EPOCH_RECORDS_MAX + 1)]
    assert reader_of(epoch).unseal_rows(rows) == [b"fact"] * EPOCH_RECORDS_MAX + [None]


def test_one_record_that_does_not_open_leaves_the_others() -> None:
    epoch = open_epoch()
    rows = [epoch.seal(1, 1, bytes((n,))) for n in range(3)]
    rows[1] = rows[1]._replace(ciphertext=bytes(len(rows[1].ciphertext)))
    assert reader_of(epoch).unseal_rows(rows) == [b"\0", None, b"\2"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_an_envelope_error(data: bytes) -> None:
    for raw in (data, DEVICE.sign(b"tongban/1/opener", data)):
        for read in (parse_opener, lambda r: EpochReader.open(r, CENTRE, DEVICE.verify_key)):
            with pytest.raises(EnvelopeError):
                read(raw)
    with pytest.raises(EnvelopeError):
        reader_of(open_epoch()).unseal(1, 1, 1, data)


def test_an_oversized_opener_is_refused_by_its_size() -> None:
    for read in (parse_opener, lambda raw: verify_opener(raw, DEVICE.verify_key)):
        with pytest.raises(EnvelopeError) as size:
            read(bytes(OPENER_BYTES_MAX + 1))
        assert size.value.reason is Reason.TOO_LARGE


def test_an_opener_of_another_suite_is_refused() -> None:
    body = bytearray(open_epoch().opener[:-64])
    body[4] = 2
    with pytest.raises(EnvelopeError) as suite:
        verify_opener(DEVICE.sign(b"tongban/1/opener", bytes(body)), DEVICE.verify_key)
    assert suite.value.reason is Reason.WRONG_SUITE
