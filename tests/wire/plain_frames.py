"""The frame format written a second time, plainly, to hold the real one against."""

import struct
import zlib
from typing import NamedTuple

HELLO, DATA, ACK = 1, 2, 3


class Frame(NamedTuple):
    kind: int
    flags: int
    connection: int
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


def frame(frame: Frame, tag: bytes = bytes(8)) -> bytes:
    """The bytes of a frame on the wire."""
    head = struct.pack("<BBIHHH", *frame[:6])
    return wire(head + frame.payload + tag)


def read(data: bytes) -> Frame | None:
    """The frame of bytes up to and with its zero, None if there is none."""
    raw = uncobs(data[:-1]) if data.endswith(b"\0") else None
    if raw is None or not 24 <= len(raw) <= 536:
        return None
    body, crc = raw[:-4], struct.unpack("<I", raw[-4:])[0]
    if zlib.crc32(body) != crc or any(body[-8:]):
        return None
    return Frame(*struct.unpack("<BBIHHH", body[:12]), body[12:-8])


def hello(
    session: int,
    peer: int,
    *,
    role: int = 1,
    up: bool = False,
    versions: tuple[int, int] = (1, 1),
    window: int = 1000,
    info: bytes = b"",
) -> bytes:
    payload = struct.pack("<BBBII", *versions, role, session, peer) + info
    return frame(Frame(HELLO, int(up), 0, 0, 0, window, payload))


def connection(agent_session: int, board_session: int) -> int:
    return zlib.crc32(struct.pack("<II", agent_session, board_session))
