"""Mistakes that can be planted into a firmware space, to see that a sweep finds them."""

from collections.abc import Callable, Mapping
from typing import Any

from protocol.wire import states
from simulator.sweep.firmware_space import FirmwareSpace

Plant = Callable[[FirmwareSpace], None]


def credit_before_stack(space: FirmwareSpace) -> None:
    """The note counts as soon as the agent wants it; STACK goes out afterwards."""
    desk = space.load("firmware.cash_desk").CashDesk
    become = desk._become

    def hasty(self: Any, note: Any, state: int, now: int, *more: int) -> None:
        if state == states.NOTE_STACKING:
            self._acceptor.stack(now)
            state = states.NOTE_STACKED
        become(self, note, state, now, *more)

    desk._become = hasty


def erase_before_write(space: FirmwareSpace) -> None:
    """A rewrite removes the old file and then writes the new one in its place."""
    module = space.load("firmware.journal_file")

    def rewrite(self: Any, entries: Any) -> None:
        if self.path[1:] in module.os.listdir("/"):
            module.os.remove(self.path)
        count = 0
        with module.open(self.path, "wb") as file:
            for entry in entries:
                module._seal(entry)
                file.write(entry)
                count += 1
        self.entries = count

    module.JournalFile.rewrite = rewrite
    module.open = space.open


def pointer_before_hash(space: FirmwareSpace) -> None:
    """The pointer names a slot as soon as the signature is right; its files come later."""
    updates = space.load("firmware.update.updates").Updates
    take_step = updates._take_step

    def hasty(self: Any, now: int) -> None:
        receiver = self._receiver
        take_step(self, now)
        if receiver._stage == receiver._list and not self._running.on_trial:
            self._running.activate(receiver.release)

    updates._take_step = hasty


CASH: Mapping[str, Plant] = {
    "credit-before-stack": credit_before_stack,
}
UPDATE: Mapping[str, Plant] = {"pointer-before-hash": pointer_before_hash}
JOURNAL: Mapping[str, Plant] = {"erase-before-write": erase_before_write}
