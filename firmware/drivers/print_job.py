"""One print job on its way in: chunks of the link gathered in a buffer that is made once."""

import binascii

PRINT_JOB_MAX = 6400
_BLANK = bytes(256)


class PrintJob:
    """Chunks come in order, from offset 0; a chunk at 0 begins a new job. Anything out of order
    spoils it.
    """

    def __init__(self):
        self._room = memoryview(bytearray(PRINT_JOB_MAX))
        self.effect_id = None
        self._bytes = 0
        self._spoiled = False

    def add(self, effect_id, offset, chunk):
        """Take a chunk (bytes or memoryview)."""
        if offset == 0:
            self.clear()
            self.effect_id = effect_id
            self._spoiled = False
        end = offset + len(chunk)
        if effect_id != self.effect_id or offset != self._bytes or end > PRINT_JOB_MAX:
            self._spoiled = True
            return
        self._room[offset:end] = chunk
        self._bytes = end

    def whole(self, effect_id, total, crc32):
        """The job's bytes if it is exactly the one that was meant, else None."""
        if self._spoiled or effect_id != self.effect_id or total != self._bytes or total == 0:
            return None
        data = self._room[:total]
        return data if binascii.crc32(data) == crc32 else None

    def clear(self):
        """Forget the job: the slip names a person."""
        for at in range(0, self._bytes, len(_BLANK)):
            self._room[at : at + len(_BLANK)] = _BLANK
        self.effect_id = None
        self._bytes = 0
