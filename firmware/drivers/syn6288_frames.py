"""SYN6288 frames: `FD | length u16 | command | parameter | text | xor`, big-endian; `xor` is over
everything before it.
"""

STOP = b"\xfd\x00\x02\x02\xfd"
QUERY = b"\xfd\x00\x02\x21\xde"

STARTED_UP = 0x4A
ACCEPTED = 0x41
REJECTED = 0x45
SPEAKING = 0x4E
IDLE = 0x4F

GBK = 1
TEXT_MAX = 200
_HEAD_BYTES = 5
FRAME_MAX = _HEAD_BYTES + TEXT_MAX + 1
VOLUME_MAX = 16
SPEED_MAX = 5


def settings(volume, speed):
    """Volume and speed as tags. They count only at the start of a frame, and last until the module
    resets.
    """
    return b"[v%d][t%d]" % (min(volume, VOLUME_MAX), min(speed, SPEED_MAX))


def build_speak(room, first, second, encoding=GBK):
    """A speak frame of `first` + `second` in `room` (FRAME_MAX bytes). Its length in bytes."""
    text_bytes = len(first) + len(second)
    room[0] = 0xFD
    room[1] = 0
    room[2] = text_bytes + 3
    room[3] = 0x01
    room[4] = encoding
    at = _HEAD_BYTES
    for part in (first, second):
        for byte in part:
            room[at] = byte
            at += 1
    check = 0
    for place in range(at):
        check ^= room[place]
    room[at] = check
    return at + 1
