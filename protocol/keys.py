"""Keys of the centre and of terminals, as bytes that can be stored.

The centre's HPKE key is X-Wing (KEM 0x647A, ML-KEM-768 with X25519), stored as its standard
32-byte seed: SHAKE256(seed, 96 bytes) gives the 64-byte ML-KEM seed d|z, then the 32-byte X25519
key (draft-connolly-cfrg-xwing-kem). Signatures are Ed25519. No key makes itself: entropy comes
from the caller, and secrets show up neither in repr nor in pickles.
"""

import hashlib
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from protocol.errors import KeyFormatError, Reason
from protocol.fields import sign, verifier

SUITE_XWING_SHA256_AES256GCM = 1
HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
HPKE_OVERHEAD_BYTES = 1120 + 16  # encapsulated key and tag

SEED_BYTES = 32
MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1184
HPKE_PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + 32
VERIFY_KEY_BYTES = 32
KEY_ID_BYTES = 8


def _sized(data: bytes, size: int, what: str) -> bytes:
    if len(data) != size:
        raise KeyFormatError(Reason.MALFORMED, f"{what} has {len(data)} bytes, needs {size}")
    return bytes(data)


def expand_xwing_seed(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """Both halves of an X-Wing private key from its 32-byte seed."""
    expanded = hashlib.shake_256(_sized(seed, SEED_BYTES, "X-Wing seed")).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(expanded[MLKEM_SEED_BYTES:]),
    )


class _Secret:
    """What holds a private key: no repr of it, no pickle, no copy."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and is not pickled or copied")


class CentrePublic:
    """What a terminal knows of the centre: seal to `hpke_key`, check answers by `verify_key`."""

    __slots__ = ("hpke_key", "hpke_public", "key_id", "verify_key")

    def __init__(self, hpke_public: bytes, verify_key: bytes) -> None:
        """`hpke_public`: 1216 bytes, ML-KEM then X25519. `verify_key`: 32 bytes Ed25519."""
        self.hpke_public = _sized(hpke_public, HPKE_PUBLIC_BYTES, "centre HPKE key")
        self.verify_key = _sized(verify_key, VERIFY_KEY_BYTES, "centre verify key")
        verifier(self.verify_key)
        try:
            self.hpke_key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.hpke_public[:MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(self.hpke_public[MLKEM_PUBLIC_BYTES:]),
            )
        except ValueError as error:
            raise KeyFormatError(Reason.MALFORMED, "centre HPKE key is no X-Wing key") from error
        self.key_id = hashlib.sha256(self.to_bytes()).digest()[:KEY_ID_BYTES]

    @classmethod
    def from_bytes(cls, data: bytes) -> "CentrePublic":
        """1248 bytes: HPKE key, verify key."""
        _sized(data, HPKE_PUBLIC_BYTES + VERIFY_KEY_BYTES, "centre public key")
        return cls(data[:HPKE_PUBLIC_BYTES], data[HPKE_PUBLIC_BYTES:])

    def to_bytes(self) -> bytes:
        """1248 bytes: HPKE key, verify key. `key_id` is the start of their SHA-256."""
        return self.hpke_public + self.verify_key

    def __repr__(self) -> str:
        return f"<CentrePublic {self.key_id.hex()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CentrePublic) and other.to_bytes() == self.to_bytes()

    def __hash__(self) -> int:
        return hash(self.key_id)


class CentreKeys(_Secret):
    """The centre's private keys: opens what terminals seal, signs receipts."""

    __slots__ = ("_seeds", "_signer", "hpke_private", "public")

    def __init__(self, xwing_seed: bytes, sign_seed: bytes) -> None:
        """Two independent 32-byte seeds from the caller's entropy."""
        mlkem, x25519 = expand_xwing_seed(xwing_seed)
        self._signer = Ed25519PrivateKey.from_private_bytes(
            _sized(sign_seed, SEED_BYTES, "centre signing seed")
        )
        self._seeds = bytes(xwing_seed) + bytes(sign_seed)
        self.hpke_private = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = CentrePublic(
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw(),
            self._signer.public_key().public_bytes_raw(),
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "CentreKeys":
        """64 bytes: X-Wing seed, Ed25519 seed."""
        _sized(data, 2 * SEED_BYTES, "centre key file")
        return cls(data[:SEED_BYTES], data[SEED_BYTES:])

    def to_bytes(self) -> bytes:
        """64 secret bytes: X-Wing seed, Ed25519 seed."""
        return self._seeds

    def sign(self, domain: bytes, body: bytes) -> bytes:
        """`body | signature over domain | body`."""
        return sign(self._signer, domain, body)


class DeviceKey(_Secret):
    """A terminal's long-lived Ed25519 identity."""

    __slots__ = ("_seed", "_signer", "verify_key")

    def __init__(self, seed: bytes) -> None:
        """32 bytes from the caller's entropy."""
        self._seed = _sized(seed, SEED_BYTES, "device seed")
        self._signer = Ed25519PrivateKey.from_private_bytes(self._seed)
        self.verify_key = self._signer.public_key().public_bytes_raw()

    @classmethod
    def from_bytes(cls, data: bytes) -> "DeviceKey":
        """32 bytes."""
        return cls(data)

    def to_bytes(self) -> bytes:
        """The 32 secret bytes."""
        return self._seed

    def sign(self, domain: bytes, body: bytes) -> bytes:
        """`body | signature over domain | body`."""
        return sign(self._signer, domain, body)
