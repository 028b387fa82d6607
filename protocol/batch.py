"""A batch: consecutive sealed records of one epoch, signed by the device over its raw bytes.

It can be built and signed again after a crash without the epoch's root. Reading it checks, in this
order: size, signature, fields, opener, chain. Format: docs/envelope.md.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from protocol.envelope import (
    EPOCH_RECORDS_MAX,
    OPENER_BYTES_MAX,
    Sealed,
    SealedRow,
    header_prefix,
    parse_opener,
)
from protocol.errors import BatchError, EnvelopeError, LocalError, Reason
from protocol.fields import (
    EPOCH_ID_BYTES,
    LINK_BYTES,
    SEQ_MAX,
    SIGNATURE_BYTES,
    TERMINAL_BYTES_MAX,
    Reader,
    checked_body,
    pack_terminal,
)
from protocol.keys import SUITE_XWING_SHA256_AES256GCM, DeviceKey

__all__ = [
    "BATCH_BYTES_MAX",
    "BATCH_RECORDS_MAX",
    "Batch",
    "SealedRow",
    "build_batch",
    "check_opener",
    "fitting",
    "parse_batch",
]

BATCH_MAGIC = b"TBB1"
BATCH_DOMAIN = b"tongban/1/batch"
BATCH_RECORDS_MAX = 256
BATCH_BYTES_MAX = 128 * 1024
OPENER_HASH_BYTES = 32


_HEAD = struct.Struct(f">4sB{EPOCH_ID_BYTES}sQH{LINK_BYTES}s{LINK_BYTES}s")
_U16 = struct.Struct(">H")
_ROW = struct.Struct(">HBH")
_HEADER_TAIL = struct.Struct(">QHB")
_FIXED_BYTES_MAX = (
    _HEAD.size + 1 + TERMINAL_BYTES_MAX + _U16.size + OPENER_BYTES_MAX + SIGNATURE_BYTES
)


class Batch(NamedTuple):
    """A batch that its device signed and whose chain holds.

    `opener` is None when only its hash came along (`opener_hash`, always set). `rows` carry the
    recomputed links; `raw` is the whole message.
    """

    terminal: str
    epoch_id: bytes
    first_seq: int
    last_seq: int
    link_before: bytes
    link_last: bytes
    opener: bytes | None
    opener_hash: bytes
    rows: list[SealedRow]
    raw: bytes


def fitting(ciphertext_bytes: Iterable[int]) -> int:
    """How many records of these ciphertext sizes, in order, fit in one batch; at least one."""
    room = BATCH_BYTES_MAX - _FIXED_BYTES_MAX
    count = 0
    for size in ciphertext_bytes:
        room -= _ROW.size + size
        if count and (room < 0 or count == BATCH_RECORDS_MAX):
            break
        count += 1
    return count


def build_batch(
    device_key: DeviceKey,
    terminal: str,
    epoch_id: bytes,
    opener_or_hash: bytes,
    link_before: bytes,
    rows: Sequence[Sealed],
) -> bytes:
    """Sign `rows` (consecutive seqs of one epoch) as one message.

    `opener_or_hash`: the whole opener, or its 32-byte SHA-256 once the centre has it. Raises
    LocalError when the rows are none, too many, too large or not consecutive.
    """
    if not 1 <= len(rows) <= BATCH_RECORDS_MAX:
        raise LocalError(f"{len(rows)} records in a batch; 1 to {BATCH_RECORDS_MAX} are allowed")
    first_seq = rows[0].seq
    is_hash = len(opener_or_hash) == OPENER_HASH_BYTES
    parts = [
        _HEAD.pack(
            BATCH_MAGIC,
            SUITE_XWING_SHA256_AES256GCM,
            epoch_id,
            first_seq,
            len(rows),
            link_before,
            rows[-1].link,
        ),
        pack_terminal(terminal),
        _U16.pack(0 if is_hash else len(opener_or_hash)),
        opener_or_hash,
    ]
    for seq, (row_seq, kind, coding, ciphertext, _) in enumerate(rows, first_seq):
        if row_seq != seq:
            raise LocalError(f"record {row_seq} stands where {seq} belongs")
        parts.append(_ROW.pack(kind, coding, len(ciphertext)))
        parts.append(ciphertext)
    body = b"".join(parts)
    if len(body) + SIGNATURE_BYTES > BATCH_BYTES_MAX:
        raise LocalError(f"batch of {len(body)} bytes; ask `fitting` how many records to take")
    return device_key.sign(BATCH_DOMAIN, body)


def parse_batch(raw: bytes, verify_key: bytes, terminal: str | None = None) -> Batch:
    """Check and read a batch that the device with `verify_key` (32 bytes) signed.

    `terminal`: whose topic it came by; another name inside is refused. Raises BatchError. Nothing
    is decrypted here; the opener inside is compared with the batch, its own signature is
    EpochReader's to check.
    """
    body = checked_body(raw, verify_key, BATCH_DOMAIN, BATCH_BYTES_MAX, BatchError)
    reader = Reader(body, BatchError)
    if body[:4] != BATCH_MAGIC:
        raise BatchError(Reason.MALFORMED, "not a batch")
    head = _HEAD.unpack(reader.take(_HEAD.size))
    _, suite, epoch_id, first_seq, count, link_before, link_last = head
    if suite != SUITE_XWING_SHA256_AES256GCM:
        raise BatchError(Reason.WRONG_SUITE, f"suite {suite} is not allowed here")
    if not 1 <= count <= BATCH_RECORDS_MAX:
        raise BatchError(Reason.TOO_LARGE, f"{count} records; 1 to {BATCH_RECORDS_MAX} are taken")
    if not 1 <= first_seq <= SEQ_MAX - count:
        raise BatchError(Reason.MALFORMED, f"first seq {first_seq} is out of range")
    name = reader.terminal()
    if terminal is not None and name != terminal:
        raise BatchError(Reason.WRONG_TERMINAL, f"names {name}, came from {terminal}")
    (opener_bytes,) = reader.unpack(_U16)
    opener = reader.take(opener_bytes) if opener_bytes else None
    opener_hash = sha256(opener).digest() if opener else reader.take(OPENER_HASH_BYTES)
    batch = Batch(
        name,
        epoch_id,
        first_seq,
        first_seq + count - 1,
        link_before,
        link_last,
        opener,
        opener_hash,
        _chained_rows(reader, header_prefix(name, epoch_id), first_seq, count, link_before),
        raw,
    )
    if batch.rows[-1][-1] != link_last:
        raise BatchError(Reason.BROKEN_CHAIN, "records do not lead to the link it claims")
    if opener is not None:
        check_opener(batch, opener)
    return batch


def _chained_rows(
    reader: Reader, prefix: bytes, first_seq: int, count: int, link: bytes
) -> list[SealedRow]:
    """All rows with their links, in one pass over the rest of the bytes.

    A row of any size passes: one that cannot open is quarantined later, alone, and must not hold
    back the rows behind it.
    """
    data, at = reader.data, reader.at
    total = len(data)
    unpack_row, row_bytes, tail = _ROW.unpack_from, _ROW.size, _HEADER_TAIL.pack
    rows: list[SealedRow] = []
    for seq in range(first_seq, first_seq + count):
        start = at + row_bytes
        if start > total:
            raise BatchError(Reason.TOO_SHORT, f"ends before record {seq}")
        kind, coding, size = unpack_row(data, at)
        at = start + size
        if at > total:
            raise BatchError(Reason.TOO_SHORT, f"ends within record {seq}")
        ciphertext = data[start:at]
        link = sha256(link + prefix + tail(seq, kind, coding) + ciphertext).digest()
        rows.append((seq, kind, coding, ciphertext, link))
    reader.at = at
    reader.end()
    return rows


def check_opener(batch: Batch, opener: bytes) -> None:
    """The opener must be the one of the batch's terminal, epoch and place in the chain.

    `parse_batch` asks this of an opener inside; of a stored one, found by `opener_hash`, the
    centre asks before it opens rows with it. Raises BatchError.
    """
    try:
        fields = parse_opener(opener)
    except EnvelopeError as error:
        raise BatchError(error.reason, f"its opener: {error}") from error
    if fields.terminal != batch.terminal:
        raise BatchError(Reason.WRONG_TERMINAL, f"its opener names {fields.terminal}")
    inside = fields.first_seq <= batch.first_seq
    inside = inside and batch.last_seq < fields.first_seq + EPOCH_RECORDS_MAX
    if fields.epoch_id != batch.epoch_id or not inside:
        raise BatchError(Reason.WRONG_EPOCH, "its opener is of another epoch or range")
    if fields.first_seq == batch.first_seq and fields.link_before != batch.link_before:
        raise BatchError(Reason.BROKEN_CHAIN, "its opener continues from another link")
