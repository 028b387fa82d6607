"""The flash chip: a block device over one file, with the stall of an erase and a power cut in
mid-write."""

import time

import machine

_IOCTL_SYNC = 3
_IOCTL_BLOCK_COUNT = 4
_IOCTL_BLOCK_SIZE = 5
_IOCTL_BLOCK_ERASE = 6


class FlashDevice:
    """A file of `block_count` x `block_bytes`. Erase and program count as one write each."""

    def __init__(self, path, block_count, block_bytes, erase_ms):
        self.file = open(path, "r+b", buffering=0)
        self.block_count = block_count
        self.block_bytes = block_bytes
        self.erase_ms = erase_ms
        self.blank = b"\xff" * 256

    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * self.block_bytes + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            self._erase(block)
            offset = 0
        self.file.seek(block * self.block_bytes + offset)
        if self._power_fails():
            self.file.write(memoryview(buf)[: len(buf) // 2])
            self._off()
        self.file.write(buf)

    def ioctl(self, request, argument):
        if request == _IOCTL_BLOCK_COUNT:
            return self.block_count
        if request == _IOCTL_BLOCK_SIZE:
            return self.block_bytes
        if request == _IOCTL_BLOCK_ERASE:
            self._erase(argument)
        return 0

    def _erase(self, block):
        if self.erase_ms:
            # On a board interrupts are off now: only the hardware FIFO takes bytes in.
            machine.bus.send("E")
            time.sleep(self.erase_ms / 1000)
            machine.bus.send("e")
        fails = self._power_fails()
        self.file.seek(block * self.block_bytes)
        for _ in range(self.block_bytes // len(self.blank) // (2 if fails else 1)):
            self.file.write(self.blank)
        if fails:
            self._off()

    def _power_fails(self):
        machine.bus.drain()
        if machine.bus.cut_after == 0:
            return False
        machine.bus.cut_after -= 1
        return machine.bus.cut_after == 0

    def _off(self):
        machine.bus.send("C")
        machine.halt_for_ever()
