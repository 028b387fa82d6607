"""The flight recorder: the last bytes of every line, pin and message, in a ring of RAM.

Entries are those of protocol.wire.trace_entries. What is personal is masked before it gets here:
by length alone where a driver says so (`Sender.send(data, kept)`), by trace_masks.py where a device
speaks. The oldest entries make room. While an agent reads, the ring stands still.

| state | event | next | does |
| --- | --- | --- | --- |
| RUNNING | TRACE_OPEN | FROZEN | TRACE_INFO |
| FROZEN | TRACE_OPEN, TRACE_READ | FROZEN | TRACE_INFO, TRACE_PART |
| FROZEN | TRACE_CLOSE, link down, FROZEN_MS_MAX without a word | RUNNING | |
"""

from protocol.wire import messages
from protocol.wire import trace_entries as te
from protocol.wire.ticks import diff

RING_BYTES = 3072
SALT_BYTES = 8
FROZEN_MS_MAX = 10_000
JOIN_MS_MAX = 20  # bytes of a line that come so close are one entry
_U32 = 0xFFFFFFFF


class Trace:
    """`clock()` ticks; `salt` random bytes that never leave the board."""

    def __init__(self, clock, salt, size=RING_BYTES):
        self.salt = salt
        self.lost = 0  # entries that made room
        self._clock = clock
        self._ring = bytearray(size)
        self._first = 0
        self._used = 0
        self._last = clock()
        self._last_at = -1  # where the newest entry begins in the ring
        self._frozen_at = None
        self._pair = bytearray(2)
        self.mark(te.MARK_START)

    # ---- recording

    def put(self, kind, line, data, start, end):
        """One entry of `data[start:end]`, or more when it is longer than one can be."""
        while True:
            n = min(end - start, te.ENTRY_BYTES_MAX)
            self._entry(kind, line, data, start, n)
            start += n
            if start >= end:
                return

    def masked(self, kind, line, count):
        """So many bytes came or went that are not kept."""
        if count:
            self._pair[0] = count & 0xFF
            self._pair[1] = count >> 8
            self._entry(kind, line, self._pair, 0, 2)

    def byte(self, kind, line, value):
        self._pair[0] = value
        self._entry(kind, line, self._pair, 0, 1)

    def mark(self, what):
        self.byte(te.MARK, 0, what)

    def message(self, kind, view):
        """A board message: its fields, and of its tail the length."""
        record = te.message_record(view)
        self._entry(kind, 0, record, 0, len(record))

    def pin(self, act, device, number, is_output):
        """A pin's function that records every change of its level."""
        last = [None]

        def drive(on):
            if on != last[0]:
                last[0] = on
                self._level(te.SAID, device, number, on)
            act(on)

        def sample():
            on = act()
            if on != last[0]:
                last[0] = on
                self._level(te.HEARD, device, number, on)
            return on

        return drive if is_output else sample

    def _level(self, kind, device, number, on):
        self._pair[0] = number
        self._pair[1] = 1 if on else 0
        self._entry(kind, te.PIN_LINE + device, self._pair, 0, 2)

    def _entry(self, kind, line, data, start, n):
        now = self._clock()
        if self._frozen_at is not None:
            if diff(now, self._frozen_at) < FROZEN_MS_MAX:
                return
            self._frozen_at = None
        ms = min(te.GAP_MS_MAX, max(0, diff(now, self._last)))
        tag = kind * te.KIND_FACTOR + line
        if ms <= JOIN_MS_MAX and self._joins(tag, data, start, n):
            return
        self._make_room(te.ENTRY_HEAD_BYTES + n)
        self._last = now
        self._last_at = (self._first + self._used) % len(self._ring)
        self._push(tag)
        self._push(ms & 0xFF)
        self._push(ms >> 8)
        self._push(n)
        for at in range(start, start + n):
            self._push(data[at])

    def _joins(self, tag, data, start, n):
        """Whether the newest entry took these bytes in: it is of the same line and kind."""
        ring = self._ring
        size = len(ring)
        at = self._last_at
        if at < 0 or ring[at] != tag or tag >= te.FILL * te.KIND_FACTOR:
            return False
        if tag >= te.HEARD_MASKED * te.KIND_FACTOR:
            low, high = (at + 4) % size, (at + 5) % size
            count = (ring[low] | ring[high] << 8) + (data[start] | data[start + 1] << 8)
            if count > 0xFFFF:
                return False
            ring[low] = count & 0xFF
            ring[high] = count >> 8
            return True
        length_at = (at + 3) % size
        if ring[length_at] + n > te.ENTRY_BYTES_MAX or size - self._used < n:
            return False
        ring[length_at] += n
        for spot in range(start, start + n):
            self._push(data[spot])
        return True

    def _push(self, value):
        ring = self._ring
        ring[(self._first + self._used) % len(ring)] = value
        self._used += 1

    def _make_room(self, need):
        ring = self._ring
        while len(ring) - self._used < need:
            size = te.ENTRY_HEAD_BYTES + ring[(self._first + 3) % len(ring)]
            self._first = (self._first + size) % len(ring)
            self._used -= size
            self.lost += 1

    # ---- reading

    def serve(self, server):
        """Answer the agent's TRACE messages."""
        self._emit = server.outbound.emit
        server.serve(messages.TRACE_OPEN, self._open)
        server.serve(messages.TRACE_READ, self._read)
        server.serve(messages.TRACE_CLOSE, lambda fields, tail, now: self.thaw())
        server.at_link_down(self.thaw)

    def thaw(self):
        self._frozen_at = None

    def copy(self, offset, count):
        """At most `count` bytes from `offset` of the oldest entry on."""
        ring = self._ring
        count = max(0, min(count, self._used - offset))
        start = (self._first + offset) % len(ring)
        whole = bytes(memoryview(ring)[start : start + count])
        return whole + bytes(memoryview(ring)[: count - len(whole)])

    def _open(self, fields, tail, now):
        self._frozen_at = now
        age_ms = max(0, diff(now, self._last))
        self._emit(messages.TRACE_INFO, self._used, self.lost & _U32, age_ms)

    def _read(self, fields, tail, now):
        if self._frozen_at is not None and fields[0] < self._used:
            self._frozen_at = now
            part = self.copy(fields[0], messages.TRACE_PART_BYTES_MAX)
            self._emit(messages.TRACE_PART, fields[0], tail=part)


class Line:
    """The recorder's end of a device's line. `mask`: see trace_masks.py, None keeps everything."""

    def __init__(self, trace, device, port, mask):
        self._trace = trace
        self._device = device
        self._mask = mask
        self.write = port.write

    def heard(self, buf, n):
        """The first `n` bytes of `buf` came from the device."""
        if self._mask is None:
            self._trace.put(te.HEARD, self._device, buf, 0, n)
        else:
            self._mask.heard(buf, n)

    def said(self, data, kept):
        """These bytes go to the device; only the first `kept` may be recorded."""
        size = len(data)
        kept = min(kept, size)
        if kept:
            self._trace.put(te.SAID, self._device, data, 0, kept)
        self._trace.masked(te.SAID_MASKED, self._device, size - kept)
