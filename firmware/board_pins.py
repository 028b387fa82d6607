"""The pins of a board, opened before anything else: whatever follows, the gate is shut."""

from firmware import ports


class BoardPins:
    """`parts` as `settings.describe` gives them. What is not wired is None."""

    def __init__(self, machine, parts):
        self.relay = self.passed = None
        self.lamp = self.button = self.bell = self.answer = None
        gate, help_part = parts["gate"], parts["help"]
        if gate:
            self.relay = _output(machine, gate, "relay")
            self.passed = _input(machine, gate, "passed")
        if help_part:
            self.lamp = _output(machine, help_part, "lamp")
            self.button = _input(machine, help_part, "button")
            self.bell = _output(machine, help_part, "bell")
            self.answer = _input(machine, help_part, "answer")


def has_pin(part, name):
    """Whether the pin is wired: -1 or no entry is not."""
    return part.get(name, -1) >= 0


def _output(machine, part, name):
    if not has_pin(part, name):
        return None
    return ports.open_output(machine, part[name], part[name + "_active"])


def _input(machine, part, name):
    if not has_pin(part, name):
        return None
    return ports.open_input(machine, part[name], part[name + "_active"])
