"""XFS5152 frames (and chips that speak like it): `FD | length u16 | command | encoding | text`,
big-endian, without a checksum: what the line spoils is spoken. Asleep, the module heeds WAKE only.

The module takes 4 KB of text. A text of the link is never longer than 200 bytes; the rest is room
for the tags, which so always go with it.
"""

from firmware.drivers.voice_text import put, utf16

STOP = b"\xfd\x00\x01\x02"
QUERY = b"\xfd\x00\x01\x21"
WAKE = b"\xfd\x00\x01\xff"

GBK = 1
UNICODE = 3  # UTF-16, little-endian
TEXT_MAX = 216
_HEAD_BYTES = 5
FRAME_MAX = _HEAD_BYTES + TEXT_MAX
VOLUME_MAX = 9
SPEED_MAX = 9


def settings(volume, speed, encoding=GBK):
    """Volume and speed as tags; they last until the module resets."""
    tags = b"[v%d][s%d]" % (min(volume, VOLUME_MAX), min(speed, SPEED_MAX))
    return utf16(tags, 0) if encoding == UNICODE else tags


def build_speak(room, first, second, encoding=GBK):
    """A speak frame of `first` + `second` in `room` (FRAME_MAX bytes). Its length in bytes."""
    room[0] = 0xFD
    room[1] = 0
    room[2] = len(first) + len(second) + 2
    room[3] = 0x01
    room[4] = encoding
    return put(room, _HEAD_BYTES, first, second)
