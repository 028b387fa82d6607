"""The slot that runs: what the pointer says of it, and its ways out of a trial."""

import os

from firmware.update import slots
from firmware.update.signature import KEY_FILE, parse_key
from firmware.update.slot_files import manifest_of, read_pointer, write_pointer
from protocol.wire import update_states as us

_KEY_BYTES_MAX = 1024


class RunningSlot:
    """`started` is what `boot.start` gave."""

    def __init__(self, started):
        self.root = started["root"]
        self.slot = started["slot"]
        self.folder = self.root + "/" + self.slot
        found = manifest_of(self.folder) or (0, 0)
        self.version = found[0]
        self.release = found[1]
        self.pointer = read_pointer(self.root) or slots.Pointer(self.slot, release=self.release)

    @property
    def on_trial(self):
        """Whether the self-test has still to say yes."""
        return self.pointer.state == slots.TRIAL and self.pointer.slot == self.slot

    @property
    def other(self):
        """The slot that an update goes to."""
        return slots.other(self.slot)

    @property
    def fields(self):
        """Of UPDATE_SLOT."""
        pointer = self.pointer
        state = us.SLOT_TRIAL if self.on_trial else us.SLOT_CONFIRMED
        number = slots.SLOTS.index(self.slot)
        return number, state, self.version, self.release, pointer.failed, pointer.reason

    def lines(self):
        """Of HELLO."""
        state = slots.TRIAL if self.on_trial else slots.CONFIRMED
        lines = ["slot=%s %s" % (self.slot[-1], state), "release=%d" % self.version]
        if self.pointer.failed:
            lines.append("failed=%016x %d" % (self.pointer.failed, self.pointer.reason))
        return lines

    def activate(self, release):
        """The other slot is to be tried at the next start. OSError: the flash refused."""
        pointer = slots.parse(self.pointer.text())
        pointer.slot = self.slot
        pointer.activate(release)
        write_pointer(self.root, pointer)
        self.pointer = pointer

    def confirm(self):
        """The self-test was passed. OSError."""
        pointer = slots.parse(self.pointer.text())
        pointer.confirm(self.version)
        write_pointer(self.root, pointer)
        self.pointer = pointer

    def give_up(self, reason):
        """The self-test failed: the other slot is to start. OSError."""
        pointer = slots.parse(self.pointer.text())
        found = manifest_of(self.root + "/" + self.other)
        pointer.go_back(found[1] if found else 0, reason)
        write_pointer(self.root, pointer)

    def next_key(self):
        """The release key that this slot brings, when another one is in force; else None. A slot
        that was fallen back to brings none: its key may have been replaced for good reason.
        """
        if self.version < self.pointer.floor:
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


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read(_KEY_BYTES_MAX)
    except OSError:
        return None
