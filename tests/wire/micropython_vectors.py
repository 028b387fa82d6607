"""Plays vectors.json: frames, messages and both sides of a link's conversation, byte for byte.

Runs under CPython and MicroPython: no pytest here. `micropython micropython_vectors.py FILE` prints
how many checks it made; a difference is an AssertionError.
"""

import binascii
import json
import sys

from protocol.wire import messages, ticks
from protocol.wire.frames import FrameDecoder, encode
from protocol.wire.link import Link


def data_of(text):
    return binascii.unhexlify(text)


class Bodies:
    """A decoder and what came out of it."""

    def __init__(self):
        self.found = []
        self.decoder = FrameDecoder(self._take)

    def _take(self, n):
        self.found.append(bytes(self.decoder.body[:n]))


def check_frames(frames):
    bodies = Bodies()
    for one in frames:
        body, wire = data_of(one["body"]), data_of(one["wire"])
        assert encode(body) == wire, one
        bodies.decoder.feed(wire, len(wire))
        assert bodies.found == [body], one
        bodies.found.clear()
    return len(frames)


def check_damage(streams):
    for one in streams:
        bodies = Bodies()
        stream = data_of(one["wire"])
        bodies.decoder.feed(stream, len(stream))
        assert len(bodies.found) == one["bodies"], one
        for name in ("crc_errors", "cobs_errors", "oversize", "short"):
            assert getattr(bodies.decoder, name) == one[name], (name, one)
    return len(streams)


def check_messages(entries):
    for one in entries:
        data, tail = data_of(one["bytes"]), data_of(one["tail"])
        kind, fields = one["kind"], tuple(one["fields"])
        assert messages.pack(kind, *fields, tail=tail) == data, one
        got = messages.unpack(memoryview(data))
        assert (got[0], tuple(got[1]), bytes(got[2])) == (kind, fields, tail), one
    return len(entries)


def check_refused(entries):
    for text in entries:
        try:
            messages.unpack(data_of(text))
        except messages.MessageError:
            continue
        raise AssertionError("taken for a message: " + text)
    return len(entries)


def check_ticks(entries):
    for a, b, apart in entries:
        assert ticks.diff(a, b) == apart, (a, b)
        assert ticks.add(b, apart) == a, (a, b)
    return len(entries)


class Teller:
    """A handler that writes down, in the words of the vectors, what it is told."""

    def __init__(self):
        self.told = []

    def link_up(self, version, info):
        self.told.append(["up", version, binascii.hexlify(info).decode()])

    def link_message(self, view):
        self.told.append(["message", binascii.hexlify(bytes(view)).decode()])

    def link_down(self, reason):
        self.told.append(["down", reason])

    def taken(self):
        told, self.told = self.told, []
        return told


def make_link(side, teller):
    return Link(
        side["role"],
        side["session"],
        teller,
        window=side["window"],
        info=data_of(side["info"]),
        version_min=side["version_min"],
        version_max=side["version_max"],
    )


def act(link, step):
    """Do one step [name, now, argument] to a link; what it answers, in the words of the vectors."""
    name, now, argument = step
    if name == "receive":
        data = data_of(argument)
        link.receive(data, len(data), now)
    elif name == "tick":
        link.tick(now)
    elif name == "send":
        return link.send(data_of(argument))
    elif name == "announce":
        link.announce(argument)
    elif name == "deadline":
        return link.deadline(now)
    elif name == "pull":
        wire = link.pull(now)
        return None if wire is None else binascii.hexlify(wire).decode()
    return None


def check_conversation(side):
    teller = Teller()
    link = make_link(side, teller)
    for number, (step, answer, told) in enumerate(side["steps"]):
        where = (side["role"], number, step)
        assert act(link, step) == answer, where
        assert teller.taken() == told, where
    return len(side["steps"])


def replay(vectors):
    """How many checks were made; AssertionError at the first difference."""
    return (
        check_frames(vectors["frames"])
        + check_damage(vectors["damage"])
        + check_messages(vectors["messages"])
        + check_refused(vectors["refused"])
        + check_ticks(vectors["ticks"])
        + sum(check_conversation(side) for side in vectors["conversation"])
    )


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print("checks:", replay(json.load(file)))
