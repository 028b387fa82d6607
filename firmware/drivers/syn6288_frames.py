"""SYN6288 frames: `FD | length u16 | command | parameter | text | xor`, big-endian; `xor` is over
everything before it. Any byte wakes the chip; a repeated command is enough. Source: SYN6288
datasheet V1.7.
"""

from firmware.drivers.voice_text import put, utf16

STOP = b"\xfd\x00\x02\x02\xfd"
QUERY = b"\xfd\x00\x02\x21\xde"
WAKE = b""

GBK = 1
UNICODE = 3  # UTF-16, big-endian
TEXT_MAX = 200
_HEAD_BYTES = 5
FRAME_MAX = _HEAD_BYTES + TEXT_MAX + 1
VOLUME_MAX = 16
SPEED_MAX = 5


def settings(volume, speed, encoding=GBK):
    """Volume and speed as tags. They count only at the start of a frame, and last until the module
    resets.
    """
    tags = b"[v%d][t%d]" % (min(volume, VOLUME_MAX), min(speed, SPEED_MAX))
    return utf16(tags, 1) if encoding == UNICODE else tags


def build_speak(room, first, second, encoding=GBK):
    """A speak frame of `first` + `second` in `room` (FRAME_MAX bytes). Its length in bytes."""
    room[0] = 0xFD
    room[1] = 0
    room[2] = len(first) + len(second) + 3
    room[3] = 0x01
    room[4] = encoding
    at = put(room, _HEAD_BYTES, first, second)
    check = 0
    for place in range(at):
        check ^= room[place]
    room[at] = check
    return at + 1
