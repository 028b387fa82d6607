"""The frame format written a second time, plainly, to hold the real one against."""

import hmac
import struct
import zlib
from typing import NamedTuple

HELLO, DATA, ACK = 1, 2, 3
HEADER = "<BBIIHHH"
NOBODY = bytes(8)
FROM_BOARD = 0x80


class Frame(NamedTuple):
    kind: int
    flags: int
    connection: int
    number: int
    seq: int
    ack: int
    window: int
    payload: bytes


def cobs(data: bytes) -> bytes:
    """Cheshire and Baker: every stretch up to a zero, in blocks of at most 254 bytes."""
    out = bytearray()
    stretches = data.split(b"\0")
    for number, stretch in enumerate(stretches):
        full, rest = divmod(len(stretch), 254)
        for at in range(full):
            out += b"\xff" + stretch[254 * at : 254 * at + 254]
        # Full blocks stand for no zero; what ends the data needs none.
        if rest or not full or number < len(stretches) - 1:
            out += bytes([rest + 1]) + stretch[254 * full :]
    return bytes(out)


def uncobs(data: bytes) -> bytes | None:
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if len(block) != code - 1 or 0 in data[at : at + code]:
            return None
        out += block
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def wire(body: bytes) -> bytes:
    return cobs(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def tag_of(key: bytes | None, untagged: bytes) -> bytes:
    return bytes(8) if key is None else hmac.digest(key, untagged, "sha256")[:8]


def hello_key(pair_key: bytes) -> bytes:
    return hmac.digest(pair_key, b"tongban/1/hello", "sha256")


def connection_key(pair_key: bytes, agent_session: bytes, board_session: bytes) -> bytes:
    sessions = agent_session + board_session
    return hmac.digest(pair_key, b"tongban/1/connection" + sessions, "sha256")


def frame(frame: Frame, *, key: bytes | None = None, tag: bytes | None = None) -> bytes:
    """The bytes of a frame on the wire, with the tag under `key`, or with this tag."""
    untagged = struct.pack(HEADER, *frame[:7]) + frame.payload
    return wire(untagged + (tag_of(key, untagged) if tag is None else tag))


def _body(data: bytes) -> bytes | None:
    raw = uncobs(data[:-1]) if data.endswith(b"\0") else None
    if raw is None or not 28 <= len(raw) <= 540:
        return None
    body, crc = raw[:-4], struct.unpack("<I", raw[-4:])[0]
    return body if zlib.crc32(body) == crc else None


def read(data: bytes) -> Frame | None:
    """The frame of bytes up to and with its zero, whatever its tag; None if there is none."""
    body = _body(data)
    return None if body is None else Frame(*struct.unpack(HEADER, body[:16]), body[16:-8])


def has_tag_of(key: bytes | None, data: bytes) -> bool:
    """Whether these bytes are a frame with the tag under this key."""
    body = _body(data)
    return body is not None and body[-8:] == tag_of(key, body[:-8])


def hello(
    session: bytes,
    peer: bytes,
    *,
    role: int = 1,
    up: bool = False,
    versions: tuple[int, int] = (1, 1),
    window: int = 1000,
    info: bytes = b"",
    key: bytes | None = None,
) -> bytes:
    payload = struct.pack("<BBB8s8s", *versions, role, session, peer) + info
    flags = int(up) | (FROM_BOARD if role else 0)
    return frame(Frame(HELLO, flags, 0, 0, 0, 0, window, payload), key=key)


def connection(agent_session: bytes, board_session: bytes) -> int:
    return zlib.crc32(agent_session + board_session)
