"""The envelope: what a terminal seals, only the centre can open, and nobody can change or cut.

An epoch is at most 256 records under one random root. The opener carries the root, HPKE-sealed to
the centre and signed by the device; records are AES-256-GCM under a key derived from the root,
with the nonce from seq and the header as AAD; a SHA-256 chain runs through all records of a
terminal, over all its epochs. Formats and limits: docs/envelope.md.

An epoch never uses a nonce twice: seq only goes up, nothing can be copied or pickled, and after a
failure of any kind the key is dropped (`discard`). HPKE draws its ephemeral keys from the
operating system inside the cryptographic library; everything else comes from the caller.
"""

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol.errors import EnvelopeError, LocalError, Reason, SealRefusedError
from protocol.fields import (
    EPOCH_ID_BYTES,
    LINK_BYTES,
    LINK_ZERO,
    SEQ_MAX,
    SIGNATURE_BYTES,
    TERMINAL_BYTES_MAX,
    Reader,
    checked_body,
    pack_terminal,
)
from protocol.keys import (
    HPKE,
    HPKE_OVERHEAD_BYTES,
    KEY_ID_BYTES,
    SUITE_XWING_SHA256_AES256GCM,
    CentreKeys,
    CentrePublic,
    DeviceKey,
)

__all__ = [
    "EPOCH_RECORDS_MAX",
    "LINK_ZERO",
    "OPENER_BYTES_MAX",
    "PLAINTEXT_BYTES_MAX",
    "Epoch",
    "EpochReader",
    "Opener",
    "Sealed",
    "SealedRow",
    "make_header",
    "next_link",
    "parse_opener",
    "verify_opener",
]

OPENER_MAGIC = b"TBO1"
OPENER_DOMAIN = b"tongban/1/opener"
RECORD_KEY_INFO = b"tongban/1/record"
ROOT_BYTES = 32
TAG_BYTES = 16
EPOCH_RECORDS_MAX = 256
PLAINTEXT_BYTES_MAX = 16 * 1024

_OPENER_HEAD = struct.Struct(f">4sB{KEY_ID_BYTES}s{EPOCH_ID_BYTES}sQ{LINK_BYTES}s")
_U16 = struct.Struct(">H")
_HEADER_TAIL = struct.Struct(">QHB")
_NONCE = struct.Struct(">4xQ")
_HPKE_BYTES = HPKE_OVERHEAD_BYTES + ROOT_BYTES
OPENER_BYTES_MAX = (
    _OPENER_HEAD.size + 1 + TERMINAL_BYTES_MAX + _U16.size + _HPKE_BYTES + SIGNATURE_BYTES
)


class Sealed(NamedTuple):
    """One sealed record. `link` is the chain's value after it (32 bytes)."""

    seq: int
    kind: int
    coding: int
    ciphertext: bytes
    link: bytes


SealedRow = tuple[int, int, int, bytes, bytes]
"""The values of a Sealed; the centre makes too many of them to name each."""


class Opener(NamedTuple):
    """The fields of an opener. `info` is what HPKE and signature bind; `hpke` the sealed root."""

    suite: int
    centre_key_id: bytes
    epoch_id: bytes
    first_seq: int
    link_before: bytes
    terminal: str
    info: bytes
    hpke: bytes


def header_prefix(terminal: str, epoch_id: bytes) -> bytes:
    """The part of a record header that an epoch's records share."""
    return pack_terminal(terminal) + epoch_id


def make_header(terminal: str, epoch_id: bytes, seq: int, kind: int, coding: int) -> bytes:
    """A record's header: its AAD, and part of its link. Never sent whole."""
    return header_prefix(terminal, epoch_id) + _HEADER_TAIL.pack(seq, kind, coding)


def next_link(link: bytes, header: bytes, ciphertext: bytes) -> bytes:
    """SHA-256(link | header | ciphertext)."""
    return sha256(link + header + ciphertext).digest()


def _cipher(root: bytes) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=RECORD_KEY_INFO).derive(root)
    return AESGCM(key)


