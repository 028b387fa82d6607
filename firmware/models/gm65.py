"""Grow GM65 barcode scanner."""

DRIVER = "gm_scanner"
BAUDS = (9600, 115_200, 57_600, 38_400, 19_200)
RXBUF = 1280
PINS: "dict[str, bool]" = {}
SWITCHES: "dict[str, tuple]" = {}
ZONES = (
    (0x0000, 0x03, 0x01),  # reads on command only
    (0x0060, 0xFF, 0x01),  # the tail is CR; no prefix, suffix or code id
)
