"""Receipt printer that speaks ESC/POS and answers GS ( H with a process id; 80 mm.

`dots`: what it prints a line. `fs_size` 1: it ignores GS ! for Chinese and wants FS ! and FS W.
"""

DRIVER = "escpos_printer"
BAUDS = (115_200, 57_600, 38_400, 19_200, 9600)
RXBUF = 256
PINS: "dict[str, bool]" = {}
SWITCHES = {"process_id": (1, (0, 1)), "dots": (576, (384, 512, 576)), "fs_size": (0, (0, 1))}
