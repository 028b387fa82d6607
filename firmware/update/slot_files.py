"""The pointer and the slots as they lie on flash: reading, writing, comparing with the manifest."""

import binascii
import hashlib
import os

from firmware.update.slots import POINTER_BYTES_MAX, POINTER_FILE, PointerError, parse
from protocol.wire.manifest import MANIFEST_FILE, SIGNATURE_FILE, ManifestError, ManifestReader

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

STEP_BYTES = 2048
_BUFFER_BYTES = 512
_FOLDER = 0x4000


def read_pointer(root):
    """The Pointer in `root`, None when there is none or it cannot be read."""
    try:
        with open(root + "/" + POINTER_FILE) as file:
            return parse(file.read(POINTER_BYTES_MAX))
    except (OSError, PointerError, UnicodeError):
        return None


def write_pointer(root, pointer):
    """Replace the pointer in one step. OSError when the flash refuses."""
    path = root + "/" + POINTER_FILE
    with open(path + ".new", "w") as file:
        file.write(pointer.text())
    os.rename(path + ".new", path)


def manifest_of(folder):
    """(version, release) of the manifest in `folder`, None when there is none. Not its files."""
    comparison = SlotCheck(folder)
    found = comparison.step()
    comparison.close()
    return None if found is False else (comparison.version, comparison.release)


def release_id(digest):
    """The id of a release from the SHA-256 of its manifest."""
    return int.from_bytes(digest[:8], "big")


class SlotCheck:
    """Compares what lies in `folder` with its manifest, STEP_BYTES with every `step`.

    A slot is sound when it holds exactly the files of the manifest, each with its size and hash.
    """

    def __init__(self, folder):
        self.version = 0
        self.release = 0
        self.failed = ""
        self._folder = folder
        self._buffer = bytearray(_BUFFER_BYTES)
        self._manifest: "Any" = None
        self._reader: "Any" = None
        self._file: "Any" = None
        self._begun = False

    def step(self):
        """None while it goes on; then whether the slot is sound. `failed` says what is not."""
        try:
            if not self._begun:
                self._begun = True
                self._begin()
                return None
            return self._go_on()
        except (OSError, ManifestError, UnicodeError) as error:
            return self._fail("%s: %r" % (self._folder, error))

    def close(self):
        """Give up whatever is open."""
        for file in (self._file, self._manifest):
            if file is not None:
                file.close()
        self._file = self._manifest = None

    def _begin(self):
        self._manifest = open(self._folder + "/" + MANIFEST_FILE, "rb")
        hasher = hashlib.sha256()
        count = self._manifest.readinto(self._buffer)
        while count:
            hasher.update(memoryview(self._buffer)[:count])
            count = self._manifest.readinto(self._buffer)
        self.release = release_id(hasher.digest())
        self._manifest.seek(0)
        self._reader = ManifestReader(self._manifest)
        self.version = self._reader.version

    def _go_on(self):
        if self._file is None:
            entry = self._reader.next()
            if entry is None:
                return self._end()
            self._path, self._size, self._digest = entry
            self._hasher = hashlib.sha256()
            self._file = open(self._folder + "/" + self._path, "rb")
        for _ in range(STEP_BYTES // _BUFFER_BYTES):
            count = self._file.readinto(self._buffer)
            if not count:
                return self._end_file()
            self._hasher.update(memoryview(self._buffer)[:count])
            self._size -= count
        return None

    def _end_file(self):
        self._file.close()
        self._file = None
        if self._size != 0 or binascii.hexlify(self._hasher.digest()).decode() != self._digest:
            return self._fail("%s/%s differs from the manifest" % (self._folder, self._path))
        return None

    def _end(self):
        self.close()
        if count_files(self._folder, "") != self._reader.files:
            self.failed = self._folder + ": files that are not in the manifest"
            return False
        return True

    def _fail(self, text):
        self.close()
        self.failed = text
        return False


def count_files(folder, within):
    """How many files lie in `folder`, the manifest and its signature apart."""
    count = 0
    for entry in os.ilistdir(folder):
        name = within + "/" + entry[0] if within else entry[0]
        if entry[1] == _FOLDER:
            count += count_files(folder + "/" + entry[0], name)
        elif name not in (MANIFEST_FILE, SIGNATURE_FILE):
            count += 1
    return count
