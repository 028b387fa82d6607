"""Grow GM812 barcode scanner."""

DRIVER = "gm_scanner"
BAUDS = (9600, 115_200, 57_600, 38_400, 19_200)
RXBUF = 1280
PINS: "dict[str, bool]" = {}
SWITCHES: "dict[str, tuple]" = {}
ZONES = (
    (0x0000, 0x03, 0x01),  # reads on command only
    (0x000D, 0xFF, 0x00),  # the code's own bytes, not transcoded
    (0x000E, 0xFF, 0x00),  # the tail is CR
)
