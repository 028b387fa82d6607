"""A driver between a scripted port and lists that keep what it said. Runs under CPython and
MicroPython: no pytest here.
"""

STEP_MS = 5


class ScriptedPort:
    """Takes at most `room` bytes a write (None: all)."""

    def __init__(self):
        self.out = bytearray()
        self.room = None

    def write(self, buf):
        if self.room == 0:
            return None
        count = len(buf) if self.room is None else min(self.room, len(buf))
        self.out.extend(bytes(buf)[:count])
        return count

    def taken(self):
        data, self.out = bytes(self.out), bytearray()
        return data


class Scene:
    """Time starts just below the wrap of the ticks, so that every case also crosses it."""

    def __init__(self):
        self.now = 0x3FFFFFFF - 50
        self.port = ScriptedPort()
        self.messages = []
        self.states = []
        self.driver = None

    def emit(self, kind, *fields, tail=b""):
        self.messages.append((kind,) + fields + ((bytes(tail),) if len(tail) else ()))

    def report(self, state, detail):
        if not self.states or self.states[-1] != (state, detail):
            self.states.append((state, detail))

    def run(self, ms, step_ms=STEP_MS):
        """Let `ms` go by, in steps of a superloop; a busy one takes longer ones."""
        for _ in range(ms // step_ms):
            self.now = (self.now + step_ms) & 0x3FFFFFFF
            self.driver.tick(self.now)

    def sent(self, ms_max=400):
        """What the driver sends next, b"" if nothing within `ms_max`."""
        for _ in range(ms_max // STEP_MS):
            if self.port.out:
                break
            self.run(STEP_MS)
        return self.port.taken()

    def expect(self, data, ms_max=400):
        """The next bytes out must be exactly these."""
        self.expect_in((data,), ms_max)

    def expect_in(self, choices, ms_max=400):
        sent = self.sent(ms_max)
        assert sent in choices, hexes(sent)

    def reply(self, data, piece=64):
        """Bytes from the device, in pieces."""
        for at in range(0, len(data), piece):
            part = data[at : at + piece]
            self.driver.feed(part, len(part), self.now)

    def said(self):
        """Messages since the last call."""
        messages, self.messages = self.messages, []
        return messages


def hexes(data):
    return "".join(f"{byte:02X}" for byte in data)


class Ledger:
    """`begin` and `end` of an effect, noted in order with the bytes that had gone out by then."""

    def __init__(self, port, answer):
        self.port = port
        self.answer = answer
        self.notes = []

    def begin(self, effect_id, now):
        self.notes.append(("begin", effect_id, len(self.port.out)))
        return self.answer

    def end(self, effect_id, outcome, detail, now):
        self.notes.append(("end", effect_id, outcome, detail))

    def ends(self):
        return [note[1:] for note in self.notes if note[0] == "end"]
