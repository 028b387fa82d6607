"""Clone of an ESC/POS printer, 80 mm: no process id, and Chinese is enlarged by FS only."""

from firmware.models import escpos

DRIVER = escpos.DRIVER
BAUDS = escpos.BAUDS
RXBUF = escpos.RXBUF
PINS = escpos.PINS
SWITCHES = {"process_id": (0, (0, 1)), "dots": (576, (384, 512, 576)), "fs_size": (1, (0, 1))}
