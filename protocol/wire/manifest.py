"""The manifest of a release: fixed text that a board reads line by line, bounded in everything.

    tongban-release 1
    board esp32s3
    version 12
    name 0.1.1
    files 43 51455
    <sha256, 64 hex digits> <bytes> <path>
    ...

ASCII, one LF after every line, paths in strictly rising order of their bytes: so no path comes
twice. A path is relative, of segments `[a-z0-9_.-]`, none of which begins with a dot. The id of a
release is the first eight bytes, big-endian, of the SHA-256 of its manifest; the signature is over
the manifest, RSA-3072, PKCS #1 v1.5 (RFC 8017, 8.2), SHA-256.

What goes over the link, and lies in a release file behind its head, is one stream:
manifest | signature | files, in the manifest's order.
"""

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Protocol

    class Lines(Protocol):
        """A file open for reading bytes."""

        def readline(self, __size: int) -> bytes:
            """At most so many bytes, up to and with the next LF; empty at the end."""


MANIFEST_FILE = "manifest.txt"
SIGNATURE_FILE = "signature.bin"
SIGNATURE_BYTES = 384
MANIFEST_BYTES_MAX = 16384
FILES_MAX = 160
FILE_BYTES_MAX = 65536
SLOT_BYTES_MAX = 393216  # all files of a release together
PATH_CHARS_MAX = 64
PATH_SEGMENTS_MAX = 4
NAME_CHARS_MAX = 32
VERSION_MAX = 0xFFFFFFFF
FORMAT = "tongban-release 1"

_LINE_BYTES_MAX = 64 + 1 + 6 + 1 + PATH_CHARS_MAX + 1
_WORD = "abcdefghijklmnopqrstuvwxyz0123456789_.-"
_HEX = "0123456789abcdef"


class ManifestError(Exception):
    """The text is no manifest; the message says what is wrong with it."""


class ManifestReader:
    """Reads `file` from where it stands: the head at once, then one file with every `next`.

    Raises ManifestError, also from `next`.
    """

    def __init__(self, file: "Lines") -> None:
        self._file = file
        if self._line() != FORMAT:
            raise ManifestError("not a manifest of this format")
        self.board = self._word("board")
        self.version = number(self._value("version"), VERSION_MAX)
        if self.version == 0:
            raise ManifestError("version 0")
        self.name = self._word("name")
        count, _, size = self._value("files").partition(" ")
        self.files = number(count, FILES_MAX)
        self.size_bytes = number(size, SLOT_BYTES_MAX)
        self.left = self.files
        self._sum = 0
        self._before = ""

    def next(self) -> "tuple[str, int, str] | None":
        """(path, bytes, SHA-256 in hex) of the next file; None after the last, when the sums are
        right and nothing follows.
        """
        if self.left == 0:
            if self._sum != self.size_bytes:
                raise ManifestError("the sizes do not make up the sum")
            if self._file.readline(1):
                raise ManifestError("more lines than files")
            return None
        digest, _, rest = self._line().partition(" ")
        size_text, _, path = rest.partition(" ")
        if len(digest) != 64 or not _made_of(digest, _HEX):
            raise ManifestError("no SHA-256 in the line of a file")
        size = number(size_text, FILE_BYTES_MAX)
        check_path(path)
        if path <= self._before:
            raise ManifestError("path twice or out of order")
        self._before = path
        self._sum += size
        self.left -= 1
        return path, size, digest

    def _word(self, key: str) -> str:
        value = self._value(key)
        if not 0 < len(value) <= NAME_CHARS_MAX or not _made_of(value, _WORD):
            raise ManifestError("bad " + key)
        return value

    def _value(self, key: str) -> str:
        name, _, value = self._line().partition(" ")
        if name != key:
            raise ManifestError("no line " + key)
        return value

    def _line(self) -> str:
        line = self._file.readline(_LINE_BYTES_MAX)
        if line[-1:] != b"\n":
            raise ManifestError("a line is cut or too long")
        for byte in line[:-1]:
            if not 32 <= byte < 127:
                raise ManifestError("a line that is no plain text")
        return line[:-1].decode()


def number(text: str, most: int) -> int:
    """A plain decimal number from 0 to `most`. Raises ManifestError."""
    if not 0 < len(text) <= 10 or not _made_of(text, "0123456789"):
        raise ManifestError("not a number")
    value = int(text)
    if str(value) != text or value > most:
        raise ManifestError("a number that is too large or has leading zeros")
    return value


def check_path(path: str) -> None:
    """Raises ManifestError for a path that could lead out of a slot or hide another."""
    segments = path.split("/")
    if len(path) > PATH_CHARS_MAX or len(segments) > PATH_SEGMENTS_MAX:
        raise ManifestError("a path is too long")
    for segment in segments:
        if not segment or segment[0] == "." or not _made_of(segment, _WORD):
            raise ManifestError("a path that is not allowed")
    if path in (MANIFEST_FILE, SIGNATURE_FILE):
        raise ManifestError("a path that the board keeps for itself")


def _made_of(text: str, characters: str) -> bool:
    return all(one in characters for one in text)
