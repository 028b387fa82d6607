"""Gate with a dry contact as input, pulsed by a relay on a pin of the board."""

DRIVER = "gate_relay"
BAUDS: "tuple[int, ...]" = ()
RXBUF = 0
PINS = {"relay": True, "passed": False}
SWITCHES: "dict[str, tuple]" = {}
