"""The formats of docs/envelope.md a second time, plainly, from the standards and not from our code.

It shares nothing with protocol/: X-Wing from draft-connolly-cfrg-xwing-kem, HPKE base mode from
RFC 9180, records and links from the page. What both sides open alike was not changed by an update
of a library, nor by one of ours.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

XWING_LABEL = b"\\.//^\\"
HPKE_SUITE_ID = b"HPKE" + struct.pack(">HHH", 0x647A, 0x0001, 0x0002)


def xwing_public(seed: bytes) -> bytes:
    """1216 bytes."""
    mlkem, x25519 = _xwing_private(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def _xwing_private(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def xwing_decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """The 32-byte shared secret of a 1120-byte ciphertext."""
    mlkem, x25519 = _xwing_private(seed)
    secret_m = mlkem.decapsulate(ciphertext[:1088])
    secret_x = x25519.exchange(X25519PublicKey.from_public_bytes(ciphertext[1088:]))
    public_x = x25519.public_key().public_bytes_raw()
    return hashlib.sha3_256(
        secret_m + secret_x + ciphertext[1088:] + public_x + XWING_LABEL
    ).digest()


def hkdf_extract(salt: bytes, key: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), key, "sha256")


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    out, block = b"", b""
    for count in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes((count,)), "sha256")
        out += block
    return out[:length]


def _labeled_extract(salt: bytes, label: bytes, key: bytes) -> bytes:
    return hkdf_extract(salt, b"HPKE-v1" + HPKE_SUITE_ID + label + key)


def _labeled_expand(key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labeled = struct.pack(">H", length) + b"HPKE-v1" + HPKE_SUITE_ID + label + info
    return hkdf_expand(key, labeled, length)


def hpke_open(seed: bytes, info: bytes, sealed: bytes) -> bytes:
    """Single-shot base mode: `sealed` is enc (1120) | AES-256-GCM."""
    shared = xwing_decapsulate(seed, sealed[:1120])
    context = b"\0" + _labeled_extract(b"", b"psk_id_hash", b"")
    context += _labeled_extract(b"", b"info_hash", info)
    secret = _labeled_extract(shared, b"secret", b"")
    key = _labeled_expand(secret, b"key", context, 32)
    nonce = _labeled_expand(secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed[1120:], b"")


def check(raw: bytes, verify_key: bytes, domain: bytes) -> bytes:
    """The bytes before the signature."""
    Ed25519PublicKey.from_public_bytes(verify_key).verify(raw[-64:], domain + raw[:-64])
    return raw[:-64]


def open_batch(
    raw: bytes, verify_key: bytes, xwing_seed: bytes
) -> list[tuple[int, int, int, bytes]]:
    """(seq, kind, coding, plaintext) of each record in a batch that carries its opener."""
    body = check(raw, verify_key, b"tongban/1/batch")
    assert body[:5] == b"TBB1\x01"
    epoch, (seq, count) = body[5:21], struct.unpack(">QH", body[21:31])
    link, link_last = body[31:63], body[63:95]
    terminal = body[95 : 96 + body[95]]  # with its length byte
    at = 95 + len(terminal)
    (opener_bytes,) = struct.unpack_from(">H", body, at)
    opener, at = body[at + 2 : at + 2 + opener_bytes], at + 2 + opener_bytes
    key = hkdf_expand(
        hkdf_extract(b"", open_opener(opener, verify_key, xwing_seed)), b"tongban/1/record", 32
    )
    opened = []
    for _ in range(count):
        kind, coding, size = struct.unpack_from(">HBH", body, at)
        ciphertext = body[at + 5 : at + 5 + size]
        at += 5 + size
        header = terminal + epoch + struct.pack(">QHB", seq, kind, coding)
        plaintext = AESGCM(key).decrypt(seq.to_bytes(12, "big"), ciphertext, header)
        link = hashlib.sha256(link + header + ciphertext).digest()
        opened.append((seq, kind, coding, plaintext))
        seq += 1
    assert at == len(body)
    assert link == link_last
    return opened


def open_opener(opener: bytes, verify_key: bytes, xwing_seed: bytes) -> bytes:
    """The 32-byte root."""
    body = check(opener, verify_key, b"tongban/1/opener")
    assert body[:5] == b"TBO1\x01"
    head = 4 + 1 + 8 + 16 + 8 + 32
    head += 1 + body[head] + 2
    (sealed_bytes,) = struct.unpack(">H", body[head - 2 : head])
    assert len(body) == head + sealed_bytes
    return hpke_open(xwing_seed, body[:head], body[head:])


def open_slip(text: str, verify_key: bytes) -> list[str]:
    """The parts of a slip's code, once its signature is right."""
    body, signature = text[:-104], text[-103:]
    value = 0
    for letter in signature:
        value = value * 32 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(letter)
    assert value % 8 == 0, "103 letters hold 64 bytes and three bits of nothing"
    public = Ed25519PublicKey.from_public_bytes(verify_key)
    public.verify((value >> 3).to_bytes(64, "big"), b"tongban/1/slip" + body.encode())
    return body.split("/")
