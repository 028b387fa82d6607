"""RP2350 (Pico 2) with its USB as the link: the two hardware UARTs belong to the devices.

Two serial devices fit this board: card reader and printer here, so it makes a registration
terminal without voice. A terminal of another kind names others in settings.txt, for example
`card_reader.model=none`, `scanner.model=gm65`, `scanner.uart=1`, `scanner.tx=4`, `scanner.rx=5`.
UART 0 can be on pins 0 1, 12 13 or 16 17, UART 1 on 4 5, 8 9 or 20 21.

A flash write stalls interrupts and the FIFO of a UART holds 32 bytes: 2.8 ms at 115200 baud, 33 ms
at 9600. Wiring as for esp32s3: pull-downs at relay and bell, level shifters for RS-232.
"""

NAME = "rp2350"
CHIP = "rp2350"
DATA = ""  # the root of the internal littlefs
WATCHDOG_MS = 4000
CONSOLE = False  # a word on the console would be noise on the link

LINK = {"usb": 1, "rxbuf": 2048}
CARD_READER = {"model": "sdt", "uart": 0, "tx": 0, "rx": 1, "rxbuf": 2048}
PRINTER = {"model": "escpos", "uart": 1, "tx": 4, "rx": 5}
GATE = {
    "model": "relay",
    "relay": 6,
    "relay_active": 1,
    "passed": 7,
    "passed_active": 0,
    "door": 14,
    "door_active": 0,
    "fire": 15,
    "fire_active": 0,
}
HELP = {
    "model": "button",
    "button": 10,
    "button_active": 0,
    "lamp": 11,
    "lamp_active": 1,
    "bell": 12,
    "bell_active": 1,
    "answer": 13,
    "answer_active": 0,
}
