"""What the centre answers to a batch, signed: receipt, rewind, hold. Formats: docs/envelope.md.

Only a receipt settles, and only when its link equals the terminal's own at `through_seq`. Codes
are plain integers on the wire: a terminal keeps a code that a newer centre invented as a number.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from protocol.errors import LocalError, Reason, ReceiptError
from protocol.fields import (
    EPOCH_ID_BYTES,
    LINK_BYTES,
    SIGNATURE_BYTES,
    TERMINAL_BYTES_MAX,
    Reader,
    checked_body,
    pack_terminal,
)
from protocol.keys import CentreKeys, CentrePublic

ANSWER_DOMAIN = b"tongban/1/answer"
EXCEPTIONS_MAX = 256

_RECEIPT_MAGIC, _REWIND_MAGIC, _HOLD_MAGIC = b"TBR1", b"TBW1", b"TBH1"
_RECEIPT = struct.Struct(f">4sI{EPOCH_ID_BYTES}sQ{LINK_BYTES}sQQ")
_REWIND = struct.Struct(f">4sIQ{LINK_BYTES}sQ")
_HOLD = struct.Struct(">4sIQBQ")
_COUNT = struct.Struct(">H")
_EXCEPTION = struct.Struct(">QB")
ANSWER_BYTES_MAX = (
    _RECEIPT.size
    + (1 + TERMINAL_BYTES_MAX)
    + _COUNT.size
    + EXCEPTIONS_MAX * _EXCEPTION.size
    + SIGNATURE_BYTES
)


class ExceptionCode(IntEnum):
    """Why the centre took a record, but not into effect. Append only."""

    QUARANTINED_SEAL = 1  # signed, but does not open
    QUARANTINED_SCHEMA = 2  # opens, but no schema fits
    BRANCH_HELD = 3  # another record stands at this seq: restored or cloned disk
    CONFLICT = 4  # taken; a rule awaits a person's decision


class HoldReason(IntEnum):
    """Why nothing advances just now; the terminal waits and sends again. Append only."""

    UNKNOWN_CENTRE_KEY = 1
    OPENER_MISSING = 2  # send the whole opener, not its hash
    STORE_UNAVAILABLE = 3
    TERMINAL_SUSPENDED = 4


class Receipt(NamedTuple):
    """All records through `through_seq` are committed at the centre, chain value `link`.

    `secured_seq`: contained in a verified backup. `generation`: new after each restore of the
    centre. `time_ms`: the centre's Unix ms. `exceptions`: (seq, ExceptionCode).
    """

    terminal: str
    generation: int
    epoch_id: bytes
    through_seq: int
    link: bytes
    secured_seq: int
    time_ms: int
    exceptions: tuple[tuple[int, int], ...] = ()


class Rewind(NamedTuple):
    """The centre has records through `seq` only, at `link`; send again from `seq` + 1."""

    terminal: str
    generation: int
    seq: int
    link: bytes
    time_ms: int


class Hold(NamedTuple):
    """The centre cannot take the batch now; its watermark is `seq`. `reason`: HoldReason."""

    terminal: str
    generation: int
    seq: int
    reason: int
    time_ms: int


Answer = Receipt | Rewind | Hold


def sign_receipt(keys: CentreKeys, receipt: Receipt) -> bytes:
    """The signed bytes. Call it after the commit it speaks of, never before."""
    if len(receipt.exceptions) > EXCEPTIONS_MAX:
        raise LocalError(f"{len(receipt.exceptions)} exceptions, at most {EXCEPTIONS_MAX}")
    _check_sizes(receipt.link, receipt.epoch_id)
    try:
        body = b"".join(
            (
                _RECEIPT.pack(
                    _RECEIPT_MAGIC,
                    receipt.generation,
                    receipt.epoch_id,
                    receipt.through_seq,
                    receipt.link,
                    receipt.secured_seq,
                    receipt.time_ms,
                ),
                pack_terminal(receipt.terminal),
                _COUNT.pack(len(receipt.exceptions)),
                *(_EXCEPTION.pack(seq, code) for seq, code in receipt.exceptions),
            )
        )
    except struct.error as error:
        raise LocalError(f"receipt: {error}") from error
    return keys.sign(ANSWER_DOMAIN, body)


def sign_rewind(keys: CentreKeys, rewind: Rewind) -> bytes:
    """The signed bytes of a rewind to the centre's watermark."""
    _check_sizes(rewind.link)
    try:
        head = _REWIND.pack(
            _REWIND_MAGIC, rewind.generation, rewind.seq, rewind.link, rewind.time_ms
        )
    except struct.error as error:
        raise LocalError(f"rewind: {error}") from error
    return keys.sign(ANSWER_DOMAIN, head + pack_terminal(rewind.terminal))


def sign_hold(keys: CentreKeys, hold: Hold) -> bytes:
    """The signed bytes of a hold."""
    try:
        head = _HOLD.pack(_HOLD_MAGIC, hold.generation, hold.seq, hold.reason, hold.time_ms)
    except struct.error as error:
        raise LocalError(f"hold: {error}") from error
    return keys.sign(ANSWER_DOMAIN, head + pack_terminal(hold.terminal))


def _check_sizes(link: bytes, epoch_id: bytes = bytes(EPOCH_ID_BYTES)) -> None:
    if len(link) != LINK_BYTES or len(epoch_id) != EPOCH_ID_BYTES:
        raise LocalError("an answer needs a 32-byte link and a 16-byte epoch id")


def open_answer(raw: bytes, centre_public: CentrePublic, terminal: str) -> Answer:
    """The answer in `raw`, signed by the centre for this terminal. Raises ReceiptError."""
    body = checked_body(
        raw, centre_public.verify_key, ANSWER_DOMAIN, ANSWER_BYTES_MAX, ReceiptError
    )
    open_body = _OPENERS.get(body[:4])
    if open_body is None:
        raise ReceiptError(Reason.MALFORMED, f"no answer starts with {body[:4]!r}")
    reader = Reader(body, ReceiptError)
    answer: Answer = open_body(reader)
    reader.end()
    if answer.terminal != terminal:
        raise ReceiptError(Reason.WRONG_TERMINAL, f"is for {answer.terminal}, not {terminal}")
    return answer


def _open_receipt(reader: Reader) -> Receipt:
    head = _RECEIPT.unpack(reader.take(_RECEIPT.size))
    _, generation, epoch_id, through_seq, link, secured_seq, time_ms = head
    terminal = reader.terminal()
    (count,) = reader.unpack(_COUNT)
    if count > EXCEPTIONS_MAX:
        raise ReceiptError(Reason.TOO_LARGE, f"{count} exceptions, at most {EXCEPTIONS_MAX}")
    packed = reader.take(count * _EXCEPTION.size)
    exceptions = tuple((seq, code) for seq, code in _EXCEPTION.iter_unpack(packed))
    return Receipt(
        terminal, generation, epoch_id, through_seq, link, secured_seq, time_ms, exceptions
    )


def _open_rewind(reader: Reader) -> Rewind:
    _, generation, seq, link, time_ms = _REWIND.unpack(reader.take(_REWIND.size))
    return Rewind(reader.terminal(), generation, seq, link, time_ms)


def _open_hold(reader: Reader) -> Hold:
    _, generation, seq, reason, time_ms = _HOLD.unpack(reader.take(_HOLD.size))
    return Hold(reader.terminal(), generation, seq, reason, time_ms)


_OPENERS: dict[bytes, Callable[[Reader], Answer]] = {
    _RECEIPT_MAGIC: _open_receipt,
    _REWIND_MAGIC: _open_rewind,
    _HOLD_MAGIC: _open_hold,
}
