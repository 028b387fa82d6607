"""The superloop: every pass reads the lines, runs every driver, writes the link, and feeds the
watchdog if it was in time.

| in a pass | bound |
| --- | --- |
| bytes read from one line | READS_MAX times one buffer |
| frames written to the link | FRAMES_MAX, a partly written one goes on in the next pass |
| flash writes | one of effects, one of events, one begin of a device |
| the whole pass | PASS_MS_MAX, else the watchdog is not fed |
| waiting for bytes | WAIT_MS_MAX: pins are sampled at least that often |

An error that reaches the loop ends it: `main` records it and resets. A reset is safe at every
instant (effect journal).
"""

import binascii
import gc
import sys

from firmware import ports
from firmware.drivers.escpos_printer import EscposPrinter
from firmware.drivers.gate_relay import GateRelay
from firmware.drivers.help_button import HelpButton
from firmware.drivers.sdt_card_reader import SdtCardReader
from firmware.drivers.sender import Sender
from firmware.drivers.syn6288_voice import Syn6288Voice
from firmware.link_server import LinkServer
from firmware.settings import describe
from protocol.wire import states
from protocol.wire.link import INFO_BYTES_MAX
from protocol.wire.ticks import diff

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

VERSION = "0.1.0"
READS_MAX = 8
FRAMES_MAX = 8
BUFFER_BYTES = 256
PASS_MS_MAX = 1000
WAIT_MS_MAX = 5
STEP_MS = 2  # where lines cannot be polled
_LINK_ROOM_SHARE = 2  # half the receive ring is for DATA, half for ACK, HELLO and repeats
_RESETS = {1: "power", 2: "hard", 3: "watchdog", 4: "deepsleep", 5: "soft"}


