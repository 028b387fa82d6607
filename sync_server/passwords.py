"""Passwords: kept as scrypt with a salt of their own, compared in constant time.

The cost stands beside each hash, so that it can be raised without anybody's password. A few are
hashed at once at most: each takes 32 MiB.
"""

import hashlib
import hmac
import os
import threading
import unicodedata

PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX = 10, 128
COST = (15, 8, 3)  # log2 n, r, p as OWASP advises; about a quarter of a second
HASHES_AT_ONCE_MAX = 2
NAME_CHARACTERS_MIN = 4  # a shorter name may stand in a password by chance
SALT_BYTES, HASH_BYTES = 16, 32

_turn = threading.BoundedSemaphore(HASHES_AT_ONCE_MAX)


def problem(password: str, name: str) -> str:
    """Why `password` is none for the account `name`, or ""."""
    count = len(password)
    if not PASSWORD_CHARACTERS_MIN <= count <= PASSWORD_CHARACTERS_MAX:
        return (
            f"the password has {count} characters; choose {PASSWORD_CHARACTERS_MIN} to "
            f"{PASSWORD_CHARACTERS_MAX}, a sentence is easy to remember"
        )
    is_named = len(name) >= NAME_CHARACTERS_MIN and name in password.lower()
    if is_named or len(set(password)) < PASSWORD_CHARACTERS_MIN // 2:
        return "the password is easy to guess; choose one without the name and with more variety"
    return ""


def seal(password: str) -> str:
    """What is stored of a new password. Slow on purpose: keep it out of transactions."""
    salt = os.urandom(SALT_BYTES)
    return _text(COST, salt, _hash(password, COST, salt))


def is_right(password: str, stored: str) -> bool:
    """Whether `password` is the one that was stored; "" is nobody's and takes as long."""
    if not stored:
        _hash(password, COST, bytes(SALT_BYTES))
        return False
    log2_n, r, p, salt, digest = stored.split("$")
    found = _hash(password, (int(log2_n), int(r), int(p)), bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def _text(cost: tuple[int, int, int], salt: bytes, digest: bytes) -> str:
    return "$".join((*map(str, cost), salt.hex(), digest.hex()))


def _hash(password: str, cost: tuple[int, int, int], salt: bytes) -> bytes:
    log2_n, r, p = cost
    plain = unicodedata.normalize("NFKC", password[:PASSWORD_CHARACTERS_MAX]).encode()
    memory = 128 * r * ((1 << log2_n) + p + 2)
    with _turn:
        return hashlib.scrypt(
            plain, salt=salt, n=1 << log2_n, r=r, p=p, maxmem=2 * memory, dklen=HASH_BYTES
        )
