"""Gate with a dry contact as input, pulsed by a relay board of the LCUS type on a UART."""

from firmware.models import relay

DRIVER = "gate_lcus"
BAUDS = (9600,)
RXBUF = 64
PINS = {"feedback": False, "passed": False, "door": False, "fire": False}
SWITCHES = dict(relay.SWITCHES)
SWITCHES["channel"] = (1, range(1, 9))
