"""People at the centre: a pseudonym for every query, number and name sealed beside it.

`person_ref` = HMAC-SHA256(key, document \\x00 number), 32 bytes. Number and name are AES-256-GCM
under another key, bound to the pseudonym. Both keys live outside the database.
"""

import hmac
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.records import Person
from sync_server.core.store_port import PersonRow

KEY_BYTES = 32
NONCE_BYTES = 12
KNOWN_PEOPLE_MAX = 100_000

Entropy = Callable[[int], bytes]


class PersonSealError(Exception):
    """A sealed name does not open: wrong key file, or the database was changed."""


def person_ref(key: bytes, document: str, number: str) -> bytes:
    """The 32-byte pseudonym of a person."""
    return hmac.digest(key, f"{document}\0{number}".encode(), "sha256")


class PersonVault:
    """Names people by pseudonym and seals who they are."""

    def __init__(self, ref_key: bytes, seal_key: bytes, entropy: Entropy) -> None:
        """Two independent 32-byte keys; `entropy(n)` gives n fresh bytes for nonces."""
        self._ref_key = ref_key
        self._cipher = AESGCM(seal_key)
        self._entropy = entropy

    def ref(self, person: Person) -> bytes:
        """The person's pseudonym."""
        return person_ref(self._ref_key, person.document, person.number)

    def seal(self, ref: bytes, person: Person) -> PersonRow:
        """The row that keeps number and name."""
        nonce = self._entropy(NONCE_BYTES)
        plain = msgspec.msgpack.encode((person.number, person.name))
        return PersonRow(ref, person.document, nonce + self._cipher.encrypt(nonce, plain, ref))

    def open(self, row: PersonRow) -> Person:
        """Who a row names; to be shown only by permission. Raises PersonSealError."""
        nonce, sealed = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, sealed, row.person_ref)
            number, name = msgspec.msgpack.decode(plain, type=tuple[str, str])
        except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
            raise PersonSealError(
                f"person {row.person_ref.hex()[:16]} does not open: restore keys/person_seal.key"
            ) from error
        return Person(row.document, number, name)

    def __repr__(self) -> str:
        return "<PersonVault>"


class KnownPeople:
    """Pseudonyms that surely have a row: the least recently seen are forgotten first.

    What a transaction adds counts only once it is committed.
    """

    def __init__(self, limit: int = KNOWN_PEOPLE_MAX) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._pending: set[bytes] = set()

    def is_new(self, ref: bytes) -> bool:
        """Whether a row must be written for `ref` now; asked again it need not."""
        if ref in self._known:
            self._known.move_to_end(ref)
            return False
        if ref in self._pending:
            return False
        self._pending.add(ref)
        return True

    def committed(self) -> None:
        """The rows are durable."""
        self._known.update(dict.fromkeys(self._pending))
        self._pending.clear()
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def rolled_back(self) -> None:
        """The rows are gone."""
        self._pending.clear()
