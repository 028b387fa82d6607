"""What the frames of all speech modules are made of: text in the module's character set."""


def utf16(text, ascii_at):
    """ASCII bytes as UTF-16; `ascii_at` 0: little-endian, 1: big-endian."""
    wide = bytearray(2 * len(text))
    for at in range(len(text)):
        wide[2 * at + ascii_at] = text[at]
    return bytes(wide)


def put(room, at, first, second):
    """Copy `first` and `second` into `room` from `at` on. The place after them."""
    for part in (first, second):
        for byte in part:
            room[at] = byte
            at += 1
    return at
