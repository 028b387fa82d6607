"""Receipt printer of 58 mm that speaks ESC/POS and answers GS ( H with a process id."""

from firmware.models import escpos

DRIVER = escpos.DRIVER
BAUDS = escpos.BAUDS
RXBUF = escpos.RXBUF
PINS = escpos.PINS
SWITCHES = {"process_id": (1, (0, 1)), "dots": (384, (384, 512, 576)), "fs_size": (0, (0, 1))}
