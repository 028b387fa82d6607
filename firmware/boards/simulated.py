"""The board of the simulator: six UARTs, eight pins, flash at /flash. See simulator/board for its
other side.

Scanner and cash acceptor are built in when the simulator says that they are plugged in: a terminal
without them is whole, one whose scanner is silent is not.
"""

import os

NAME = "simulated"
CHIP = "simulated"
DATA = "/flash"
WATCHDOG_MS = 4000
CONSOLE = True  # standard output is not the link

LINK = {"uart": 0, "baud": 921_600, "rxbuf": 2048}
CARD_READER = {"model": "sdt", "uart": 1}
PRINTER = {"model": "escpos", "uart": 2}
VOICE = {"model": "syn6288", "uart": 3}
_PLUGGED = (os.getenv("BOARD_PLUGGED") or "").split(",")
SCANNER = {"model": "gm65", "uart": 5} if "scanner" in _PLUGGED else {}
CASH = {"model": "ccnet", "uart": 4} if "cash_acceptor" in _PLUGGED else {}
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
