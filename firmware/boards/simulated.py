"""The board of the simulator: four UARTs, six pins, flash at /flash. See simulator/board for its
other side.
"""

NAME = "simulated"
DATA = "/flash"
WATCHDOG_MS = 4000
CONSOLE = True  # standard output is not the link

LINK = {"uart": 0, "baud": 921_600, "rxbuf": 2048}
CARD_READER = {"uart": 1, "baud": 115_200, "rxbuf": 512}
PRINTER = {"uart": 2, "baud": 115_200, "rxbuf": 256, "process_id": 1}
VOICE = {"uart": 3, "baud": 9600, "rxbuf": 256, "encoding": 1}
GATE = {"relay": 4, "relay_active": 1, "passed": 5, "passed_active": 0}
HELP = {
    "button": 6,
    "button_active": 0,
    "lamp": 7,
    "lamp_active": 1,
    "bell": 8,
    "bell_active": 1,
    "answer": 9,
    "answer_active": 0,
}