class App:
    """`machine` is the module of that name; `clock()` masked ms; `entropy(n)` bytes; `folder` where
    the journals lie.
    """

    def __init__(self, board, machine, *, clock, sleep_ms, entropy, folder, fault=""):
        self._clock = clock
        self._note = print if board.CONSOLE else _silent
        self.late_passes = 0
        now = clock()
        parts = describe(board, folder)
        # Outputs first: whatever follows, the gate is shut.
        self._open_pins(machine, parts)
        self._watchdog = machine.WDT(timeout=board.WATCHDOG_MS)
        info = _info(board, parts, machine, fault)
        self.server = LinkServer(
            info=info,
            window=parts["link"]["rxbuf"] // _LINK_ROOM_SHARE,
            entropy=entropy,
            note=self._note,
            folder=folder,
            flash_trouble=self._flash_trouble,
            now=now,
        )
        self._lines: "list[tuple[Any, Any]]" = []  # port, driver
        self._drivers: "list[Any]" = []
        self._make_devices(machine, parts, now)
        self._link_port = ports.open_link(machine, parts["link"])
        self._link_out = Sender(self._link_port)
        self._buffer = bytearray(BUFFER_BYTES)
        polled = [self._link_port] + [port for port, _ in self._lines]
        self._waiter = ports.Waiter(polled, sleep_ms, STEP_MS)
        gc.collect()

    def run(self):
        """For ever."""
        while True:
            self._waiter.wait(self.run_pass())

    def run_pass(self):
        """One pass. How long the loop may wait for bytes now, in ms."""
        start = self._clock()
        self._read_link(start)
        for port, driver in self._lines:
            self._read_device(port, driver)
        now = self._clock()
        for driver in self._drivers:
            driver.tick(now)
        self.server.tick(now)
        self._write_link(now)
        end = self._clock()
        if diff(end, start) <= PASS_MS_MAX:
            self._watchdog.feed()
        else:
            self.late_passes += 1
        return self._wait_ms(end)

    def _wait_ms(self, now):
        wait_ms = min(WAIT_MS_MAX, self.server.deadline(now))
        for driver in self._drivers:
            wait_ms = min(wait_ms, driver.deadline(now))
        return max(1, wait_ms)

    def _read_link(self, now):
        for _ in range(READS_MAX):
            count = self._link_port.readinto(self._buffer)
            if not count:
                return
            self.server.receive(self._buffer, count, now)
            if count < BUFFER_BYTES:
                return

    def _read_device(self, port, driver):
        for _ in range(READS_MAX):
            count = port.readinto(self._buffer)
            if not count:
                return
            driver.feed(self._buffer, count, self._clock())
            if count < BUFFER_BYTES:
                return

    def _write_link(self, now):
        self._link_out.pump()
        for _ in range(FRAMES_MAX):
            if not self._link_out.idle:
                return
            frame = self.server.pull(now)
            if frame is None:
                return
            self._link_out.send(memoryview(frame))

    def _open_pins(self, machine, parts):
        gate, help_part = parts["gate"], parts["help"]
        if gate:
            self._relay = ports.open_output(machine, gate["relay"], gate["relay_active"])
            self._contact = ports.open_input(machine, gate["passed"], gate["passed_active"])
        if help_part:
            self._lamp = ports.open_output(machine, help_part["lamp"], help_part["lamp_active"])
            self._button = ports.open_input(
                machine, help_part["button"], help_part["button_active"]
            )
            self._bell = self._desk = None
            if _has_pin(help_part, "bell"):
                self._bell = ports.open_output(machine, help_part["bell"], help_part["bell_active"])
            if _has_pin(help_part, "answer"):
                self._desk = ports.open_input(
                    machine, help_part["answer"], help_part["answer_active"]
                )

    def _make_devices(self, machine, parts, now):
        server = self.server
        effects, emit = server.effects, server.outbound.emit
        part = parts["card_reader"]
        if _is_there(part):
            port = ports.open_uart(machine, part)
            server.reader = SdtCardReader(port, emit, self._reporter(states.CARD_READER), now)
            self._lines.append((port, server.reader))
        part = parts["printer"]
        if _is_there(part):
            port = ports.open_uart(machine, part)
            report = self._reporter(states.PRINTER)
            process_id = bool(part["process_id"])
            server.printer = EscposPrinter(
                port, effects.begin, effects.end, report, now, process_id=process_id
            )
            self._lines.append((port, server.printer))
        part = parts["voice"]
        if _is_there(part):
            port = ports.open_uart(machine, part)
            report = self._reporter(states.VOICE)
            server.voice = Syn6288Voice(
                port, emit, report, now, baud=part["baud"], encoding=part["encoding"]
            )
            self._lines.append((port, server.voice))
        if parts["gate"]:
            server.gate = GateRelay(
                self._relay, self._contact, effects.begin, effects.end, self._gate_passed
            )
            server.outbound.report(states.GATE, states.ONLINE, 0)
            self._drivers.append(server.gate)
        if parts["help"]:
            report = self._reporter(states.HELP_BUTTON)
            server.help = HelpButton(
                self._button, self._lamp, self._bell, self._desk, server.events, report, now
            )
            self._drivers.append(server.help)
        self._drivers += [driver for _, driver in self._lines]

    def _reporter(self, device):
        report = self.server.outbound.report
        report(device, states.STARTING, 0)
        return lambda state, detail: report(device, state, detail)

    def _gate_passed(self, effect_id, now):
        self.server.events.happened(states.GATE_PASSED, effect_id.to_bytes(8, "little"), now)

    def _flash_trouble(self):
        self._note("the flash refused a write")
        self.server.outbound.report(
            states.HELP_BUTTON, states.HARDWARE_ERROR, states.DETAIL_JOURNAL
        )


def _is_there(part):
    return bool(part) and part["uart"] >= 0


def _has_pin(part, name):
    return part.get(name, -1) >= 0


def _silent(text):
    """Where the console is the link, nothing may be printed."""


def _info(board, parts, machine, fault):
    """HELLO's `key=value` lines, UTF-8."""
    devices = (
        (states.CARD_READER, "card_reader", _is_there(parts["card_reader"])),
        (states.PRINTER, "printer", _is_there(parts["printer"])),
        (states.VOICE, "voice", _is_there(parts["voice"])),
        (states.GATE, "gate", bool(parts["gate"])),
        (states.HELP_BUTTON, "help_button", bool(parts["help"])),
    )
    lines = [
        "firmware=" + VERSION,
        "runtime=" + sys.implementation.name,
        "board=" + board.NAME,
        "id=" + binascii.hexlify(machine.unique_id()).decode(),
        "reset=" + _RESETS.get(machine.reset_cause(), "unknown"),
        "devices=" + ",".join("%d:%s" % (number, name) for number, name, there in devices if there),
    ]
    if parts["help"]:
        there = [name for name in ("bell", "answer") if _has_pin(parts["help"], name)]
        lines.append("help=" + ",".join(["lamp"] + there))
    if fault:
        lines.append("fault=" + fault)
    return "\n".join(lines).encode()[:INFO_BYTES_MAX]
