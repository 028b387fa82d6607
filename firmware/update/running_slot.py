"""The slot that runs: what the pointer says of it, and its ways out of a trial.

The modules that read and write a slot are loaded for the moment in which they are used.
"""

import os

from firmware.forget import forget
from firmware.update.signature import KEY_FILE  # a text: folded in, no module is loaded for it
from firmware.update.slots import CONFIRMED, TRIAL  # the same
from protocol.wire import update_states as us

_KEY_BYTES_MAX = 1024
_PARTS = ("receiver", "flash_tree", "signature", "slot_files", "slots")


class RunningSlot:
    """`started` is what `boot.start` gave. `on_trial`: the self-test has still to say yes. `other`:
    the slot that an update goes to. `floor`: the lowest version that is taken.
    """

    def __init__(self, started):
        from firmware.update import slot_files, slots  # noqa: PLC0415 - for this moment only

        self.root = started["root"]
        self.slot = started["slot"]
        self.folder = self.root + "/" + self.slot
        found = slot_files.manifest_of(self.folder) or (0, 0)
        self.version = found[0]
        self.release = found[1]
        self.number = slots.SLOTS.index(self.slot)
        self.other = slots.other(self.slot)
        pointer = slot_files.read_pointer(self.root)
        self._take(pointer or slots.Pointer(self.slot, release=self.release))
        put_away()

    def _take(self, pointer):
        self._text = pointer.text()
        self.on_trial = pointer.state == TRIAL and pointer.slot == self.slot
        self.floor = pointer.floor
        self.failed = pointer.failed
        self.reason = pointer.reason

    @property
    def fields(self):
        """Of UPDATE_SLOT."""
        state = us.SLOT_TRIAL if self.on_trial else us.SLOT_CONFIRMED
        return self.number, state, self.version, self.release, self.failed, self.reason

    def lines(self):
        """Of HELLO."""
        state = TRIAL if self.on_trial else CONFIRMED
        lines = ["slot=%s %s" % (self.slot[-1], state), "release=%d" % self.version]
        if self.failed:
            lines.append("failed=%016x %d" % (self.failed, self.reason))
        return lines

    def activate(self, release):
        """The other slot is to be tried at the next start. OSError: the flash refused."""

        def change(pointer):
            pointer.slot = self.slot
            pointer.activate(release)

        self._take(self._write(change))

    def confirm(self):
        """The self-test was passed. OSError."""
        self._take(self._write(lambda pointer: pointer.confirm(self.version)))

    def give_up(self, reason):
        """The self-test failed: the other slot is to start. OSError."""
        from firmware.update import slot_files  # noqa: PLC0415 - for this moment only

        found = slot_files.manifest_of(self.root + "/" + self.other)
        self._write(lambda pointer: pointer.go_back(found[1] if found else 0, reason))

    def _write(self, change):
        """The pointer, changed on flash."""
        from firmware.update import slot_files, slots  # noqa: PLC0415 - for this moment only

        pointer = slots.parse(self._text)
        change(pointer)
        slot_files.write_pointer(self.root, pointer)
        return pointer

    def next_key(self):
        """The release key that this slot brings, when another one is in force; else None. A slot
        that was fallen back to brings none: its key may have been replaced for good reason.
        """
        from firmware.update.signature import parse_key  # noqa: PLC0415 - for this moment only

        if self.version < self.floor:
            return None
        brought = _read(self.folder + "/" + KEY_FILE)
        if brought is None or brought == _read(self.root + "/" + KEY_FILE):
            return None
        return brought if parse_key(brought.decode()) is not None else None

    def keep_key(self, key):
        """From now on releases must be signed with it. OSError."""
        path = self.root + "/" + KEY_FILE
        with open(path + ".new", "wb") as file:
            file.write(key)
        os.rename(path + ".new", path)


def put_away():
    """What was loaded for an update, or for a moment of one, leaves the memory."""
    forget("protocol.wire.manifest", *["firmware.update." + part for part in _PARTS])


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read(_KEY_BYTES_MAX)
    except OSError:
        return None
