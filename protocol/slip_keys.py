"""The keys that slips of a unit are checked with, as a file that the centre signed.

    {"body": JSON text, "signature": base64 of Ed25519 over "tongban/1/terminal-keys" and that text}

The body names the centre's own verify key, so the file tells by itself that it is whole; that it is
our centre's is for the reader to know, who compares the key's fingerprint with the centre's word.
All keys are public.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.errors import LocalError, Reason, SlipKeysError
from protocol.fields import SIGNATURE_BYTES, TERMINAL_PATTERN, UNIT_PATTERN, checked_body
from protocol.keys import VERIFY_KEY_BYTES, CentreKeys

SLIP_KEYS_DOMAIN = b"tongban/1/terminal-keys"
SLIP_KEYS_BYTES_MAX = 4 * 1024 * 1024
TERMINALS_MAX = 10_000
FORMAT = 1
_CURE = "have the centre write it again: tongban server slip-keys"

_Key = Annotated[bytes, Meta(min_length=VERIFY_KEY_BYTES, max_length=VERIFY_KEY_BYTES)]
_Unit = Annotated[str, Meta(pattern=rf"\A{UNIT_PATTERN}\Z")]


class TerminalKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The unit that a terminal stands in and the key that it signs with."""

    unit: _Unit
    key: _Key


class SlipKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`unit`: whose terminals these are, empty for all. `issued_ms`: when the centre said so."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    centre: _Key
    unit: Annotated[str, Meta(pattern=rf"\A({UNIT_PATTERN})?\Z")]
    issued_ms: Annotated[int, Meta(ge=0, le=2**53)]
    terminals: Annotated[
        Mapping[Annotated[str, Meta(pattern=rf"\A{TERMINAL_PATTERN}\Z")], TerminalKey],
        Meta(max_length=TERMINALS_MAX),
    ]

    @property
    def fingerprint(self) -> str:
        """The centre's verify key, short enough to read out: 16 hex digits."""
        return key_fingerprint(self.centre)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    body: str
    signature: str


def key_fingerprint(verify_key: bytes) -> str:
    """The start of a key's SHA-256 in hex."""
    return hashlib.sha256(verify_key).hexdigest()[:16]


def sign_slip_keys(
    keys: CentreKeys, unit: str, issued_ms: int, terminals: Mapping[str, TerminalKey]
) -> str:
    """The file. Raises LocalError when a value breaks its limit."""
    centre = keys.public.verify_key
    body = msgspec.json.encode(
        SlipKeys(FORMAT, centre, unit, issued_ms, terminals), order="deterministic"
    )
    try:
        msgspec.json.decode(body, type=SlipKeys)
    except msgspec.ValidationError as error:
        raise LocalError(f"slip keys: {error}") from error
    signature = keys.sign(SLIP_KEYS_DOMAIN, body)[-SIGNATURE_BYTES:]
    file = _File(body.decode("utf-8"), base64.b64encode(signature).decode("ascii"))
    return msgspec.json.format(msgspec.json.encode(file), indent=2).decode("utf-8")


def open_slip_keys(raw: bytes, fingerprint: str = "") -> SlipKeys:
    """The keys. `fingerprint`: the centre that it must be from. Raises SlipKeysError."""
    if len(raw) > SLIP_KEYS_BYTES_MAX:
        raise SlipKeysError(Reason.TOO_LARGE, f"over {SLIP_KEYS_BYTES_MAX} bytes; {_CURE}")
    try:
        file = msgspec.json.decode(raw, type=_File)
        signed = file.body.encode("utf-8") + _signature(file.signature)
        centre = msgspec.json.decode(file.body, type=_Centre).centre
    except (msgspec.DecodeError, ValueError) as error:
        raise SlipKeysError(Reason.MALFORMED, f"no file of slip keys; {_CURE}") from error
    body = checked_body(signed, centre, SLIP_KEYS_DOMAIN, SLIP_KEYS_BYTES_MAX, SlipKeysError)
    if fingerprint and key_fingerprint(centre) != fingerprint:
        raise SlipKeysError(
            Reason.UNKNOWN_CENTRE_KEY,
            f"signed by the centre {key_fingerprint(centre)}, not by {fingerprint}; {_CURE}",
        )
    try:
        return msgspec.json.decode(body, type=SlipKeys)
    except msgspec.DecodeError as error:
        raise SlipKeysError(Reason.MALFORMED, f"slip keys: {error}; {_CURE}") from error


def _signature(text: str) -> bytes:
    """Raises ValueError; also for a second writing of the same bytes."""
    signature = base64.b64decode(text, validate=True)
    if base64.b64encode(signature).decode("ascii") != text or len(signature) != SIGNATURE_BYTES:
        raise ValueError("no signature")
    return signature


class _Centre(msgspec.Struct):
    """Whose signature to check, before anything else of the body is read."""

    centre: _Key
