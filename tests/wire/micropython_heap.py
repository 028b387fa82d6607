"""What the receive path allocates, under MicroPython.

Unpaired: nothing, with the heap locked. Paired: the hashes of a frame's tag, the same few hundred
bytes for the shortest and the longest message; nothing for a frame of no connection.
`micropython micropython_heap.py` prints `no allocation, paired N to M bytes a frame` or how far it
came. HELLOs are not in it: they come once a connection, and may allocate.
"""

import gc
import hashlib

import micropython

from protocol.wire.frames import encode
from protocol.wire.link import ACK, AGENT, BOARD, DATA, Link

NOW = 0x3FFFFFFF - 20  # a sum over the wrap would be an allocated int on a 32-bit board
PIECE_BYTES = 256
SMALL = (1, 2, 3, 5, 11, 15, 23, 32)
BIG = (33, 201, 259, 400, 512)
ROUNDS = 10


class Sessions:
    def __init__(self, seed):
        self.seed = seed

    def draw(self, count):
        self.seed += 1
        return hashlib.sha256(b"%d" % self.seed).digest()[:count]


class Handler:
    """Counts without allocating; `first` and `total` show that the views are the messages."""

    def __init__(self):
        self.messages = 0
        self.total = 0
        self.first = 0

    def link_up(self, version, info):
        pass

    def link_down(self, reason):
        raise AssertionError(reason)

    def link_message(self, view):
        self.messages += 1
        self.total += len(view)
        self.first += view[0]


def pull_all(link):
    frames = b""
    while True:
        frame = link.pull(NOW)
        if frame is None:
            return frames
        frames += frame


def connect(one, other):
    for _ in range(4):
        for speaker, listener in ((one, other), (other, one)):
            data = pull_all(speaker)
            listener.receive(data, len(data), NOW)
    assert one.up
    assert other.up


def say(link, sizes):
    """The frames of one message of each size; the first byte is 7."""
    data = b""
    for size in sizes:
        assert link.send(b"\x07" + bytes(size - 1))
        data += pull_all(link)
    return data


def raw_frame(kind, flags=0, payload=b"\x01"):
    return encode(bytes((kind, flags)) + bytes(14) + payload + bytes(8))


def pieces(data):
    return [bytearray(data[at : at + PIECE_BYTES]) for at in range(0, len(data), PIECE_BYTES)]


def take(link, parts):
    """What a board's loop does with bytes of the link; False when something was allocated."""
    micropython.heap_lock()
    try:
        for part in parts:
            link.receive(part, len(part), NOW)
            link.tick(NOW)
            link.deadline(NOW)
        whole = True
    except MemoryError:
        whole = False
    micropython.heap_unlock()
    return whole


def bytes_of(link, data):
    """Bytes of heap that it takes to hear this."""
    parts = pieces(data)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for part in parts:
        link.receive(part, len(part), NOW)
    taken = gc.mem_alloc() - before
    gc.enable()
    return taken


def check_paired():
    """(least, most) bytes a frame, over short and long messages."""
    key = bytes(range(32))
    told = Handler()
    board = Link(BOARD, Sessions(3).draw, told, window=1024, pair_key=key)
    agent = Link(AGENT, Sessions(4).draw, Handler(), window=65535, pair_key=key)
    connect(agent, board)
    least, most = 1 << 20, 0
    for size in SMALL[:1] + BIG:
        for turn in range(ROUNDS):
            taken = bytes_of(board, say(agent, (size,)))
            answer = pull_all(board)
            agent.receive(answer, len(answer), NOW)
            if turn:  # the view of a length is made once
                least, most = min(least, taken), max(most, taken)
    assert told.messages == ROUNDS * (1 + len(BIG))
    strangers = raw_frame(DATA) * ROUNDS
    assert take(board, pieces(strangers)), "a frame of no connection was hashed"
    assert board.stats.strangers == ROUNDS
    return least, most


def main():
    told = Handler()
    board = Link(BOARD, Sessions(1).draw, told, window=1024)
    agent = Link(AGENT, Sessions(2).draw, Handler(), window=65535)
    connect(agent, board)

    # Lengths over 32 are seen once before: the view of each is made then.
    first = b""
    for size in BIG:
        data = say(agent, (size,))
        board.receive(data, len(data), NOW)
        data_back = pull_all(board)
        agent.receive(data_back, len(data_back), NOW)
        first += data
    assert told.messages == len(BIG)

    for _ in range(3):
        assert board.send(bytes(40))
    agent_acks = pull_all(board)
    agent.receive(agent_acks, len(agent_acks), NOW)
    fresh = [say(agent, SMALL), say(agent, BIG[:2])]

    messages_before, total_before = told.messages, told.total
    damage = b"\x05\x01\x02\x00\x01\x00" + b"\x01" * 700 + b"\x00" + b"\x77" * 700 + b"\x00"
    strangers = raw_frame(DATA) + raw_frame(ACK) + raw_frame(ACK, flags=0x81) + raw_frame(9)
    stale = first + fresh[1] + damage + fresh[1] + fresh[0]
    stream = damage + fresh[0] + fresh[1] + strangers + stale
    if not take(board, pieces(stream)):
        print("allocated after", told.messages - messages_before, "messages")
        return
    assert told.messages - messages_before == len(SMALL) + 2, told.messages
    assert told.total - total_before == sum(SMALL) + sum(BIG[:2])
    assert told.first == 7 * told.messages
    assert board.stats.stale == len(BIG) + 2 + 2 + len(SMALL)
    assert (board.stats.strangers, board.stats.refused) == (1, 3)
    assert board.stats.acked == 3
    decoder = board.decoder
    assert (decoder.cobs_errors, decoder.short, decoder.oversize) == (2, 2, 4)
    least, most = check_paired()
    print(f"no allocation, paired {least} to {most} bytes a frame")


if __name__ == "__main__":
    main()
