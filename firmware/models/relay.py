"""Gate with a dry contact as input, pulsed by a relay on a pin of the board."""

DRIVER = "gate_relay"
BAUDS: "tuple[int, ...]" = ()
RXBUF = 0
PINS = {"relay": True, "passed": False, "door": False, "fire": False}
SWITCHES = {
    "fail_safe": (0, (0, 1)),  # 1: the relay is held while the gate is shut
    "passage_s": (30, range(5, 121)),  # how long after a pulse somebody may pass
    "held_s": (20, range(5, 301)),  # how long the door may stay open after that
}
