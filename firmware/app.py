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

import sys

from firmware import ports
from firmware.drivers.sender import Sender
from firmware.forget import forget
from firmware.link_server import LinkServer
from firmware.trace import SALT_BYTES, Trace
from protocol.wire import messages, states
from protocol.wire.ticks import diff

VERSION = "0.1.0"
READS_MAX = 8
FRAMES_MAX = 8
BUFFER_BYTES = 256
PASS_MS_MAX = 1000
WAIT_MS_MAX = 5
STEP_MS = 2  # where lines cannot be polled
_BUILDERS = ("board_pins", "device_bay", "hello", "models", "pairing")
_LINK_ROOM_SHARE = 2  # half the receive ring is for DATA, half for ACK, HELLO and repeats


class App:
    """`machine` is the module of that name; `clock()` masked ms; `entropy(n)` bytes; `folder` where
    the journals lie; `running` the RunningSlot, None on a board without slots.
    """

    def __init__(self, board, machine, *, clock, sleep_ms, entropy, folder, fault="", running=None):
        from firmware.board_pins import BoardPins  # noqa: PLC0415 - these are for the start only
        from firmware.device_bay import DeviceBay  # noqa: PLC0415
        from firmware.hello import info_lines  # noqa: PLC0415
        from firmware.pairing import load_pair_key  # noqa: PLC0415

        self._clock = clock
        self._machine = machine
        self._folder = folder
        self._note = print if board.CONSOLE else _silent
        self.late_passes = 0
        now = clock()
        parts = _describe(board, folder)
        # Outputs first: whatever follows, the gate is shut.
        pins = BoardPins(machine, parts)
        self._watchdog = machine.WDT(timeout=board.WATCHDOG_MS)
        info = info_lines(board, parts, machine, VERSION, fault)
        self.trace = Trace(clock, entropy(SALT_BYTES))
        self.server = LinkServer(
            info=info,
            trace=self.trace,
            window=parts["link"]["rxbuf"] // _LINK_ROOM_SHARE,
            entropy=entropy,
            pair_key=load_pair_key(folder, entropy, self._note),
            note=self._note,
            folder=folder,
            flash_trouble=self._flash_trouble,
            now=now,
        )
        self.server.serve(messages.MAINTAIN, self._maintain)
        self.trace.serve(self.server)
        bay = DeviceBay(machine, parts, pins, self.server, self.trace, now)
        self._lines = bay.lines
        self._drivers = bay.drivers
        if running is None:
            from firmware.update.no_slots import NoSlots  # noqa: PLC0415 - only what is used

            NoSlots(self.server)
        else:
            from firmware.update.updates import Updates  # noqa: PLC0415 - only what is used

            updates = Updates(self.server, running, board.NAME, folder, machine.reset, now)
            self._drivers.append(updates)
        self._link_port = ports.open_link(machine, parts["link"])
        self._link_out = Sender(self._link_port)
        self._buffer = bytearray(BUFFER_BYTES)
        polled = [self._link_port] + [port for port, _, _ in self._lines]
        self._waiter = ports.Waiter(polled, sleep_ms, STEP_MS)
        forget(*[name for name in sys.modules if name.startswith("firmware.models.")])
        forget(*["firmware." + name for name in _BUILDERS])

    def run(self):
        """For ever."""
        while True:
            self._waiter.wait(self.run_pass())

    def run_pass(self):
        """One pass. How long the loop may wait for bytes now, in ms."""
        start = self._clock()
        self._read_link(start)
        for port, driver, line in self._lines:
            self._read_device(port, driver, line)
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

    def _read_device(self, port, driver, line):
        for _ in range(READS_MAX):
            count = port.readinto(self._buffer)
            if not count:
                return
            line.heard(self._buffer, count)
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

    def _maintain(self, fields, tail, now):
        from firmware import maintenance  # noqa: PLC0415 - it ends this life

        try:
            maintenance.begin(self._folder, self._machine)
        except OSError:
            self._flash_trouble()

    def _flash_trouble(self):
        self._note("the flash refused a write")
        self.server.outbound.report(
            states.HELP_BUTTON, states.HARDWARE_ERROR, states.DETAIL_JOURNAL
        )


def _describe(board, folder):
    from firmware import settings  # noqa: PLC0415 - for this moment only

    parts = settings.describe(board, folder)
    forget("firmware.settings", "firmware.description", "firmware.chips")
    return parts


def _silent(text):
    """Where the console is the link, nothing may be printed."""
