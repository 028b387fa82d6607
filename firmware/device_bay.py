"""The devices of a board: for every part of its description a driver on its line or pins, known to
the link server.
"""

from firmware import ports
from firmware.drivers.escpos_printer import EscposPrinter
from firmware.drivers.gate_relay import GateRelay
from firmware.drivers.help_button import HelpButton
from firmware.drivers.sdt_card_reader import SdtCardReader
from firmware.drivers.syn6288_voice import Syn6288Voice
from protocol.wire import states

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any


class DeviceBay:
    """`lines`: [(port, driver)], to be read every pass. `drivers`: all that tick, in order."""

    def __init__(self, machine, parts, pins, server, now):
        self.lines: "list[tuple[Any, Any]]" = []
        self.drivers: "list[Any]" = []
        self._machine = machine
        self._server = server
        self._now = now
        self._add_reader(parts["card_reader"])
        self._add_printer(parts["printer"])
        self._add_voice(parts["voice"])
        self._add_gate(parts["gate"], pins)
        self._add_help(parts["help"], pins)
        self.drivers += [driver for _, driver in self.lines]

    def _add_reader(self, part):
        if not is_there(part):
            return
        port = ports.open_uart(self._machine, part)
        report = self._reporter(states.CARD_READER)
        reader = SdtCardReader(port, self._server.outbound.emit, report, self._now)
        self._server.reader = reader
        self.lines.append((port, reader))

    def _add_printer(self, part):
        if not is_there(part):
            return
        port = ports.open_uart(self._machine, part)
        effects = self._server.effects
        printer = EscposPrinter(
            port,
            effects.begin,
            effects.end,
            self._reporter(states.PRINTER),
            self._now,
            process_id=bool(part["process_id"]),
        )
        self._server.printer = printer
        self.lines.append((port, printer))

    def _add_voice(self, part):
        if not is_there(part):
            return
        port = ports.open_uart(self._machine, part)
        voice = Syn6288Voice(
            port,
            self._server.outbound.emit,
            self._reporter(states.VOICE),
            self._now,
            baud=part["baud"],
            encoding=part["encoding"],
        )
        self._server.voice = voice
        self.lines.append((port, voice))

    def _add_gate(self, part, pins):
        if not part:
            return
        effects = self._server.effects
        gate = GateRelay(pins.relay, pins.passed, effects.begin, effects.end, self._gate_passed)
        self._server.outbound.report(states.GATE, states.ONLINE, 0)
        self._server.gate = gate
        self.drivers.append(gate)

    def _add_help(self, part, pins):
        if not part:
            return
        report = self._reporter(states.HELP_BUTTON)
        button = HelpButton(
            pins.button, pins.lamp, pins.bell, pins.answer, self._server.events, report, self._now
        )
        self._server.help = button
        self.drivers.append(button)

    def _reporter(self, device):
        report = self._server.outbound.report
        report(device, states.STARTING, 0)
        return lambda state, detail: report(device, state, detail)

    def _gate_passed(self, effect_id, now):
        self._server.events.happened(states.GATE_PASSED, effect_id.to_bytes(8, "little"), now)


def is_there(part):
    """Whether a device with a line of its own is built in: `uart` -1 is not."""
    return bool(part) and part["uart"] >= 0
