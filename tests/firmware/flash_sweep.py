"""MicroPython: cut the power in every single flash write of a day, on a real littlefs.

The day has effects and events and takes the effect journal over its rewrite. Prints one line
`swept N` or raises.
"""

import gc
import os

from firmware.effect_journal import BEGUN, NEVER, EffectJournal
from firmware.event_journal import EventJournal
from protocol.wire import states

BLOCK_BYTES = 512
BLOCKS = 64
FIRST_EFFECTS = 118  # before the sweep: the log of 256 entries is nearly full
EFFECTS = 20
CHECKED = 60  # of the 64 that the journal keeps
PERMITTED = {
    "begin": (NEVER, states.UNKNOWN),
    "begun": (states.UNKNOWN,),
    "end": (states.UNKNOWN, states.DONE),
    "ended": (states.DONE,),
}


class RamFlash:
    """A block device. `on_cut`, if set, is called in the middle of each write: what `image` holds
    then is what is left if power fails there."""

    def __init__(self, image):
        self.image = bytearray(image)
        self.on_cut = None

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK_BYTES + offset
        buf[:] = memoryview(self.image)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self._write(block * BLOCK_BYTES + offset, buf)

    def ioctl(self, request, argument):
        if request == 4:
            return BLOCKS
        if request == 5:
            return BLOCK_BYTES
        if request == 6:
            self._write(argument * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
        return 0

    def _write(self, at, buf):
        half = len(buf) // 2
        self.image[at : at + half] = buf[:half]
        if self.on_cut:
            self.on_cut()
        self.image[at : at + len(buf)] = buf


class Day:
    """`told`: what each effect (positive) and event (negative) was last said to be."""

    def __init__(self):
        self.told = {}

    def run(self, first, last):
        effects, events = EffectJournal("/sweep"), EventJournal("/sweep")
        for number in range(first, last + 1):
            steps = [(number, "begin", "begun", lambda n=number: effects.begin(n))]
            if number % 4 == 0:
                steps.append((-number, "add", "added", lambda: self.add(events)))
            if number % 8 == 0:
                steps.append((-number, "settle", "settled", lambda: self.settle(events)))
            steps.append((number, "end", "ended", lambda n=number: effects.end(n, states.DONE, 0)))
            for name, before, after, act in steps:
                self.told[name] = before
                act()
                self.told[name] = after

    def add(self, events):
        self.event = events.add(events.reserve(), states.HELP_PRESSED, b"", 0)

    def settle(self, events):
        events.acknowledge(self.event.number)


def check(told):
    """The next life, mounted at /cut, knows what was told."""
    effects, events = EffectJournal("/cut"), EventJournal("/cut")
    assert not effects.damaged
    for number in sorted(number for number in told if number > 0)[-CHECKED:]:
        state = effects.state(number)[0]
        assert state in PERMITTED[told[number]], (number, told[number], state)
        assert state != BEGUN
    added = sum(1 for number in told if told[number] == "added")
    uncertain = sum(1 for number in told if told[number] in ("add", "settle"))
    assert added <= len(events.open) <= added + uncertain, (len(events.open), told)


def mounted(image, folder, act):
    """`act` on a file system; the device it was on."""
    device = RamFlash(image)
    os.mount(os.VfsLfs2(device), folder)
    try:
        act()
    finally:
        os.umount(folder)
    return device


def main():
    blank = RamFlash(b"\xff" * (BLOCK_BYTES * BLOCKS))
    os.VfsLfs2.mkfs(blank)
    day = Day()
    image = mounted(blank.image, "/sweep", lambda: day.run(1, FIRST_EFFECTS)).image
    device = RamFlash(image)
    cuts = 0

    def cut():
        nonlocal cuts
        cuts += 1
        mounted(device.image, "/cut", lambda: check(day.told))
        gc.collect()

    os.mount(os.VfsLfs2(device), "/sweep")
    device.on_cut = cut
    day.run(FIRST_EFFECTS + 1, FIRST_EFFECTS + EFFECTS)
    cut()
    os.umount("/sweep")
    print("swept", cuts)


main()
