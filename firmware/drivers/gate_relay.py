"""A gate's relay on a pin of the board."""

from firmware.drivers.gate import build_gate


class PinRelay:
    """`drive_pin(on)`. `held`: the relay is held while the gate is shut, so that it opens when the
    board has no power (fail-safe); else it is pulled to open (fail-secure).
    """

    stuck = False
    seen = True  # nothing tells of a pin

    def __init__(self, drive_pin, held):
        self._drive_pin = drive_pin
        self._held = held

    def drive(self, opens, now):
        self._drive_pin(opens != self._held)

    def tick(self, now):
        """A pin stays as it is."""


def build(host, part):
    """The driver of a board's gate."""
    return build_gate(host, part, PinRelay(host.pins["relay"], bool(part["fail_safe"])))
