"""The pins of a board, opened before anything else: whatever follows, the gate is shut."""

from firmware import ports
from firmware.models import MODELS, load

OUTPUTS = ("relay", "lamp", "bell")


class BoardPins:
    """`parts` as `settings.describe` gives them. `of[part][pin]`: a function that drives an output
    or samples an input; a pin that is not wired is not there.
    """

    def __init__(self, machine, parts):
        self.of = {}
        for name in MODELS:
            part = parts[name]
            pins = load(part["model"]).PINS if part else ()
            self.of[name] = {pin: _open(machine, part, pin) for pin in pins if part[pin] >= 0}


def _open(machine, part, pin):
    opened = ports.open_output if pin in OUTPUTS else ports.open_input
    return opened(machine, part[pin], part[pin + "_active"])
