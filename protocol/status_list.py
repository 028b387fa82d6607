"""The status list: exceptions that a terminal must know while it is offline, signed by the centre.

    "TBL1" | version u32 | issued_ms u64 | expires_ms u64 | salt 16 | log2_n u8 | r u8 | p u8
           | count u32 | count x (scrypt hash 12 | code u8), ascending | signature 64

Numbers appear only as scrypt(document | number, salt of this list), cut to 12 bytes. That slows a
thief down, no more (an ID number has few unknown digits): delete list and salt when they expire.
"""

import hashlib
import struct
from collections.abc import Mapping
from typing import NamedTuple

from protocol.errors import LocalError, Reason, StatusListError
from protocol.fields import SIGNATURE_BYTES, Reader, checked_body
from protocol.keys import CentreKeys, CentrePublic

STATUS_LIST_DOMAIN = b"tongban/1/status-list"
STATUS_LIST_MAGIC = b"TBL1"
ENTRIES_MAX = 20_000
HASH_BYTES = 12
SALT_BYTES = 16
SCRYPT_LOG2_N_MIN, SCRYPT_LOG2_N_MAX = 4, 16
SCRYPT_R_MAX, SCRYPT_P_MAX = 8, 4
SCRYPT_DEFAULT = (14, 8, 1)  # log2 n, r, p: about 50 ms a number on a terminal's computer
CODE_NONE = 0  # what `lookup` answers for a person who is not on the list
CODE_BLOCKED = 1
CODE_OFFICER = 2  # no block: a person whose word makes others eligible
CODE_NAMES = {"blocked": CODE_BLOCKED, "officer": CODE_OFFICER}
"""Words of the import. Any other code is a block of the site's own meaning."""

_HEAD = struct.Struct(f">4sIQQ{SALT_BYTES}sBBBI")
_ENTRY = struct.Struct(f"{HASH_BYTES}sB")
STATUS_LIST_BYTES_MAX = _HEAD.size + ENTRIES_MAX * _ENTRY.size + SIGNATURE_BYTES


class Scrypt(NamedTuple):
    """How numbers are hashed: salt of 16 bytes, cost parameters."""

    salt: bytes
    log2_n: int = SCRYPT_DEFAULT[0]
    r: int = SCRYPT_DEFAULT[1]
    p: int = SCRYPT_DEFAULT[2]

    def digest(self, document: str, number: str) -> bytes:
        """12 bytes that stand for a person. Slow on purpose: keep it off an event loop."""
        return hashlib.scrypt(
            f"{document}\0{number}".encode(),
            salt=self.salt,
            n=1 << self.log2_n,
            r=self.r,
            p=self.p,
            maxmem=(128 * self.r * (1 << self.log2_n) + 128 * self.r * self.p) * 2,
            dklen=HASH_BYTES,
        )

    def problem(self) -> str:
        """What is out of bounds, or nothing."""
        if len(self.salt) != SALT_BYTES:
            return f"salt of {len(self.salt)} bytes, not {SALT_BYTES}"
        within = SCRYPT_LOG2_N_MIN <= self.log2_n <= SCRYPT_LOG2_N_MAX
        within = within and 1 <= self.r <= SCRYPT_R_MAX and 1 <= self.p <= SCRYPT_P_MAX
        return "" if within else f"scrypt 2^{self.log2_n}, {self.r}, {self.p} is out of bounds"


class StatusList(NamedTuple):
    """A list as opened. `entries`: digest (12 bytes) -> code from 1."""

    version: int
    issued_ms: int
    expires_ms: int
    scrypt: Scrypt
    entries: Mapping[bytes, int]

    def is_current(self, now_ms: int) -> bool:
        """Whether it may still be used. An early clock does not make a list invalid."""
        return now_ms < self.expires_ms

    def lookup(self, digest: bytes) -> int:
        """The code of a person's digest, CODE_NONE when not on the list."""
        return self.entries.get(digest, CODE_NONE)

    def __repr__(self) -> str:
        return f"<StatusList {self.version} of {len(self.entries)}>"


def sign_status_list(keys: CentreKeys, status_list: StatusList) -> bytes:
    """The signed bytes. Raises LocalError when a value breaks its limit."""
    if len(status_list.entries) > ENTRIES_MAX:
        raise LocalError(f"{len(status_list.entries)} entries, at most {ENTRIES_MAX}")
    problem = status_list.scrypt.problem()
    if problem:
        raise LocalError(problem)
    salt, log2_n, r, p = status_list.scrypt
    try:
        head = _HEAD.pack(
            STATUS_LIST_MAGIC,
            status_list.version,
            status_list.issued_ms,
            status_list.expires_ms,
            salt,
            log2_n,
            r,
            p,
            len(status_list.entries),
        )
    except struct.error as error:
        raise LocalError(f"status list: {error}") from error
    packed = []
    for digest, code in sorted(status_list.entries.items()):
        if len(digest) != HASH_BYTES or not CODE_NONE < code <= 0xFF:
            raise LocalError("an entry needs a digest of 12 bytes and a code of 1 to 255")
        packed.append(_ENTRY.pack(digest, code))
    return keys.sign(STATUS_LIST_DOMAIN, head + b"".join(packed))


def open_status_list(raw: bytes, centre_public: CentrePublic) -> StatusList:
    """The list that the centre signed. Raises StatusListError.

    The caller refuses a version below the one in force (a replay) and one that is not current.
    """
    body = checked_body(
        raw, centre_public.verify_key, STATUS_LIST_DOMAIN, STATUS_LIST_BYTES_MAX, StatusListError
    )
    reader = Reader(body, StatusListError)
    if body[:4] != STATUS_LIST_MAGIC:
        raise StatusListError(Reason.MALFORMED, "not a status list")
    head = _HEAD.unpack(reader.take(_HEAD.size))
    _, version, issued_ms, expires_ms, salt, log2_n, r, p, count = head
    scrypt = Scrypt(salt, log2_n, r, p)
    problem = scrypt.problem()
    if problem:
        raise StatusListError(Reason.MALFORMED, problem)
    if count > ENTRIES_MAX:
        raise StatusListError(Reason.TOO_LARGE, f"{count} entries, at most {ENTRIES_MAX}")
    packed = reader.take(count * _ENTRY.size)
    reader.end()
    entries: dict[bytes, int] = {}
    before = b""
    for digest, code in _ENTRY.iter_unpack(packed):
        if digest <= before or code == CODE_NONE:
            raise StatusListError(Reason.MALFORMED, "entries are not ascending, or without a code")
        entries[digest] = code
        before = digest
    return StatusList(version, issued_ms, expires_ms, scrypt, entries)
