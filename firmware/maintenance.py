"""How a technician gets to the REPL of a board whose link has the console.

| at the start of the firmware | next | does |
| --- | --- | --- |
| DATA/maintain.txt lies there | REPL, for this one life | removes it |
| help button closed at power-up, for all of HOLD_MS | REPL, for this one life | |
| anything else | the firmware runs | |

MAINTAIN of the agent writes the file and resets. This happens before the watchdog begins, which
nothing can stop: a program that is merely interrupted takes the board away from its REPL after
WATCHDOG_MS.
"""

import os

from firmware import ports

FILE = "maintain.txt"
HOLD_MS = 3000
SAMPLE_MS = 20
_POWER_ON = 1  # machine.PWRON_RESET


def is_wanted(board, machine, sleep_ms):
    """Whether this life belongs to the technician. Takes HOLD_MS while the button is held."""
    try:
        os.remove(board.DATA + "/" + FILE)
        return True
    except OSError:
        pass
    part = getattr(board, "HELP", None)
    if not part or part.get("button", -1) < 0 or machine.reset_cause() != _POWER_ON:
        return False
    closed = ports.open_input(machine, part["button"], part["button_active"])
    for _ in range(HOLD_MS // SAMPLE_MS):
        if not closed():
            return False
        sleep_ms(SAMPLE_MS)
    return True


def begin(folder, machine):
    """Reset into the REPL. OSError when the flash refuses the file; then nothing has happened."""
    with open(folder + "/" + FILE, "w") as file:
        file.write("1")
    machine.reset()
