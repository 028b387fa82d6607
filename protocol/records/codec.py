"""Records as bytes: a MessagePack array `[common, body]`, both arrays themselves.

`coding` says how the plaintext is packed; 1 is plain MessagePack, others are room for compression.
"""

from typing import Any

import msgspec

from protocol.errors import Reason, RecordError, RecordRefusedError
from protocol.records.kinds import KINDS, Body, Common, ServiceFact

CODING_MSGPACK = 1
RECORD_BYTES_MAX = 8 * 1024

_ENCODE = msgspec.msgpack.Encoder().encode
_KIND_OF: dict[type, int] = {info.body: kind for kind, info in KINDS.items()}


def _decoder(body: Any) -> Any:
    return msgspec.msgpack.Decoder(tuple[Common, body]).decode


_DECODE: dict[int, Any] = {kind: _decoder(info.body) for kind, info in KINDS.items()}


def encode(common: Common, body: Body) -> tuple[int, int, bytes]:
    """(kind, coding, plaintext). Raises RecordRefusedError: fix the values at this terminal.

    What was encoded is decoded once, so no record that the centre must refuse is ever sealed.
    """
    kind = _KIND_OF.get(type(body))
    if kind is None:
        raise RecordRefusedError(f"{type(body).__name__} is no registered record body")
    try:
        data = _ENCODE((common, body))
        _DECODE[kind](data)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise RecordRefusedError(f"{KINDS[kind].name}: {error}") from error
    if len(data) > RECORD_BYTES_MAX:
        raise RecordRefusedError(
            f"{KINDS[kind].name}: {len(data)} bytes, at most {RECORD_BYTES_MAX}"
        )
    return kind, CODING_MSGPACK, data


def decode(kind: int, coding: int, data: bytes) -> tuple[Common, Body]:
    """The record in an opened plaintext. Raises RecordError: quarantine it with its bytes."""
    if coding != CODING_MSGPACK:
        raise RecordError(Reason.UNKNOWN_CODING, f"coding {coding} is not known; update the centre")
    decoder = _DECODE.get(kind)
    if decoder is None:
        raise RecordError(Reason.UNKNOWN_KIND, f"kind {kind} is not known; update the centre")
    if len(data) > RECORD_BYTES_MAX:
        raise RecordError(Reason.TOO_LARGE, f"{len(data)} bytes, at most {RECORD_BYTES_MAX}")
    try:
        record: tuple[Common, Body] = decoder(data)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        # the text of a validation error may quote no values: only types and paths
        raise RecordError(Reason.MALFORMED, f"{KINDS[kind].name}: {error}") from None
    return record


def is_visit(kind: int, body: Body) -> bool:
    """Whether this record counts as a visit: by its kind, or as its service definition said."""
    return body.visit if isinstance(body, ServiceFact) else KINDS[kind].visit
