"""Takes the stream of a release into the slot that does not run, in small steps.

| state | stage | step | next stage |
| --- | --- | --- | --- |
| CHECKING | revisit | the slot holds manifest and signature of this release | verify, else clear |
| CHECKING | clear | one file or folder of the slot is removed; none left | manifest |
| RECEIVING | manifest | half a room or the stream's end has come: written; all | signature |
| RECEIVING | signature | the same | verify |
| same | verify | one product of RSA-3072; right | list |
| CHECKING | verify | not right | clear |
| same | list | LINES_A_STEP lines of the manifest; board, version, sizes right | next file |
| CHECKING | next file | it lies there: compared; with the right hash | next file |
| CHECKING | next file | it does not | file, RECEIVING |
| RECEIVING | file | half a room or the stream's end has come: written; its hash right | next file |
| CHECKING | check | every file is read again and compared | READY |
| any | any | something is wrong | REFUSED, with a reason |

So nothing is written under a name of the manifest before the manifest's signature is right, and a
power cut costs the file that was being written: `begin` of the same release goes on behind those
that are whole. The id of a release binds every byte of its stream.
"""

import binascii
import hashlib
import os

from firmware.update.flash_tree import make_folders, remove_one, size_of
from firmware.update.signature import Verification, read_key
from firmware.update.slot_files import SlotCheck, release_id
from protocol.wire import update_states as us
from protocol.wire.manifest import (
    MANIFEST_BYTES_MAX,
    MANIFEST_FILE,
    SIGNATURE_BYTES,
    SIGNATURE_FILE,
    SLOT_BYTES_MAX,
    ManifestError,
    ManifestReader,
)

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

LINES_A_STEP = 8
SPARE_BLOCKS = 8  # for the pointer and the journals' rewrites
_STREAM_BYTES_MAX = MANIFEST_BYTES_MAX + SIGNATURE_BYTES + SLOT_BYTES_MAX
_FLUSH_BYTES = us.ROOM_BYTES // 2
_PART_BYTES = 512
_PARTS_A_STEP = 4


