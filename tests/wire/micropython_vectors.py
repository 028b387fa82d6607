"""Replays vectors.json: `micropython micropython_vectors.py VECTORS.json`. Also under CPython.

Prints one line of JSON: the file the link was loaded from, and how many of each were right.
"""

import hashlib
import json
import sys

from protocol.wire import frames, link, messages, tag, ticks


def same(got, wanted, where):
    if got != wanted:
        raise AssertionError(f"{where}: {got!r}, not {wanted!r}")


def check_ticks(vectors):
    for a, b, wanted in vectors["diff"]:
        same(ticks.diff(a, b), wanted, "diff")
    for a, ms, wanted in vectors["add"]:
        same(ticks.add(a, ms), wanted, "add")
    return len(vectors["diff"]) + len(vectors["add"])


class Taken:
    """A decoder and the bodies it gave, as hex."""

    def __init__(self):
        self.bodies = []
        self.decoder = frames.FrameDecoder(self.on_body)

    def on_body(self, n):
        self.bodies.append(bytes(self.decoder.body[:n]).hex())


def check_frames(vectors):
    for vector in vectors:
        wire = bytes.fromhex(vector["wire"])
        same(frames.encode(bytes.fromhex(vector["body"])), wire, "encode")
        taken = Taken()
        taken.decoder.feed(wire, len(wire))
        same(taken.bodies, [vector["body"]], "decode")
    return len(vectors)


def check_streams(vectors):
    for vector in vectors:
        stream = bytes.fromhex(vector["stream"])
        taken = Taken()
        decoder = taken.decoder
        decoder.feed(stream, len(stream))
        same(taken.bodies, vector["bodies"], "bodies")
        counts = [decoder.crc_errors, decoder.cobs_errors, decoder.oversize, decoder.short]
        same(counts, vector["counts"], "counts")
    return len(vectors)


def check_messages(vectors):
    for vector in vectors:
        data = bytes.fromhex(vector["data"])
        tail = bytes.fromhex(vector["tail"])
        same(messages.pack(vector["kind"], *vector["fields"], tail=tail), data, "pack")
        kind, fields, view = messages.unpack(memoryview(data))
        same([kind, list(fields), bytes(view)], [vector["kind"], vector["fields"], tail], "unpack")
    return len(vectors)


def check_refused(vectors):
    for data in vectors:
        try:
            messages.unpack(bytes.fromhex(data))
        except messages.MessageError:
            continue
        raise AssertionError("not refused: " + data)
    # what struct of MicroPython would cut without a word
    for fields in ((1, 65536), (-1, 0), (1,)):
        try:
            messages.pack(messages.READ_CARD, *fields)
        except messages.MessageError:
            continue
        raise AssertionError(f"packed: {fields!r}")
    return len(vectors)


def check_tags(vectors):
    for vector in vectors:
        tags = tag.Tags(bytes.fromhex(vector["pair_key"]))
        tags.connect(*[bytes.fromhex(session) for session in vector["sessions"]])
        untagged = bytes.fromhex(vector["untagged"])
        for name, made in (("hello", tags.for_hello), ("frame", tags.for_frame)):
            same(made(untagged), bytes.fromhex(vector[name]), name)
            body = memoryview(untagged + bytes.fromhex(vector[name]))
            right = (tags.fits_frame(body, len(body)), tags.hello_problem(body, len(body)))
            same(right, (name == "frame", "" if name == "hello" else tag.PAIR_KEY), name)
    return len(vectors)


class Sessions:
    """Session numbers that are the same on every machine."""

    def __init__(self, seed):
        self.seed = seed

    def draw(self, count):
        self.seed += 1
        return hashlib.sha256(b"%d" % self.seed).digest()[:count]


class Side:
    """One link of the conversation and what it told."""

    def __init__(self):
        self.told = []
        self.link = None

    def new(self, role, seed, window, info, versions, key):
        self.link = link.Link(
            role,
            Sessions(seed).draw,
            self,
            window=window,
            info=bytes.fromhex(info),
            version_min=versions[0],
            version_max=versions[1],
            pair_key=bytes.fromhex(key) or None,
        )

    def link_up(self, version, info):
        self.told.append(["up", version, info.hex()])

    def link_down(self, reason):
        self.told.append(["down", reason])

    def link_message(self, view):
        self.told.append(["message", bytes(view).hex()])

    def call(self, what, arguments):
        self.told.clear()
        if what in ("receive", "send"):
            arguments = list(arguments)
            arguments[0] = bytes.fromhex(arguments[0])
        result = getattr(self.link, what)(*arguments)
        return result.hex() if isinstance(result, bytes) else result


def check_conversation(calls):
    sides = {"agent": Side(), "board": Side()}
    for number, call in enumerate(calls):
        side = sides[call[0]]
        if call[1] == "new":
            side.new(*call[2])
            continue
        where = f"call {number} {call[1]}"
        same(side.call(call[1], call[2]), call[3], where)
        same(side.told, call[4], where + " told")
    return len(calls)


def replay(vectors):
    """How many of each kind were right; AssertionError for the first that is not."""
    return {
        "ticks": check_ticks(vectors["ticks"]),
        "frames": check_frames(vectors["frames"]),
        "streams": check_streams(vectors["streams"]),
        "messages": check_messages(vectors["messages"]),
        "refused_messages": check_refused(vectors["refused_messages"]),
        "tags": check_tags(vectors["tags"]),
        "conversation": check_conversation(vectors["conversation"]),
        "paired": check_conversation(vectors["paired"]),
    }


def main():
    with open(sys.argv[1]) as file:
        counts = replay(json.load(file))
    counts["runtime"] = sys.implementation.name
    counts["link"] = link.__file__
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
