"""The key that pairs this board with its agent: DATA/pair.key, PAIR_KEY_BYTES raw bytes.

Written by who provisions the board (docs/board-link.md), never over the link, and nothing on the
link reads it.

| pair.key | the link talks to |
| --- | --- |
| absent (factory state) | an agent without a key |
| PAIR_KEY_BYTES long | the agent that has the same |
| any other length | nobody, until the board is provisioned again |
"""

from protocol.wire.tag import PAIR_KEY_BYTES

FILE = "pair.key"


def load_pair_key(folder, entropy, note):
    """The key, None in the factory state. OSError when the flash cannot be read."""
    try:
        file = open(folder + "/" + FILE, "rb")
    except OSError as error:
        if error.errno != 2:  # ENOENT
            raise
        return None
    with file:
        key = file.read(PAIR_KEY_BYTES + 1)
    if len(key) == PAIR_KEY_BYTES:
        return key
    note("%s has %d bytes, not %d: provision the board again" % (FILE, len(key), PAIR_KEY_BYTES))
    # A torn file must not make a paired board talk to anybody: a key that nobody knows.
    return entropy(PAIR_KEY_BYTES)
