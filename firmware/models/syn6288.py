"""SYN6288 speech module (datasheet V1.7)."""

DRIVER = "voice"
BAUDS = (9600, 19_200, 38_400)
RXBUF = 256
PINS: "dict[str, bool]" = {}
SWITCHES = {"encoding": (1, (0, 1, 3))}
