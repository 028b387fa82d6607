"""People at the centre: a pseudonym for every query, number and name sealed beside it.

`person_ref` = HMAC-SHA256(key, document \\x00 number), 32 bytes. Number and name are AES-256-GCM
under another key, bound to the pseudonym. Both keys live outside the database.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from protocol.records import Person
from sync_server.core.store_port import PersonRow

KEY_BYTES = 32
NONCE_BYTES = 12
KNOWN_PEOPLE_MAX = 100_000

Entropy = Callable[[int], bytes]

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(tuple[str, str]).decode


class PersonSealError(Exception):
    """A sealed name does not open: wrong key file, or the database was changed."""


class PersonRefs:
    """Gives people their pseudonyms. The key is worked in once, not for each person."""

    def __init__(self, key: bytes) -> None:
        self._keyed = HMAC(key, SHA256())

    def of(self, document: str, number: str) -> bytes:
        """The 32-byte pseudonym of a person."""
        state = self._keyed.copy()
        state.update(f"{document}\0{number}".encode())
        return state.finalize()

    def __repr__(self) -> str:
        return "<PersonRefs>"


class PersonVault:
    """Names people by pseudonym and seals who they are."""

    def __init__(self, ref_key: bytes, seal_key: bytes, entropy: Entropy) -> None:
        """Two independent 32-byte keys; `entropy(n)` gives n fresh bytes for nonces."""
        self._refs = PersonRefs(ref_key)
        self._cipher = AESGCM(seal_key)
        self._entropy = entropy

    def ref(self, person: Person) -> bytes:
        """The person's pseudonym."""
        return self._refs.of(person.document, person.number)

    def seal(self, people: Sequence[tuple[bytes, Person]]) -> list[PersonRow]:
        """The rows that keep number and name of these people, given with their pseudonyms."""
        nonces = self._entropy(NONCE_BYTES * len(people))
        rows = []
        for at, (ref, person) in enumerate(people):
            nonce = nonces[at * NONCE_BYTES : (at + 1) * NONCE_BYTES]
            plain = _ENCODE((person.number, person.name))
            sealed = nonce + self._cipher.encrypt(nonce, plain, ref)
            rows.append(PersonRow(ref, person.document, sealed))
        return rows

    def open(self, row: PersonRow) -> Person:
        """Who a row names; to be shown only by permission. Raises PersonSealError."""
        nonce, sealed = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, sealed, row.person_ref)
            number, name = _DECODE(plain)
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

    def new(self, refs: Iterable[bytes]) -> list[bytes]:
        """Those of `refs` for which a row must be written now; asked again they need none."""
        known, pending = self._known, self._pending
        found = []
        for ref in refs:
            if ref in known:
                known.move_to_end(ref)
            elif ref not in pending:
                pending.add(ref)
                found.append(ref)
        return found

    def committed(self) -> None:
        """The rows are durable."""
        self._known.update(dict.fromkeys(self._pending))
        self._pending.clear()
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def rolled_back(self) -> None:
        """The rows are gone."""
        self._pending.clear()
