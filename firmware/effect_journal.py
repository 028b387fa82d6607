"""What was begun and how it ended, for the last EFFECTS_MAX effects: the board's half of "at most
once".

One entry is 16 bytes on flash: `id u64 | state u8 | detail u8 | 0 u16 | crc u32`, little-endian.
`state` is BEGUN or an outcome of `protocol.wire.states`.

| state of an id | event | next | on flash |
| --- | --- | --- | --- |
| never seen | `begin` | begun | an entry, before the first byte or edge |
| never seen | `end` (refused before it began) | its outcome | an entry |
| begun | `end` | its outcome | an entry |
| begun | a new life | UNKNOWN, detail REBOOTED | nothing: every later life says the same |
| its outcome | anything | its outcome | nothing |
| the 65th back | anything | never seen | left out of the next rewrite |
"""

import struct

from firmware.journal_file import JournalFile
from protocol.wire.states import DETAIL_REBOOTED, UNKNOWN

EFFECTS_MAX = 64
_ENTRIES_MAX = 4 * EFFECTS_MAX  # 4 KiB, one flash block
_ENTRY = "<QBBHI"
_ENTRY_BYTES = 16
_SLOT = "<QBB"
_SLOT_BYTES = 10

NEVER = 0
BEGUN = 0xFF


class EffectJournal:
    """`folder` is where the log lies. All calls but `begin` and `end` leave the flash alone."""

    def __init__(self, folder):
        self._slots = bytearray(EFFECTS_MAX * _SLOT_BYTES)
        self._count = 0
        self._next = 0
        self._entry = bytearray(_ENTRY_BYTES)
        self._file = JournalFile(folder, "effects.log", _ENTRY_BYTES, _ENTRIES_MAX)
        clean = self._file.load(self._take)
        for slot in range(self._count):
            if self._slots[slot * _SLOT_BYTES + 8] == BEGUN:
                self._set(slot, UNKNOWN, DETAIL_REBOOTED)
        if not clean:
            self._file.rewrite(self._every_entry())

    @property
    def damaged(self):
        """True when an entry was lost to flash damage: an id that is not here may have been done
        all the same.
        """
        return self._file.damaged > 0

    def state(self, effect_id):
        """(state, detail): NEVER, BEGUN or an outcome."""
        slot = self._find(effect_id)
        if slot < 0:
            return (NEVER, 0)
        at = slot * _SLOT_BYTES
        return (self._slots[at + 8], self._slots[at + 9])

    def begin(self, effect_id):
        """Make `begun` durable. OSError when the flash refuses: then the effect must not start."""
        self._write(effect_id, BEGUN, 0)
        self._put(effect_id, BEGUN, 0)

    def end(self, effect_id, outcome, detail):
        """Make the outcome durable. It is known to `state` even when the flash refuses with
        OSError.
        """
        self._put(effect_id, outcome, detail)
        self._write(effect_id, outcome, detail)

    def _write(self, effect_id, state, detail):
        if self._file.is_long():
            self._file.rewrite(self._every_entry())
        struct.pack_into(_ENTRY, self._entry, 0, effect_id, state, detail, 0, 0)
        self._file.append(self._entry)

    def _every_entry(self):
        """All slots, oldest first, each in the one entry buffer."""
        first = self._next if self._count == EFFECTS_MAX else 0
        for number in range(self._count):
            at = (first + number) % EFFECTS_MAX * _SLOT_BYTES
            effect_id, state, detail = struct.unpack_from(_SLOT, self._slots, at)
            struct.pack_into(_ENTRY, self._entry, 0, effect_id, state, detail, 0, 0)
            yield self._entry

    def _take(self, payload):
        effect_id, state, detail = struct.unpack_from(_SLOT, payload, 0)
        self._put(effect_id, state, detail)

    def _put(self, effect_id, state, detail):
        slot = self._find(effect_id)
        if slot < 0:
            slot = self._next
            self._next = (slot + 1) % EFFECTS_MAX
            self._count = min(self._count + 1, EFFECTS_MAX)
            struct.pack_into(_SLOT, self._slots, slot * _SLOT_BYTES, effect_id, 0, 0)
        self._set(slot, state, detail)

    def _set(self, slot, state, detail):
        self._slots[slot * _SLOT_BYTES + 8] = state
        self._slots[slot * _SLOT_BYTES + 9] = detail

    def _find(self, effect_id):
        for slot in range(self._count):
            if struct.unpack_from("<Q", self._slots, slot * _SLOT_BYTES)[0] == effect_id:
                return slot
        return -1
