"""What a stored record says, opened again with the centre's key; persons stay pseudonyms.

The database keeps a record as it was sealed. Listing what it says is a reading with the key, for
operators who hold it.
"""

from functools import lru_cache
from typing import Any

import msgspec

from protocol.envelope import EpochReader
from protocol.errors import RemoteError
from protocol.keys import CentreKeys
from protocol.records import decode

EPOCHS_OPEN_MAX = 64
PEOPLE = ("person", "officer")  # the fields of records that name somebody


class FactsReader:
    """Opens records one by one; keeps the last EPOCHS_OPEN_MAX epochs open."""

    def __init__(self, keys: CentreKeys) -> None:
        self._open = lru_cache(EPOCHS_OPEN_MAX)(
            lambda opener, verify_key: EpochReader.open(opener, keys, verify_key)
        )

    def read(
        self, opener: bytes, verify_key: bytes, seq: int, kind: int, coding: int, ciphertext: bytes
    ) -> dict[str, Any] | None:
        """Field name -> value, bytes as hex, without people; None when it does not open."""
        try:
            plaintext = self._open(opener, verify_key).unseal(seq, kind, coding, ciphertext)
            _, body = decode(kind, coding, plaintext)
        except RemoteError:
            return None  # it stands in the quarantine, with its reason
        fields = {name: getattr(body, name) for name in body.__struct_fields__}
        for name in PEOPLE:
            fields.pop(name, None)
        plain = {name: v.hex() if isinstance(v, bytes) else v for name, v in fields.items()}
        facts: dict[str, Any] = msgspec.to_builtins(plain)
        return facts
