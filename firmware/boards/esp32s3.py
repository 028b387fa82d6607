"""ESP32-S3 with native USB: the link is the USB console, the three UARTs belong to the devices.

Wiring: the relay input has a pull-down of its own (10 kOhm), so that the gate stays shut while the
chip is in reset; printer and card reader are RS-232 by level shifters.

Help: the bell hangs on pin 8 behind a transistor or relay with a free-wheeling diode and a
pull-down of its own, so that it is silent while the chip is in reset. The answer button at the
officers' desk closes pin 9 to ground; its long line comes in over 1 kOhm with 100 nF to ground and
a suppressor diode, or over an optocoupler. A hall without them sets `help.bell=-1` and
`help.answer=-1` in settings.txt. What shall ring with a dead board too is wired apart, to a second
contact of the button.
"""

NAME = "esp32s3"
CHIP = "esp32s3"
DATA = ""  # the root of the internal littlefs
WATCHDOG_MS = 4000
CONSOLE = False  # a word on the console would be noise on the link

LINK = {"usb": 1, "rxbuf": 2048}
CARD_READER = {"model": "sdt", "uart": 1, "baud": 115_200, "rxbuf": 2048, "tx": 17, "rx": 18}
PRINTER = {"model": "escpos", "uart": 2, "tx": 15, "rx": 16}
VOICE = {"model": "syn6288", "uart": 0, "tx": 43, "rx": 44}
GATE = {
    "model": "relay",
    "relay": 4,
    "relay_active": 1,
    "passed": 5,
    "passed_active": 0,
    "door": 10,
    "door_active": 0,
    "fire": 11,
    "fire_active": 0,
}
HELP = {
    "model": "button",
    "button": 6,
    "button_active": 0,
    "lamp": 7,
    "lamp_active": 1,
    "bell": 8,
    "bell_active": 1,
    "answer": 9,
    "answer_active": 0,
}
