"""A small append log on flash that survives a power cut at any write.

Every entry has the same length and ends in a CRC-32 of the rest. An entry is on flash when `append`
has returned: the file is closed after each one, which is the point at which littlefs commits.

| what the file holds at boot | what is done |
| --- | --- |
| NAME.new beside NAME | a rewrite was cut before its rename: NAME.new is removed |
| a last entry that is short or whose CRC differs | a torn write: left out, the file is rewritten |
| an entry in the middle whose CRC differs | flash damage: left out, `damaged` counts it |
| nothing | an empty journal |

Rewriting goes to NAME.new, then rename: littlefs replaces the old file in one step.
"""

import binascii
import os
import struct

_CRC_BYTES = 4


class JournalFile:
    """`entry_bytes` includes the CRC. `entries_max` is the length at which the owner should
    `rewrite`.
    """

    def __init__(self, folder, name, entry_bytes, entries_max):
        self.path = folder + "/" + name
        self.path_new = self.path + ".new"
        self.entry_bytes = entry_bytes
        self.entries_max = entries_max
        self.entries = 0
        self.damaged = 0

    def load(self, visit):
        """Call `visit(entry)` with the payload (without CRC) of every sound entry, oldest first."""
        self._remove_unfinished()
        sound, torn = 0, False
        try:
            file = open(self.path, "rb")
        except OSError as error:
            if error.errno != 2:  # ENOENT: the first boot
                raise
            return True
        room = bytearray(self.entry_bytes)
        payload = memoryview(room)[: self.entry_bytes - _CRC_BYTES]
        bad = 0
        while True:
            count = file.readinto(room)
            if not count:
                break
            torn = count < self.entry_bytes or not _is_sound(room)
            if torn:
                bad += 1
                continue
            visit(payload)
            sound += 1
        file.close()
        self.damaged = bad - 1 if torn else bad
        self.entries = sound + bad
        return bad == 0

    def append(self, entry):
        """Write one entry, a bytearray of `entry_bytes` whose last four bytes are filled in here.
        OSError when the flash refuses."""
        _seal(entry)
        entries, self.entries = (
            self.entries,
            self.entries_max,
        )  # half a write would shift what follows: rewrite first
        with open(self.path, "ab") as file:
            file.write(entry)
        self.entries = entries + 1

    def is_long(self):
        return self.entries >= self.entries_max

    def rewrite(self, entries):
        """Replace the whole file by `entries` (an iterable; one bytearray may be used for all of
        them).
        """
        count = 0
        with open(self.path_new, "wb") as file:
            for entry in entries:
                _seal(entry)
                file.write(entry)
                count += 1
        os.rename(self.path_new, self.path)
        self.entries = count

    def _remove_unfinished(self):
        try:
            os.remove(self.path_new)
        except OSError as error:
            if error.errno != 2:
                raise


def _seal(entry):
    end = len(entry) - _CRC_BYTES
    struct.pack_into("<I", entry, end, binascii.crc32(memoryview(entry)[:end]))


def _is_sound(entry):
    end = len(entry) - _CRC_BYTES
    return struct.unpack_from("<I", entry, end)[0] == binascii.crc32(memoryview(entry)[:end])
