"""Bank notes on flash: what was done with each of them, until the agent has acknowledged its end.

One entry is 24 bytes: `journal id u32 | counter u32 | session u32 | yuan u16 | state u8 | place u8
| reason u8 | 0 u8 | 0 u16 | crc u32`, little-endian. A note's number is `journal id << 32 |
counter`, never used again: the id is 31 random bits, made with the file.

| event | in memory | on flash |
| --- | --- | --- |
| the file is absent, or flash damage took an entry | a new id, counter 0 | a rewrite with it |
| `add` | the next number; live in ESCROW, or at its end already | an entry |
| `change` to STACKING, or back to ESCROW | the live note's state | an entry |
| `change` to an end state | the note waits for the agent | an entry |
| `forget` | gone | an ACKED entry |
| NOTES_OPEN_MAX notes are here | `is_full`: no other may come in | nothing |
| flash damage took the end of a note that is not the last | CASE, anywhere | a rewrite |
| the flash refuses | `is_broken` until a write succeeds | nothing |
"""

import struct

from firmware.journal_file import JournalFile
from protocol.wire.states import (
    DETAIL_JOURNAL,
    NOTE_CASE,
    NOTE_ENDS,
    NOTE_ESCROW,
    PLACE_ANYWHERE,
)

NOTES_OPEN_MAX = 8
_ENTRIES_MAX = 128  # 3 KiB
_ENTRY = "<IIIHBBBBHI"
_ENTRY_BYTES = 24
_COUNTER = 0  # says only which number was the last
_ACKED = 0xFF
_ID_MASK = 0x7FFFFFFF


class Note:
    """`yuan` 0: nobody knows its value."""

    def __init__(self, number, session, yuan):
        self.number = number
        self.session = session
        self.yuan = yuan
        self.state = NOTE_ESCROW
        self.place = 0
        self.reason = 0


class CashJournal:
    """`folder` is where the log lies, `entropy(n)` gives the bytes of a journal id."""

    def __init__(self, folder, entropy):
        self.open: "list[Note]" = []  # oldest first; at most the last has no end
        self.is_broken = False
        self._id = 0
        self._counter = 0
        self._entry = bytearray(_ENTRY_BYTES)
        self._file = JournalFile(folder, "cash.log", _ENTRY_BYTES, _ENTRIES_MAX)
        clean = self._file.load(self._take)
        if not self._id or self._file.damaged:
            self._id = struct.unpack("<I", entropy(4))[0] & _ID_MASK or 1
            self._counter = 0
            clean = False
        for note in self.open[:-1]:
            if note.state not in NOTE_ENDS:
                note.state, note.place, note.reason = NOTE_CASE, PLACE_ANYWHERE, DETAIL_JOURNAL
        if not clean:
            try:
                self.mend()
            except OSError:
                pass  # `is_broken` tells it; help and gate must work all the same

    @property
    def live(self):
        """The note that is still in the acceptor's hands, or None."""
        if self.open and self.open[-1].state not in NOTE_ENDS:
            return self.open[-1]
        return None

    @property
    def is_full(self):
        return len(self.open) >= NOTES_OPEN_MAX

    @property
    def is_unused(self):
        """No note was ever written here: what the acceptor holds may be of an earlier journal."""
        return self._counter == 0

    def find(self, number):
        """The note of this number, None when it is not open here."""
        for note in self.open:
            if note.number == number:
                return note
        return None

    def add(self, session, yuan, state=NOTE_ESCROW, place=0, reason=0):
        """A new note, durable in one entry. OSError when the flash refuses: then there is none."""
        note = Note(self._id << 32 | self._counter + 1, session, yuan)
        note.state, note.place, note.reason = state, place, reason
        self._write(note)
        self._counter += 1
        self.open.append(note)
        return note

    def change(self, note, state, place=0, reason=0):
        """Make a note's new state durable. OSError when the flash refuses: then it has it in memory
        only when it is an end, for an end is true whether it is written or not."""
        before = (note.state, note.place, note.reason)
        note.state, note.place, note.reason = state, place, reason
        try:
            self._write(note)
        except OSError:
            if state not in NOTE_ENDS:
                note.state, note.place, note.reason = before
            raise

    def forget(self, note):
        """The agent has the end of this note. OSError when the flash refuses: it is gone here, and
        comes again after a reset."""
        self.open.remove(note)
        note.state = _ACKED
        self._write(note)

    def mend(self):
        """Write the whole journal anew. OSError when the flash refuses."""
        self.is_broken = True
        self._file.rewrite(self._every_entry())
        self.is_broken = False

    def _write(self, note):
        if self._file.is_long() or self.is_broken:
            self.mend()
        self.is_broken = True
        self._pack(note)
        self._file.append(self._entry)
        self.is_broken = False

    def _every_entry(self):
        """The last number first, so that numbers never start again, then what is open."""
        struct.pack_into(
            _ENTRY, self._entry, 0, self._id, self._counter, 0, 0, _COUNTER, 0, 0, 0, 0, 0
        )
        yield self._entry
        for note in self.open:
            self._pack(note)
            yield self._entry

    def _pack(self, note):
        struct.pack_into(
            _ENTRY,
            self._entry,
            0,
            note.number >> 32,
            note.number & 0xFFFFFFFF,
            note.session,
            note.yuan,
            note.state,
            note.place,
            note.reason,
            0,
            0,
            0,
        )

    def _take(self, payload):
        journal_id, counter, session, yuan, state, place, reason = struct.unpack_from(
            "<IIIHBBB", payload, 0
        )
        self._take_number(journal_id, counter)
        if state == _COUNTER:
            return
        number = journal_id << 32 | counter
        note = self.find(number)
        if state == _ACKED:
            if note is not None:
                self.open.remove(note)
            return
        if note is None:
            note = Note(number, session, yuan)
            self.open.append(note)
        note.state, note.place, note.reason = state, place, reason

    def _take_number(self, journal_id, counter):
        """The id of the latest journal is that of the last entry which begins one: its COUNTER
        entry stands before notes of an earlier id that are still open."""
        if not self._id:
            self._id = journal_id
        if journal_id == self._id:
            self._counter = max(self._counter, counter)
