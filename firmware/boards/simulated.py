"""The board of the simulator: five UARTs, six pins, flash at /flash. See simulator/board for its
other side.
"""

NAME = "simulated"
CHIP = "simulated"
DATA = "/flash"
WATCHDOG_MS = 4000
CONSOLE = True  # standard output is not the link

LINK = {"uart": 0, "baud": 921_600, "rxbuf": 2048}
CARD_READER = {"model": "sdt", "uart": 1, "baud": 115_200, "rxbuf": 512}
PRINTER = {"model": "escpos", "uart": 2}
VOICE = {"model": "syn6288", "uart": 3}
CASH = {"model": "ccnet", "uart": 4}
GATE = {"model": "relay", "relay": 4, "relay_active": 1, "passed": 5, "passed_active": 0}
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
