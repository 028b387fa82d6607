"""The devices of a board: for every part of its description the driver that its model names, on its
line and pins, known to the link server. Only drivers that are used are loaded, and of this module
nothing stays in memory.
"""

from firmware import ports
from firmware.board_pins import OUTPUTS
from firmware.host import Host
from firmware.models import MODELS, load
from firmware.trace import Line
from firmware.trace_masks import mask_of
from protocol.wire import states
from protocol.wire.trace_entries import PIN_NAMES

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

DEVICE_OF = {
    "card_reader": states.CARD_READER,
    "printer": states.PRINTER,
    "voice": states.VOICE,
    "gate": states.GATE,
    "help": states.HELP_BUTTON,
    "cash": states.CASH_ACCEPTOR,
    "scanner": states.BARCODE_READER,
}
SERVER_SLOTS = {"card_reader": "reader"}
"""Where a driver is found by the link server's own handlers; else under the part's name."""


class DeviceBay:
    """`lines`: [(port, driver, line of the trace)], to be read every pass. `drivers`: all that
    tick, in order.
    """

    def __init__(self, machine, parts, pins, server, trace, now):
        self.lines: "list[tuple[Any, Any, Line]]" = []
        self.drivers: "list[Any]" = []
        for name in MODELS:
            if not parts[name]:
                continue
            part = parts[name]
            device = DEVICE_OF[name]
            port = line = None
            if "uart" in part:
                port = ports.open_uart(machine, part)
                line = Line(trace, device, port, mask_of(name, trace, device))
            host = Host(line, _traced(pins.of[name], device, trace), device, server, now)
            driver = _module(load(part["model"]).DRIVER).build(host, part)
            setattr(server, SERVER_SLOTS.get(name, name), driver)
            self.drivers.append(driver)
            server.counters.add(device, driver.counts)
            if hasattr(driver, "long_answer_due"):
                server.long_answers.append(driver)
            if line is not None:
                self.lines.append((port, driver, line))


def _traced(pins, device, trace):
    return {
        name: trace.pin(act, device, PIN_NAMES.index(name), name in OUTPUTS)
        for name, act in pins.items()
    }


def _module(driver):
    return __import__("firmware.drivers." + driver, None, None, ("build",))