class Epoch:
    """The terminal's side. Not thread-safe: one writer owns it."""

    __slots__ = (
        "_cipher",
        "_prefix",
        "_seq_end",
        "centre_key_id",
        "epoch_id",
        "first_seq",
        "link",
        "opener",
        "seq_next",
        "terminal",
    )

    def __init__(
        self, terminal: str, opener: bytes, cipher: AESGCM, fields: tuple[bytes, bytes, int, bytes]
    ) -> None:
        """Use `Epoch.open`."""
        self.centre_key_id, self.epoch_id, self.first_seq, self.link = fields
        self.terminal = terminal
        self.opener = opener
        self.seq_next = self.first_seq
        self._seq_end = self.first_seq + EPOCH_RECORDS_MAX
        self._prefix = header_prefix(terminal, self.epoch_id)
        self._cipher: AESGCM | None = cipher

    @classmethod
    def open(
        cls,
        terminal: str,
        centre_public: CentrePublic,
        device_key: DeviceKey,
        epoch_id: bytes,
        root: bytes,
        first_seq: int,
        link_before: bytes,
    ) -> "Epoch":
        """A new epoch at `first_seq` (from 1), after `link_before` (LINK_ZERO at the very start).

        `epoch_id` (16 bytes) and `root` (32) are fresh entropy of the caller, used only here; the
        root is not kept. Store `.opener` in the transaction of the first record.
        """
        if len(epoch_id) != EPOCH_ID_BYTES or len(root) != ROOT_BYTES:
            raise LocalError("an epoch needs 16 bytes of id and 32 bytes of root")
        if len(link_before) != LINK_BYTES or not 1 <= first_seq <= SEQ_MAX - EPOCH_RECORDS_MAX:
            raise LocalError("an epoch needs a 32-byte link and a seq from 1")
        info = (
            _OPENER_HEAD.pack(
                OPENER_MAGIC,
                SUITE_XWING_SHA256_AES256GCM,
                centre_public.key_id,
                epoch_id,
                first_seq,
                link_before,
            )
            + pack_terminal(terminal)
            + _U16.pack(_HPKE_BYTES)
        )
        sealed_root = HPKE.encrypt(root, centre_public.hpke_key, info=info)
        opener = device_key.sign(OPENER_DOMAIN, info + sealed_root)
        fields = (centre_public.key_id, bytes(epoch_id), first_seq, bytes(link_before))
        return cls(terminal, opener, _cipher(root), fields)

    @property
    def is_open(self) -> bool:
        """Whether `seal` would be accepted."""
        return self._cipher is not None and self.seq_next < self._seq_end

    def seal(self, kind: int, coding: int, plaintext: bytes) -> Sealed:
        """Seal the next record. Raises SealRefusedError when full or discarded: open another."""
        cipher = self._cipher
        seq = self.seq_next
        if cipher is None:
            raise SealRefusedError("this epoch was discarded; open a new one")
        if seq >= self._seq_end:
            raise SealRefusedError(f"this epoch holds {EPOCH_RECORDS_MAX} records; open a new one")
        if len(plaintext) > PLAINTEXT_BYTES_MAX:
            raise LocalError(f"{len(plaintext)} bytes in a record, at most {PLAINTEXT_BYTES_MAX}")
        try:
            header = self._prefix + _HEADER_TAIL.pack(seq, kind, coding)
        except struct.error as error:
            raise LocalError(f"kind {kind} or coding {coding} is out of range") from error
        self.seq_next = seq + 1  # before the key is used: a failure below can only leave a hole
        try:
            ciphertext = cipher.encrypt(_NONCE.pack(seq), plaintext, header)
        except BaseException:
            self._cipher = None
            raise
        self.link = link = sha256(self.link + header + ciphertext).digest()
        return Sealed(seq, kind, coding, ciphertext, link)

    def discard(self) -> None:
        """Drop the key. After a failed or uncertain commit nothing may be sealed under it again."""
        self._cipher = None

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<Epoch {self.terminal} {self.epoch_id.hex()} next {self.seq_next} {state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an Epoch holds a key and a position; it is not pickled or copied")


def parse_opener(raw: bytes) -> Opener:
    """The fields of an opener, without checking its signature. Raises EnvelopeError."""
    if len(raw) > OPENER_BYTES_MAX:
        raise EnvelopeError(Reason.TOO_LARGE, f"opener of {len(raw)} bytes")
    if len(raw) <= SIGNATURE_BYTES:
        raise EnvelopeError(Reason.TOO_SHORT, f"opener of {len(raw)} bytes")
    return _parse_opener_body(raw[:-SIGNATURE_BYTES])


def verify_opener(raw: bytes, verify_key: bytes) -> Opener:
    """The fields of an opener that the device with `verify_key` signed. Raises EnvelopeError."""
    return _parse_opener_body(
        checked_body(raw, verify_key, OPENER_DOMAIN, OPENER_BYTES_MAX, EnvelopeError)
    )


def _parse_opener_body(body: bytes) -> Opener:
    reader = Reader(body, EnvelopeError)
    if body[:4] != OPENER_MAGIC:
        raise EnvelopeError(Reason.MALFORMED, "not an opener")
    head = _OPENER_HEAD.unpack(reader.take(_OPENER_HEAD.size))
    _, suite, centre_key_id, epoch_id, first_seq, link_before = head
    if suite != SUITE_XWING_SHA256_AES256GCM:
        raise EnvelopeError(Reason.WRONG_SUITE, f"suite {suite} is not allowed here")
    if not 1 <= first_seq <= SEQ_MAX - EPOCH_RECORDS_MAX:
        raise EnvelopeError(Reason.MALFORMED, f"first seq {first_seq} is out of range")
    terminal = reader.terminal()
    (hpke_bytes,) = reader.unpack(_U16)
    if hpke_bytes != _HPKE_BYTES:
        raise EnvelopeError(Reason.MALFORMED, f"sealed root of {hpke_bytes} bytes")
    info = body[: reader.at]
    hpke = reader.take(hpke_bytes)
    reader.end()
    return Opener(suite, centre_key_id, epoch_id, first_seq, link_before, terminal, info, hpke)


class EpochReader:
    """The centre's side of one epoch: opens its records, in any order."""

    __slots__ = ("_cipher", "_prefix", "_seq_end", "opener")

    def __init__(self, opener: Opener, cipher: AESGCM) -> None:
        """Use `EpochReader.open`."""
        self.opener = opener
        self._cipher = cipher
        self._prefix = header_prefix(opener.terminal, opener.epoch_id)
        self._seq_end = opener.first_seq + EPOCH_RECORDS_MAX

    @classmethod
    def open(cls, opener: bytes, centre_keys: CentreKeys, verify_key: bytes) -> "EpochReader":
        """Check the device's signature (`verify_key`, 32 bytes) and open the root.

        Raises EnvelopeError; reason UNKNOWN_CENTRE_KEY when it was sealed to another centre key.
        """
        fields = verify_opener(opener, verify_key)
        if fields.centre_key_id != centre_keys.public.key_id:
            raise EnvelopeError(
                Reason.UNKNOWN_CENTRE_KEY,
                f"sealed to centre key {fields.centre_key_id.hex()}; restore that key, then retry",
            )
        try:
            root = HPKE.decrypt(fields.hpke, centre_keys.hpke_private, info=fields.info)
        except (InvalidTag, ValueError) as error:
            raise EnvelopeError(
                Reason.NOT_OPENED, "the opener's root does not open with this centre key"
            ) from error
        if len(root) != ROOT_BYTES:
            raise EnvelopeError(Reason.MALFORMED, f"root of {len(root)} bytes")
        return cls(fields, _cipher(root))

    def unseal(self, seq: int, kind: int, coding: int, ciphertext: bytes) -> bytes:
        """The plaintext of one record. Raises EnvelopeError: quarantine it with its bytes."""
        row = Sealed(seq, kind, coding, ciphertext, b"")
        plaintext = self.unseal_rows((row,))[0]
        if plaintext is None:
            raise EnvelopeError(
                Reason.NOT_OPENED, f"record {seq} does not open under its epoch's key"
            )
        return plaintext

    def unseal_rows(self, rows: Iterable[SealedRow]) -> list[bytes | None]:
        """The plaintext of each row, None for one that does not open here. The fast path."""
        decrypt = self._cipher.decrypt
        prefix = self._prefix
        tail, nonce = _HEADER_TAIL.pack, _NONCE.pack
        first, end = self.opener.first_seq, self._seq_end
        plaintexts: list[bytes | None] = []
        for seq, kind, coding, ciphertext, _ in rows:
            plaintext = None
            if first <= seq < end:
                try:
                    plaintext = decrypt(nonce(seq), ciphertext, prefix + tail(seq, kind, coding))
                except (InvalidTag, ValueError, struct.error):
                    plaintext = None
            plaintexts.append(plaintext)
        return plaintexts

    def __repr__(self) -> str:
        return f"<EpochReader {self.opener.terminal} {self.opener.epoch_id.hex()}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an EpochReader holds a key; it is not pickled or copied")