class Receiver:
    """`root` of the flash, `slot` to be filled, `board` the name that the manifest must have;
    `runs` the version that runs, `floor` the lowest that is taken.
    """

    def __init__(self, root, slot, board, runs, floor):
        self.state = us.UPDATE_NONE
        self.reason = us.REASON_NONE
        self.release = 0
        self.version = 0
        self.offset = 0  # of the stream: all before it is on flash
        self._root = root
        self._folder = root + "/" + slot
        self._board = board
        self._runs = runs
        self._floor = floor
        self._stage: "Any" = None
        self._room: "Any" = None
        self._reader: "Any" = None
        self._verification: "Any" = None
        self._file: "Any" = None
        self._manifest: "Any" = None
        self._check: "Any" = None
        self._filled = self._used = self._left = 0
        self._rest()

    # ---- what the owner calls

    def begin(self, release, stream_bytes, manifest_bytes):
        """Take this release; the same as before goes on where it was."""
        self.stop()
        self.release = release
        self._stream_bytes = stream_bytes
        self._manifest_bytes = manifest_bytes
        self._modulus = read_key(self._root)
        if self._modulus is None:
            self._refuse(us.NO_KEY)
        elif manifest_bytes > MANIFEST_BYTES_MAX or stream_bytes > _STREAM_BYTES_MAX:
            self._refuse(us.TOO_LARGE)
        elif stream_bytes < manifest_bytes + SIGNATURE_BYTES:
            self._refuse(us.WRONG_SIZE)
        else:
            self._room = memoryview(bytearray(us.ROOM_BYTES))
            self.state = us.UPDATE_CHECKING
            self._stage = self._revisit

    def stop(self):
        """Forget what was going on; what is on flash stays."""
        self._close()
        self.state = us.UPDATE_NONE
        self.reason = us.REASON_NONE
        self.release = 0
        self._rest()

    def take(self, offset, chunk):
        """The next bytes of the stream, at most ROOM_BYTES behind `offset`."""
        if self.state != us.UPDATE_RECEIVING:
            return  # on its way when this ended
        end = self._filled + len(chunk)
        wanted = self.offset + self._filled - self._used
        if offset != wanted or end > us.ROOM_BYTES or offset + len(chunk) > self._stream_bytes:
            self._refuse(us.BAD_FORM)
            return
        self._room[self._filled : end] = chunk
        self._filled = end

    @property
    def room_is_empty(self):
        """Whether everything that came is on flash."""
        return self._filled == 0

    @property
    def has_work(self):
        """Whether `step` would do something now."""
        if self._stage in (self._write_manifest, self._write_signature, self._write_file):
            return self._may_flush()
        return self._stage is not None

    @property
    def writes(self):
        """Whether the next step may write to flash."""
        return self._stage not in (self._revisit, self._verify, self._list, self._check_all)

    def step(self):
        """One small step."""
        try:
            self._stage()
        except (ManifestError, UnicodeError):
            self._refuse(us.BAD_FORM)
        except OSError:
            self._refuse(us.FLASH_REFUSED)

    # ---- stages

    def _revisit(self):
        digest = None
        self._signature = b""
        try:
            digest = self._manifest_digest()
            with open(self._folder + "/" + SIGNATURE_FILE, "rb") as file:
                self._signature = file.read(SIGNATURE_BYTES + 1)
        except OSError:
            pass  # not there: a new release, or the power failed early
        if digest is None or release_id(digest) != self.release:
            self._stage = self._clear
        elif len(self._signature) != SIGNATURE_BYTES:
            self._stage = self._clear
        else:
            self.offset = self._manifest_bytes + SIGNATURE_BYTES
            self._digest = digest
            self._begin_verify()

    def _clear(self):
        if remove_one(self._folder):
            return
        self._is_new = True
        self.state = us.UPDATE_RECEIVING
        self._left = self._manifest_bytes
        self._open_file(self._folder + "/" + MANIFEST_FILE)
        self._stage = self._write_manifest

    def _write_manifest(self):
        self._write_some()
        if self._left:
            return
        self._end_file()
        self._digest = self._hasher.digest()
        if release_id(self._digest) != self.release:
            self._refuse(us.WRONG_HASH)
            return
        self._left = SIGNATURE_BYTES
        self._open_file(self._folder + "/" + SIGNATURE_FILE)
        self._stage = self._write_signature

    def _write_signature(self):
        self._write_some()
        if self._left:
            return
        self._end_file()
        with open(self._folder + "/" + SIGNATURE_FILE, "rb") as file:
            self._signature = file.read(SIGNATURE_BYTES)
        self._begin_verify()

    def _begin_verify(self):
        self._verification = Verification(self._modulus, self._signature, self._digest)
        self._stage = self._verify

    def _verify(self):
        right = self._verification.step()
        if right is None:
            return
        self._verification = None
        if not right:
            if self._is_new:
                self._refuse(us.BAD_SIGNATURE)
            else:  # what lies there has the right manifest under a wrong signature
                self.offset = 0
                self._stage = self._clear
            return
        self._open_manifest()
        self._blocks = SPARE_BLOCKS
        if self._reader.board != self._board:
            self._refuse(us.WRONG_BOARD)
        elif self._reader.version == self._runs:
            self._refuse(us.SAME_VERSION)
        elif self._reader.version < self._floor:
            self._refuse(us.OLDER_VERSION)
        elif self._stream_bytes != self.offset + self._reader.size_bytes:
            self._refuse(us.WRONG_SIZE)
        else:
            self.version = self._reader.version
            self._stage = self._list

    def _list(self):
        status = os.statvfs(self._root)
        for _ in range(LINES_A_STEP):
            entry = self._reader.next()
            if entry is None:
                if self._is_new and self._blocks > status[4]:
                    self._refuse(us.TOO_LARGE)
                    return
                self._open_manifest()
                self._stage = self._next_file
                return
            self._blocks += 1 + entry[1] // status[0]

    def _next_file(self):
        entry = self._reader.next()
        if entry is None:
            self._close()
            self.state = us.UPDATE_CHECKING
            self._check = SlotCheck(self._folder)
            self._stage = self._check_all
            return
        path, self._left, self._wanted = entry
        self._path = self._folder + "/" + path
        if self._is_new or size_of(self._path) != self._left:
            self._begin_file()
        else:
            self._hasher = hashlib.sha256()
            self._file = open(self._path, "rb")
            self._stage = self._compare_file

    def _begin_file(self):
        """From here on the slot is filled anew."""
        self._is_new = True
        self.state = us.UPDATE_RECEIVING
        make_folders(self._path, len(self._folder))
        self._open_file(self._path)
        self._stage = self._write_file

    def _compare_file(self):
        """One that a life before has left."""
        for _ in range(_PARTS_A_STEP):
            part = self._file.read(_PART_BYTES)
            self._hasher.update(part)
            if not part:
                self._end_file()
                self._stage = self._after_compare
                return

    def _after_compare(self):
        if self._hash_is_right():
            self.offset += self._left
            self._stage = self._next_file
        else:
            self._begin_file()

    def _write_file(self):
        self._write_some()
        if self._left:
            return
        self._end_file()
        if self._hash_is_right():
            self._stage = self._next_file
        else:
            self._refuse(us.WRONG_HASH)

    def _check_all(self):
        sound = self._check.step()
        if sound is None:
            return
        self._check = None
        if sound:
            self.state = us.UPDATE_READY
            self._stage = None
        else:
            self._refuse(us.WRONG_HASH)

    # ---- parts

    def _may_flush(self):
        """What came is written by half rooms, and at the end of the stream; a file without bytes
        waits for none.
        """
        waiting = self._filled - self._used
        at_end = self.offset + waiting == self._stream_bytes
        begun = self._flushing or at_end or waiting >= _FLUSH_BYTES
        return self._left == 0 or waiting > 0 and begun

    def _write_some(self):
        """The room, up to the end of what is being written."""
        count = min(self._filled - self._used, self._left)
        part = self._room[self._used : self._used + count]
        if count and self._file.write(part) != count:
            raise OSError(28)  # ENOSPC
        self._hasher.update(part)
        self._used += count
        self._left -= count
        self.offset += count
        self._flushing = self._used < self._filled
        if not self._flushing:
            self._used = self._filled = 0

    def _open_file(self, path):
        self._hasher = hashlib.sha256()
        self._file = open(path, "wb")

    def _end_file(self):
        file, self._file = self._file, None
        file.close()

    def _hash_is_right(self):
        return binascii.hexlify(self._hasher.digest()).decode() == self._wanted

    def _manifest_digest(self):
        hasher = hashlib.sha256()
        with open(self._folder + "/" + MANIFEST_FILE, "rb") as file:
            part = file.read(_PART_BYTES)
            while part:
                hasher.update(part)
                part = file.read(_PART_BYTES)
            if file.tell() != self._manifest_bytes:
                return None
        return hasher.digest()

    def _open_manifest(self):
        if self._manifest is not None:
            self._manifest.close()
        self._manifest = open(self._folder + "/" + MANIFEST_FILE, "rb")
        self._reader = ManifestReader(self._manifest)

    def _refuse(self, reason):
        self._close()
        self.state = us.UPDATE_REFUSED
        self.reason = reason
        self._stage = None
        self._filled = self._used = 0

    def _close(self):
        """Nothing stays open, and the room is given back."""
        if self._check is not None:
            self._check.close()
        for file in (self._file, self._manifest):
            if file is not None:
                try:
                    file.close()
                except OSError:
                    pass  # it was refused for that, and its hash is wrong
        self._file = self._manifest = self._check = self._room = None
        self._reader = self._verification = None

    def _rest(self):
        self._stage = None
        self._stream_bytes = self._manifest_bytes = 0
        self.offset = 0
        self._filled = self._used = self._left = 0
        self._flushing = self._is_new = False
