"""Who may speak on a board link: HMAC-SHA256 (RFC 2104) over every frame, cut to TAG_BYTES.

    hello key       HMAC(pair key, "tongban/1/hello")
    connection key  HMAC(pair key, "tongban/1/connection" | agent session | board session)
    tag             first TAG_BYTES of HMAC(key, header | payload)

The header says who speaks (direction) and which frame of the connection it is (number), so a frame
fits one place of one connection. Both sides bring 64 fresh random bits into a connection key: a
recording never fits again. Without a pair key the tag is zeros.
"""

from hashlib import sha256

from protocol.wire.frames import TAG_BYTES

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview

PAIR_KEY_BYTES = 32
UNPAIRED = "unpaired"
PAIRED = "paired"
PAIR_KEY = "pair_key"

_BLOCK_BYTES = 64
_HELLO_LABEL = b"tongban/1/hello"
_CONNECTION_LABEL = b"tongban/1/connection"
_NO_TAG = bytes(TAG_BYTES)


class Hmac:
    """HMAC-SHA256 under one key of at most 64 bytes. A digest makes two hashes and two digests."""

    def __init__(self, key: bytes) -> None:
        padded = key + bytes(_BLOCK_BYTES - len(key))
        self._inner = bytes([byte ^ 0x36 for byte in padded])
        self._outer = bytes([byte ^ 0x5C for byte in padded])

    def digest(self, data: "Bytes") -> bytes:
        """32 bytes."""
        inner = sha256(self._inner)
        inner.update(data)
        outer = sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


class Tags:
    """The tags of one end of a link. `pair_key`: PAIR_KEY_BYTES, None while unpaired."""

    def __init__(self, pair_key: bytes | None) -> None:
        if pair_key is not None and len(pair_key) != PAIR_KEY_BYTES:
            raise ValueError("pair key of %d bytes, not %d" % (len(pair_key), PAIR_KEY_BYTES))
        self._pair = None if pair_key is None else Hmac(pair_key)
        self._hello = None if self._pair is None else Hmac(self._pair.digest(_HELLO_LABEL))
        self._connection = self._hello

    def connect(self, agent_session: bytes, board_session: bytes) -> None:
        """From now on frames belong to the connection of these sessions."""
        if self._pair is not None:
            sessions = agent_session + board_session
            self._connection = Hmac(self._pair.digest(_CONNECTION_LABEL + sessions))

    def for_hello(self, untagged: bytes) -> bytes:
        """The tag of a HELLO."""
        return _cut(self._hello, untagged)

    def for_frame(self, untagged: bytes) -> bytes:
        """The tag of a frame of the connection."""
        return _cut(self._connection, untagged)

    def fits_frame(self, body: memoryview, n: int) -> bool:
        """Whether `body[:n]`, a frame of the connection with its tag, has the right one."""
        return _fits(self._connection, body, n)

    def hello_problem(self, body: memoryview, n: int) -> str:
        """Why the HELLO `body[:n]` is not of our peer: UNPAIRED (it has no pair key), PAIRED (we
        have none), PAIR_KEY (ours is another one); empty when it is."""
        if _fits(self._hello, body, n):
            return ""
        if self._hello is None:
            return PAIRED
        return UNPAIRED if _fits(None, body, n) else PAIR_KEY


def _cut(hmac: Hmac | None, untagged: bytes) -> bytes:
    return _NO_TAG if hmac is None else hmac.digest(untagged)[:TAG_BYTES]


def _fits(hmac: Hmac | None, body: memoryview, n: int) -> bool:
    """In a time that does not tell how much of the tag is right."""
    at = n - TAG_BYTES
    tag = _NO_TAG if hmac is None else hmac.digest(body[:at])
    wrong = 0
    for place in range(TAG_BYTES):
        wrong |= tag[place] ^ body[at + place]
    return wrong == 0
