"""A release in one file, bounded: what `tongban release build` writes and a terminal carries.

    b"TBREL1\\r\\n" | manifest bytes u32 | signature bytes u32, 0 or 384 | stream bytes u32 | stream

Integers little-endian. The stream is manifest | signature | files, as protocol.wire.manifest has
it and as it goes over the link. Everything is checked before it is believed, but for the signature,
which release_key.py checks: a file without one is what `build` leaves for `sign`.
"""

import hashlib
import io
import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec

from protocol.wire.manifest import (
    FILES_MAX,
    FORMAT,
    MANIFEST_BYTES_MAX,
    SIGNATURE_BYTES,
    SLOT_BYTES_MAX,
    ManifestError,
    ManifestReader,
)

MAGIC = b"TBREL1\r\n"
_HEAD = "<III"
HEAD_BYTES = len(MAGIC) + struct.calcsize(_HEAD)
STREAM_BYTES_MAX = MANIFEST_BYTES_MAX + SIGNATURE_BYTES + SLOT_BYTES_MAX
_ID_BYTES = 8


class ReleaseError(Exception):
    """The file or the files are no release; the text says what is wrong and the cure."""


class Release(msgspec.Struct, frozen=True):
    """`signature` is empty until it is signed. `files` in the manifest's order."""

    manifest: bytes
    signature: bytes
    files: dict[str, bytes]
    board: str
    version: int
    name: str

    @property
    def id(self) -> int:
        """64 bits that name it on the board link."""
        return int.from_bytes(hashlib.sha256(self.manifest).digest()[:_ID_BYTES], "big")

    @property
    def stream(self) -> bytes:
        """What goes over the link."""
        return self.manifest + self.signature + b"".join(self.files.values())


def make_release(board: str, version: int, name: str, files: Mapping[str, bytes]) -> Release:
    """A release that is not signed yet. Raises ReleaseError."""
    if len(files) > FILES_MAX:
        raise ReleaseError(f"{len(files)} files, at most {FILES_MAX} fit a release")
    in_order = dict(sorted(files.items()))
    size = sum(map(len, in_order.values()))
    lines = [FORMAT, f"board {board}", f"version {version}", f"name {name}"]
    lines.append(f"files {len(in_order)} {size}")
    lines += [
        f"{hashlib.sha256(data).hexdigest()} {len(data)} {path}" for path, data in in_order.items()
    ]
    try:
        manifest = "".join(line + "\n" for line in lines).encode("ascii")
    except UnicodeEncodeError as error:
        raise ReleaseError(f"board, name and paths are plain ASCII: {error}") from error
    return read_stream(manifest + b"".join(in_order.values()), len(manifest), 0)


def read_stream(stream: bytes, manifest_bytes: int, signature_bytes: int) -> Release:
    """Take a stream apart and compare every size and hash. Raises ReleaseError."""
    if not 0 < manifest_bytes <= MANIFEST_BYTES_MAX or signature_bytes not in (0, SIGNATURE_BYTES):
        raise ReleaseError("the head of the release is wrong; fetch the file again")
    manifest = stream[:manifest_bytes]
    at = manifest_bytes + signature_bytes
    files: dict[str, bytes] = {}
    try:
        reader = ManifestReader(io.BytesIO(manifest))
        while (entry := reader.next()) is not None:
            path, size, digest = entry
            data = stream[at : at + size]
            if len(data) != size:
                raise ReleaseError(f"{path}: the release is cut off; fetch the file again")
            if hashlib.sha256(data).hexdigest() != digest:
                raise ReleaseError(f"{path} differs from the manifest; fetch the file again")
            if any(path.startswith(f"{before}/") for before in files):
                raise ReleaseError(f"{path}: lies in a folder that is a file too")
            files[path] = data
            at += size
    except ManifestError as error:
        raise ReleaseError(f"the manifest cannot be used: {error}") from error
    if at != len(stream):
        raise ReleaseError("bytes follow the last file; fetch the file again")
    signature = stream[manifest_bytes : manifest_bytes + signature_bytes]
    return Release(manifest, signature, files, reader.board, reader.version, reader.name)


def pack(release: Release) -> bytes:
    """The bytes of the file."""
    stream = release.stream
    sizes = (len(release.manifest), len(release.signature), len(stream))
    return MAGIC + struct.pack(_HEAD, *sizes) + stream


def unpack(data: bytes) -> Release:
    """Raises ReleaseError."""
    if len(data) < HEAD_BYTES or not data.startswith(MAGIC):
        raise ReleaseError("not a release; make one with: tongban release build")
    manifest_bytes, signature_bytes, stream_bytes = struct.unpack_from(_HEAD, data, len(MAGIC))
    if stream_bytes != len(data) - HEAD_BYTES or stream_bytes > STREAM_BYTES_MAX:
        raise ReleaseError("the release has another length than it says; fetch the file again")
    return read_stream(data[HEAD_BYTES:], manifest_bytes, signature_bytes)


def read_release(path: Path) -> Release:
    """Raises ReleaseError, with the path in front."""
    try:
        with path.open("rb") as file:
            data = file.read(HEAD_BYTES + STREAM_BYTES_MAX + 1)
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return unpack(data)
    except ReleaseError as error:
        raise ReleaseError(f"{path}: {error}") from error
