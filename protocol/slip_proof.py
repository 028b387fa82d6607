"""The text of a slip's QR code, signed by the terminal that printed it.

    TB1/TERMINAL/NUMBER/YYYYMMDD/SERVICE/UNIT/SIGNATURE        e.g. TB1/GATE-1/B-017/20261127/...

NUMBER is a ticket's number or the number of a record; UNIT has slashes of its own. The signature is
Ed25519 over "tongban/1/slip" and all that stands before the last slash, in base32. Everything is
upper case, digits, "-" and "/": a QR code packs that at 5.5 bits a character, a scanner that types
like a keyboard gets it right on every layout, and a person can type it.

It proves that this terminal printed a slip with this number, day, service and hall. It does not
prove that the paper is the first of its kind: a copy of a slip is as genuine as the slip.
"""

import base64
import binascii
import datetime
import re
from typing import NamedTuple

from protocol.errors import LocalError, Reason, SlipProofError
from protocol.fields import (
    SEQ_MAX,
    SIGNATURE_BYTES,
    TERMINAL_PATTERN,
    TICKET_NUMBER_PATTERN,
    UNIT_PATTERN,
    checked_body,
)
from protocol.keys import DeviceKey

SLIP_DOMAIN = b"tongban/1/slip"
SLIP_WORD = "TB1"
SERVICE_CHARACTERS_MAX = 40
SERVICE_PATTERN = rf"[a-z0-9-]{{1,{SERVICE_CHARACTERS_MAX}}}"
RECORD_NUMBER_PATTERN = r"[1-9][0-9]{0,18}"
SIGNATURE_CHARACTERS = 103  # 64 bytes in base32, without padding
UNIT_CHARACTERS_MAX = 8 * 41 - 1
SLIP_CHARACTERS_MAX = (
    len(SLIP_WORD) + 32 + 19 + 8 + SERVICE_CHARACTERS_MAX + UNIT_CHARACTERS_MAX + 103 + 6
)

_SIGNED_MAX = SLIP_CHARACTERS_MAX - SIGNATURE_CHARACTERS - 1 + SIGNATURE_BYTES
_SHAPE = re.compile(rf"[0-9A-Z/-]+/[A-Z2-7]{{{SIGNATURE_CHARACTERS}}}")
_CLAIM = re.compile(
    rf"(?P<terminal>{TERMINAL_PATTERN})/(?P<number>{TICKET_NUMBER_PATTERN.lower()}"
    rf"|{RECORD_NUMBER_PATTERN})/(?P<day>[0-9]{{8}})/(?P<service>{SERVICE_PATTERN})"
    rf"/(?P<unit>{UNIT_PATTERN})"
)


class SlipProof(NamedTuple):
    """What a slip says. `number`: B-017, or a record's number. `unit`: path in the unit tree."""

    terminal: str
    number: str
    day: datetime.date
    service: str
    unit: str


def is_service(name: str) -> bool:
    """Whether a slip can name this service."""
    return re.fullmatch(SERVICE_PATTERN, name) is not None


def sign_slip(key: DeviceKey, proof: SlipProof) -> str:
    """The text for the QR code. Raises LocalError when a field breaks its form."""
    day = proof.day.isoformat().replace("-", "")
    claim = "/".join((proof.terminal, proof.number, day, proof.service, proof.unit))
    if _claimed(claim.upper()) != proof:
        raise LocalError(f"a slip cannot say {claim!r}; see protocol/slip_proof.py for its fields")
    body = f"{SLIP_WORD}/{claim}".upper()
    signature = key.sign(SLIP_DOMAIN, body.encode("ascii"))[-SIGNATURE_BYTES:]
    return f"{body}/{_text(signature)}"


def claimed_terminal(text: str) -> str:
    """Whose key `open_slip` needs. Nothing is proved by it. Raises SlipProofError."""
    return _split(text)[0].terminal


def open_slip(text: str, verify_key: bytes) -> SlipProof:
    """What the slip says, once its terminal's signature is right. Raises SlipProofError."""
    proof, body, signature = _split(text)
    checked_body(body + signature, verify_key, SLIP_DOMAIN, _SIGNED_MAX, SlipProofError)
    return proof


def _split(text: str) -> tuple[SlipProof, bytes, bytes]:
    """What is claimed, the bytes that are signed, the signature."""
    if len(text) > SLIP_CHARACTERS_MAX:
        raise SlipProofError(
            Reason.TOO_LARGE, f"{len(text)} characters, a slip has at most {SLIP_CHARACTERS_MAX}"
        )
    if _SHAPE.fullmatch(text) is None:
        raise SlipProofError(Reason.MALFORMED, "not the text of a slip; scan its code again")
    body, _, signature = text.rpartition("/")
    word, _, claim = body.partition("/")
    proof = _claimed(claim)
    if word != SLIP_WORD or proof is None:
        raise SlipProofError(Reason.MALFORMED, "not the text of a slip; scan its code again")
    return proof, body.encode("ascii"), _bytes(signature)


def _claimed(claim: str) -> SlipProof | None:
    found = _CLAIM.fullmatch(claim.lower())
    if found is None:
        return None
    number = found["number"].upper()
    if number.isdecimal() and int(number) > SEQ_MAX:
        return None
    try:
        day = datetime.datetime.strptime(found["day"], "%Y%m%d").date()
    except ValueError:
        return None
    return SlipProof(found["terminal"], number, day, found["service"], found["unit"])


def _text(signature: bytes) -> str:
    return base64.b32encode(signature).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        signature = base64.b32decode(text + "=")
    except binascii.Error as error:
        raise SlipProofError(Reason.MALFORMED, "its signature is not base32") from error
    if _text(signature) != text:  # bits left over that are not zero: a second text for one slip
        raise SlipProofError(Reason.MALFORMED, "its signature has more than one writing")
    return signature
