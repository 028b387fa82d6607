"""XFS5152CE speech module, and chips that speak like it (SYN8086)."""

DRIVER = "voice"
BAUDS = (115_200, 57_600, 38_400, 19_200, 9600)
RXBUF = 256
PINS: "dict[str, bool]" = {}
SWITCHES = {"encoding": (3, (0, 1, 3))}
