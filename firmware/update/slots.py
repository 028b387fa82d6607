"""Which of two slots a board starts. Pure: flash and hashes are passed in.

`slots.txt` is the pointer. It names one slot, and is written as `slots.txt.new` + rename, so it is
the old or the new one after a power cut.

| pointer | event | next | does |
| --- | --- | --- | --- |
| confirmed X | UPDATE_ACTIVATE, Y signed and every hash right | trial Y, tries 0 | reset |
| trial Y, tries < TRIES_MAX | start, hashes of Y right | trial Y, tries + 1 | starts Y |
| trial Y, tries = TRIES_MAX | start | confirmed X, failed Y: DID_NOT_START | starts X |
| trial Y | start, a hash of Y wrong | confirmed X, failed Y: WRONG_HASH | starts X |
| trial Y | self-test passed | confirmed Y, floor = its version, nothing failed | goes on |
| trial Y | self-test failed | confirmed X, failed Y: why | reset |
| trial Y | start, flash refuses the count | trial Y | starts X |
| trial Y | start as X should, a hash of X wrong | trial Y | starts Y if its hashes are right |
| confirmed X | start, hashes of X right | confirmed X | starts X, writes nothing |
| confirmed X | start, a hash of X wrong, Y right | confirmed Y, failed X: DAMAGED | starts Y |
| none or damaged | start | confirmed, the newest whose hashes are right | starts it |
| any | start, no slot has right hashes | same | stops at the console |
"""

from protocol.wire.update_states import DAMAGED, DID_NOT_START, WRONG_HASH

SLOTS = ("slot_a", "slot_b")
CONFIRMED = "confirmed"
TRIAL = "trial"
TRIES_MAX = 3
POINTER_FILE = "slots.txt"
POINTER_BYTES_MAX = 256
_FORMAT = "tongban-slots 1"
_KEYS = ("slot", "state", "tries", "release", "floor", "failed", "reason")


class PointerError(Exception):
    """The text is no pointer."""


class Pointer:
    """`release`: id of what lies in `slot`; `floor`: the highest version ever confirmed; `failed`
    and `reason`: the last release that was tried in vain, 0 if none.
    """

    def __init__(self, slot, state=CONFIRMED, tries=0, release=0, floor=0, failed=0, reason=0):
        self.slot = slot
        self.state = state
        self.tries = tries
        self.release = release
        self.floor = floor
        self.failed = failed
        self.reason = reason

    def text(self):
        """What `parse` reads."""
        lines = [_FORMAT, "slot " + self.slot, "state " + self.state, "tries %d" % self.tries]
        lines += ["release %016x" % self.release, "floor %d" % self.floor]
        lines += ["failed %016x" % self.failed, "reason %d" % self.reason, ""]
        return "\n".join(lines)

    def activate(self, release):
        """The other slot is to be tried."""
        self.slot = other(self.slot)
        self.state = TRIAL
        self.tries = 0
        self.release = release

    def confirm(self, version):
        """What runs is good, and what failed before it is of no interest any more."""
        self.failed = 0
        self.reason = 0
        self.state = CONFIRMED
        self.tries = 0
        self.floor = max(self.floor, version)

    def go_back(self, release, reason):
        """The slot named is not to be started again; `release` lies in the other one."""
        self.failed = self.release
        self.reason = reason
        self.slot = other(self.slot)
        self.state = CONFIRMED
        self.tries = 0
        self.release = release


def parse(text):
    """The Pointer of a text. Raises PointerError."""
    lines = text.split("\n")
    if len(lines) != len(_KEYS) + 2 or lines[0] != _FORMAT or lines[-1]:
        raise PointerError("not a pointer")
    values = []
    for key, line in zip(_KEYS, lines[1:]):
        name, _, value = line.partition(" ")
        if name != key:
            raise PointerError("no line " + key)
        values.append(value)
    slot, state, tries, release, floor, failed, reason = values
    if slot not in SLOTS or state not in (CONFIRMED, TRIAL):
        raise PointerError("no such slot or state")
    try:
        return Pointer(
            slot, state, int(tries), int(release, 16), int(floor), int(failed, 16), int(reason)
        )
    except ValueError:
        raise PointerError("not a number")


def other(slot):
    """The slot that this is not."""
    return SLOTS[1 - SLOTS.index(slot)]


def choose(pointer, check, keep):
    """The slot to start, or None. `pointer` is None when there is none that can be read.

    `check(slot)` gives (version, id) when all of its hashes are right, else None; `keep(pointer)`
    writes it and is False when the flash refuses.
    """
    if pointer is None:
        return _newest(check, keep)
    if pointer.state == TRIAL:
        return _choose_in_trial(pointer, check, keep)
    if check(pointer.slot) is not None:
        return pointer.slot
    return _back(pointer, DAMAGED, check, keep)


def _choose_in_trial(pointer, check, keep):
    tried = pointer.slot
    sound = check(tried) is not None
    if sound and pointer.tries < TRIES_MAX:
        pointer.tries += 1
        if keep(pointer):
            return tried
        pointer.tries -= 1
        return other(tried) if check(other(tried)) is not None else tried
    slot = _back(pointer, DID_NOT_START if sound else WRONG_HASH, check, keep)
    return tried if slot is None and sound else slot


def _back(pointer, reason, check, keep):
    found = check(other(pointer.slot))
    if found is None:
        return None
    pointer.go_back(found[1], reason)
    keep(pointer)  # a flash that refuses leaves the same choice to the next start
    return pointer.slot


def _newest(check, keep):
    best = None
    for slot in SLOTS:
        found = check(slot)
        if found is not None and (best is None or found[0] > best.floor):
            best = Pointer(slot, release=found[1], floor=found[0])
    if best is None:
        return None
    keep(best)
    return best.slot
