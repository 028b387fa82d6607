"""Resident ID card reader with a SAM_V module, SDT protocol."""

DRIVER = "sdt_card_reader"
BAUDS = (115_200, 57_600, 38_400, 19_200, 9600)
RXBUF = 1536  # a whole text and photo: a collection may take as long as they take to come
PINS: "dict[str, bool]" = {}
SWITCHES: "dict[str, tuple]" = {}
