"""Pieces that several formats share: magic words, signatures, terminal names, a bounded reader.

Order of checks everywhere: size limits, then the signature over raw bytes, then parsing.
"""

import re
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.errors import KeyFormatError, LocalError, Reason, RemoteError

SIGNATURE_BYTES = 64
TERMINAL_BYTES_MAX = 32
TERMINAL_PATTERN = r"[a-z0-9-]{3,32}"
LETTER_PATTERN = r"[A-HJ-NP-Z]{1,2}"  # of a terminal, unique in its hall; I and O read as digits
TICKET_NUMBER_PATTERN = LETTER_PATTERN + r"-[0-9]{3,5}"
UNIT_PATTERN = r"[a-z0-9-]{1,40}(?:/[a-z0-9-]{1,40}){0,7}"
LINK_BYTES = 32
LINK_ZERO = bytes(LINK_BYTES)  # the link before a terminal's first record
EPOCH_ID_BYTES = 16
U16_MAX, U32_MAX, U64_MAX = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
SEQ_MAX = 2**63 - 1  # fits a signed 64-bit database column

_TERMINAL = re.compile(TERMINAL_PATTERN)
_TERMINAL_BYTES = re.compile(TERMINAL_PATTERN.encode())
_VERIFIERS_KEPT = 1024


def is_terminal(name: str) -> bool:
    """Whether `name` is a terminal id: lower-case letters, digits, hyphen; 3 to 32 of them."""
    return _TERMINAL.fullmatch(name) is not None


def pack_terminal(terminal: str) -> bytes:
    """`len u8 | ascii`. Raises LocalError on a name that is no terminal id."""
    if not is_terminal(terminal):
        raise LocalError(f"terminal id {terminal!r} must match {TERMINAL_PATTERN}")
    return bytes((len(terminal),)) + terminal.encode()


def sign(key: Ed25519PrivateKey, domain: bytes, body: bytes) -> bytes:
    """`body | Ed25519(domain | body)`."""
    return body + key.sign(domain + body)


@lru_cache(maxsize=_VERIFIERS_KEPT)
def verifier(key: bytes) -> Ed25519PublicKey:
    """The Ed25519 key of 32 raw bytes; kept, since each terminal signs many batches."""
    try:
        return Ed25519PublicKey.from_public_bytes(key)
    except ValueError as error:
        raise KeyFormatError(
            Reason.MALFORMED, "verify key is not 32 bytes of Ed25519; enrol the terminal again"
        ) from error


def checked_body(
    raw: bytes, key: bytes, domain: bytes, bytes_max: int, error: type[RemoteError]
) -> bytes:
    """The part of `raw` before its signature, once size and signature are right; else `error`."""
    if len(raw) > bytes_max:
        raise error(Reason.TOO_LARGE, f"{len(raw)} bytes, at most {bytes_max} are taken")
    if len(raw) <= SIGNATURE_BYTES:
        raise error(Reason.TOO_SHORT, f"{len(raw)} bytes hold no signature")
    body = raw[:-SIGNATURE_BYTES]
    try:
        verifier(key).verify(raw[-SIGNATURE_BYTES:], domain + body)
    except InvalidSignature as invalid:
        raise error(
            Reason.BAD_SIGNATURE, "signature does not match these bytes and the sender's key"
        ) from invalid
    return body


class Reader:
    """Walks over signed bytes; running out or leaving some over raises `error`."""

    __slots__ = ("_error", "at", "data")

    def __init__(self, data: bytes, error: type[RemoteError]) -> None:
        self.data = data
        self.at = 0
        self._error = error

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.at + size
        if end > len(self.data):
            raise self._error(Reason.TOO_SHORT, f"ends at byte {len(self.data)}, needs {end}")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        """The next struct of integers."""
        return form.unpack(self.take(form.size))

    def magic(self, word: bytes) -> None:
        """Refuses anything but `word` here."""
        found = self.take(len(word))
        if found != word:
            raise self._error(Reason.MALFORMED, f"starts with {found!r}, not {word!r}")

    def terminal(self) -> str:
        """`len u8 | terminal id`."""
        name = self.take(self.take(1)[0])
        if _TERMINAL_BYTES.fullmatch(name) is None:
            raise self._error(Reason.MALFORMED, "holds a name that is no terminal id")
        return name.decode("ascii")

    def end(self) -> None:
        """Refuses bytes left over."""
        if self.at != len(self.data):
            raise self._error(Reason.MALFORMED, f"has {len(self.data) - self.at} bytes too many")
