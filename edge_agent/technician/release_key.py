"""Release keys: RSA-3072, the private half encrypted with a passphrase, the public one in the form
that a board reads (`release.pub`).

    tongban-release-key 1
    <the modulus, 768 hex digits>

The exponent is 65537. A fingerprint is the SHA-256 of the modulus, 384 bytes big-endian.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from edge_agent.technician.release_file import Release

KEY_BITS = 3072
EXPONENT = 65537
PASSPHRASE_CHARS_MIN = 12
PUBLIC_FORMAT = "tongban-release-key 1"
_MODULUS_BYTES = KEY_BITS // 8
_FILE_BYTES_MAX = 16_384


class ReleaseKeyError(Exception):
    """A key cannot be made, read or used; the text says what to do."""


class PublicKey(msgspec.Struct, frozen=True):
    """What a release is checked with."""

    modulus: int

    @property
    def text(self) -> str:
        """The content of `release.pub`."""
        return f"{PUBLIC_FORMAT}\n{self._modulus_bytes.hex()}\n"

    @property
    def fingerprint(self) -> str:
        """To be read aloud and compared: 64 hex digits in groups of four."""
        digits = hashlib.sha256(self._modulus_bytes).hexdigest()
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))

    def has_signed(self, release: Release) -> bool:
        """Whether the signature of a release is this key's."""
        key = rsa.RSAPublicNumbers(EXPONENT, self.modulus).public_key()
        try:
            key.verify(release.signature, release.manifest, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    @property
    def _modulus_bytes(self) -> bytes:
        return self.modulus.to_bytes(_MODULUS_BYTES, "big")


class PrivateKey:
    """What signs. Lives on the offline machine only."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_numbers().n)

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new one, from the operating system's randomness."""
        return cls(rsa.generate_private_key(EXPONENT, KEY_BITS))

    def sign(self, release: Release) -> Release:
        """The release with this key's signature."""
        signature = self._key.sign(release.manifest, padding.PKCS1v15(), hashes.SHA256())
        return msgspec.structs.replace(release, signature=signature)

    def to_pem(self, passphrase: str) -> bytes:
        """PKCS #8, encrypted. Raises ReleaseKeyError for a passphrase that is too short."""
        if len(passphrase) < PASSPHRASE_CHARS_MIN:
            raise ReleaseKeyError(
                f"the passphrase has {len(passphrase)} characters, at least "
                f"{PASSPHRASE_CHARS_MIN} are needed; five words from a dictionary are easy to keep"
            )
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )


def read_private(path: Path, passphrase: str) -> PrivateKey:
    """Raises ReleaseKeyError."""
    try:
        key = serialization.load_pem_private_key(_read(path), passphrase.encode())
    except (TypeError, ValueError) as error:
        raise ReleaseKeyError(f"{path}: wrong passphrase, or not a release key") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BITS:
        raise ReleaseKeyError(
            f"{path}: not an RSA key of {KEY_BITS} bits; make one: release keygen"
        )
    return PrivateKey(key)


def read_public(path: Path) -> PublicKey:
    """Raises ReleaseKeyError."""
    return parse_public(_read(path), str(path))


def parse_public(data: bytes, name: str) -> PublicKey:
    """`name` is for the error. Raises ReleaseKeyError."""
    lines = data.decode("ascii", "replace").split("\n")
    if len(lines) == 3 and lines[0] == PUBLIC_FORMAT and not lines[2]:
        with contextlib.suppress(ValueError):
            digits = bytes.fromhex(lines[1])
            modulus = int.from_bytes(digits, "big")
            if len(digits) == _MODULUS_BYTES and modulus.bit_length() == KEY_BITS and modulus & 1:
                return PublicKey(modulus)
    raise ReleaseKeyError(
        f"{name}: not the public half of a release key; release keygen writes one"
    )


def write_new(path: Path, data: bytes, mode: int) -> None:
    """A file that was not there, durable, with these rights from its first byte on.

    Raises ReleaseKeyError when it exists: a key is never written over.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise ReleaseKeyError(
            f"{path} is there already; choose another name or move it away"
        ) from error
    except OSError as error:
        raise ReleaseKeyError(f"{path}: cannot be written ({error.strerror})") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise ReleaseKeyError(f"{path}: cannot be read ({error.strerror})") from error
