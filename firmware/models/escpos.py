"""Receipt printer of 80 mm that speaks ESC/POS and answers GS ( H with a process id."""

DRIVER = "escpos_printer"
BAUDS = (115_200, 57_600, 38_400, 19_200, 9600)
RXBUF = 256
PINS: "dict[str, bool]" = {}
SWITCHES = {"process_id": (1, (0, 1))}
