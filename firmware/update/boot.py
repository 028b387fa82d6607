"""What starts a board, from /boot: it reads the pointer, counts tries, compares every hash of the
slot that it starts, and falls back. It hardly ever changes; no update reaches it.

The hashes are compared at every start: about 50 to 150 KB of files, read and hashed at an estimated
0.3 to 1 MB/s on a board, so a start takes 0.1 to 0.5 s longer. The signature is not looked at
again: the pointer names a slot only after that, and who can write the flash past the receiver can
write /main.py too.
"""

from firmware.update.slot_files import SlotCheck, read_pointer, write_pointer
from firmware.update.slots import TRIAL, choose

WATCHDOG_MS = 8000  # the most that an RP2350 can do is 8388


def start(root, watchdog):
    """{"root", "slot"} of what is to be started, or None when no slot is sound.

    `watchdog(ms)` is called before a slot in trial starts: one that hangs is reset, and counted.
    """
    pointer = read_pointer(root)
    troubles = []

    def check(slot):
        comparison = SlotCheck(root + "/" + slot)
        sound = None
        while sound is None:
            sound = comparison.step()
        if not sound:
            troubles.append(comparison.failed)
        return (comparison.version, comparison.release) if sound else None

    def keep(pointer):
        try:
            write_pointer(root, pointer)
        except OSError as error:
            troubles.append("the pointer: %r" % error)
            return False
        return True

    slot = choose(pointer, check, keep)
    for trouble in troubles:
        print("start:", trouble)
    if slot is None:
        print("start: no slot is sound; provision this board again")
        return None
    if pointer is not None and pointer.state == TRIAL and pointer.slot == slot:
        watchdog(WATCHDOG_MS)
    return {"root": root, "slot": slot}
