"""Events that the agent must not miss: they stay on flash, through resets, until the agent has
acknowledged them.

One entry is 24 bytes on flash: `event_no u32 | what u8 | kind u8 | tail length u8 | 0 u8 | tail 12
| crc u32`.

| event | next | on flash |
| --- | --- | --- |
| `reserve` | the next number is taken: one more than the last, also over resets | nothing |
| `add` | the event is open under its number | HAPPENED entry |
| `acknowledge` of an open event | gone | SETTLED entry |
| `acknowledge` of anything else | nothing | nothing |
| `add`, EVENTS_MAX open | the oldest not critical goes, `dropped` counts | SETTLED, HAPPENED |
| `add`, EVENTS_MAX open, all critical | refused, `refused` counts | nothing |
"""

import struct

from firmware.journal_file import JournalFile
from protocol.wire.states import HELP_ANSWERED, HELP_PRESSED

EVENTS_MAX = 32
TAIL_MAX = 12
CRITICAL = (HELP_PRESSED, HELP_ANSWERED)
_ENTRIES_MAX = 4 * EVENTS_MAX
_ENTRY = "<IBBBB12sI"
_ENTRY_BYTES = 24
_HAPPENED = 1
_SETTLED = 2


class Event:
    def __init__(self, number, kind, tail, at):
        self.number = number
        self.kind = kind
        self.tail = tail
        self.at = at  # ticks of this life, or None


class EventJournal:
    def __init__(self, folder):
        self.open = []  # oldest first
        self.dropped = 0
        self.refused = 0
        self._last = 0
        self._entry = bytearray(_ENTRY_BYTES)
        self._file = JournalFile(folder, "events.log", _ENTRY_BYTES, _ENTRIES_MAX)
        if not self._file.load(self._take):
            self._rewrite()

    def reserve(self):
        """A number for an event that will be added. One that never is leaves a gap, no harm."""
        self._last = (self._last + 1) & 0xFFFFFFFF
        return self._last

    def add(self, number, kind, tail, at):
        """The new event, durable, or None when the journal is full of critical ones. OSError when
        the flash refuses: the event is open all the same, but a reset would lose it."""
        if len(self.open) >= EVENTS_MAX and not self._make_room():
            self.refused += 1
            return None
        event = Event(number, kind, bytes(tail), at)
        self.open.append(event)
        self._write(number, _HAPPENED, kind, tail)
        return event

    def acknowledge(self, number):
        """The agent has it. OSError when the flash refuses: it is gone here, and comes again after
        a reset.
        """
        for event in self.open:
            if event.number == number:
                self.open.remove(event)
                self._write(number, _SETTLED, 0, b"")
                return

    def _make_room(self):
        for event in self.open:
            if event.kind not in CRITICAL:
                self.acknowledge(event.number)
                self.dropped += 1
                return True
        return False

    def _write(self, number, what, kind, tail):
        if self._file.is_long():
            self._rewrite()
        self._pack(number, what, kind, tail)
        self._file.append(self._entry)

    def _rewrite(self):
        self._file.rewrite(self._every_entry())

    def _every_entry(self):
        """The highest number first, so that numbers never start again, then what is open."""
        self._pack(self._last, _SETTLED, 0, b"")
        yield self._entry
        for event in self.open:
            self._pack(event.number, _HAPPENED, event.kind, event.tail)
            yield self._entry

    def _pack(self, number, what, kind, tail):
        struct.pack_into(_ENTRY, self._entry, 0, number, what, kind, len(tail), 0, bytes(tail), 0)

    def _take(self, payload):
        number, what, kind, length, _, tail = struct.unpack_from("<IBBBB12s", payload, 0)
        self._last = max(self._last, number)
        self.open = [
            event for event in self.open if event.number != number
        ]  # a rewrite may precede its own entry
        if what == _HAPPENED:
            self.open.append(Event(number, kind, tail[:length], None))
