"""The whole firmware on a machine of lists and counters, with an agent's link at its other end.

Runs under CPython and MicroPython. The devices answer by rote, from the vectors.
"""

from firmware.app import App
from protocol.wire import messages
from protocol.wire.link import AGENT, Link

STEP_MS = 5
QUERY_PREFIX = b"\x10\x04"
SAID_MAX = 100
ANSWERED_BYTES_MAX = 8192


class RigUart:
    """`answer(data)` is the device: what it sends back."""

    def __init__(self, answer=None):
        self.answer = answer
        self.rx = bytearray()
        self.tx = bytearray()

    def readinto(self, buf):
        count = min(len(buf), len(self.rx))
        buf[:count] = self.rx[:count]
        self.rx = self.rx[count:]
        return count or None

    def write(self, buf):
        self.tx.extend(bytes(buf))
        if self.answer:
            self.rx.extend(self.answer(bytes(buf)))
        return len(buf)


class RigPin:
    def __init__(self, value):
        self.level = value
        self.levels = [value]

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level
        self.levels.append(level)
        return None


class RigWatchdog:
    def __init__(self):
        self.feeds = 0

    def feed(self):
        self.feeds += 1


class RigMachine:
    """The part of `machine` that the firmware uses. Inputs rest high."""

    def __init__(self, uarts):
        self.uarts = uarts
        self.pins = {}
        self.watchdog = RigWatchdog()
        self.resets = 0
        machine = self

        class Pin:
            IN, OUT, PULL_UP, PULL_DOWN = 0, 1, 1, 2

            def __new__(cls, number, mode, pull=None, value=None):
                machine.pins[number] = RigPin(1 if value is None else value)
                return machine.pins[number]

        self.Pin = Pin

    def UART(self, number, **options):  # noqa: N802 - as in machine
        return self.uarts[number]

    def WDT(self, timeout):  # noqa: N802 - as in machine
        return self.watchdog

    def unique_id(self):
        return b"\x19\x00\x01\x02\x03\x04"

    def reset_cause(self):
        return 1

    def reset(self):
        self.resets += 1


class RigBoard:
    """A board description; modules are the usual form."""

    NAME = "rig"
    CHIP = "simulated"
    WATCHDOG_MS = 4000
    CONSOLE = False
    LINK = {"uart": 0, "baud": 921_600, "rxbuf": 2048}  # noqa: RUF012
    CARD_READER = {"model": "sdt", "uart": 1, "baud": 115_200}  # noqa: RUF012
    PRINTER = {"model": "escpos", "uart": 2, "baud": 115_200}  # noqa: RUF012
    VOICE = {"model": "syn6288", "uart": 3, "baud": 9600}  # noqa: RUF012
    GATE = {"model": "relay", "relay": 4, "relay_active": 1, "passed": 5, "passed_active": 0}  # noqa: RUF012
    HELP = {  # noqa: RUF012
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


class Agent:
    """An agent that writes down what it hears."""

    def __init__(self, session, pair_key=None):
        self._session = session << 16
        self.link = Link(
            AGENT, self._entropy, self, window=4096, info=b"agent=test", pair_key=pair_key
        )
        self.heard = []
        self.info = b""
        self.ups = 0

    def _entropy(self, count):
        self._session += 1
        return self._session.to_bytes(count, "big")

    def link_up(self, version, info):
        self.ups += 1
        self.info = bytes(info)

    def link_down(self, reason):
        self.heard.append(("down", reason))

    def link_message(self, view):
        kind, fields, tail = messages.unpack(view)
        self.heard.append((kind,) + tuple(fields) + ((bytes(tail),) if len(tail) else ()))

    def send(self, kind, *fields, tail=b""):
        assert self.link.send(messages.pack(kind, *fields, tail=tail))

    def of(self, kind):
        return [message[1:] for message in self.heard if message[0] == kind]


class Rig:
    """One terminal; `boot` begins a new life of the board on the same flash folder. `pair_key` is
    the agent's. `said`, `answered`: the first frames of both, also of a cut cable.
    """

    def __init__(self, vectors, folder, running=None, pair_key=None):
        self.folder = folder
        self.running = running
        self.sam = {name: bytes.fromhex(text) for name, text in vectors["sam"].items()}
        self.now = 1000
        self.sessions = 0
        self.card = "rep_no_card"
        self.card_text = "read_reply_citizen"
        self.printer_status = b"\x12\x12\x12\x12"
        self.prints = True
        self.paper = bytearray()
        self.spoken = []
        self.cable = True
        self.said = []
        self.answered = bytearray()
        self.agent = Agent(77, pair_key)
        self.boot()

    def boot(self, board=RigBoard):
        uarts = (
            RigUart(),
            RigUart(self._reader),
            RigUart(self._printer),
            RigUart(self._voice),
        )
        self.machine = RigMachine(uarts)
        self.app = App(
            board,
            self.machine,
            clock=lambda: self.now,
            sleep_ms=None,
            entropy=self._entropy,
            folder=self.folder,
            running=self.running,
        )

    def run(self, ms, step_ms=STEP_MS):
        line = self.machine.uarts[0]
        for _ in range(ms // step_ms):
            self.now += step_ms
            self.app.run_pass()
            data, line.tx = bytes(line.tx), bytearray()
            if len(self.answered) < ANSWERED_BYTES_MAX:
                self.answered.extend(data)
            if self.cable:
                self.agent.link.receive(data, len(data), self.now)
            self.agent.link.tick(self.now)
            frame = self.agent.link.pull(self.now)
            while frame is not None:
                if len(self.said) < SAID_MAX:
                    self.said.append(frame)
                if self.cable:
                    line.rx.extend(frame)
                frame = self.agent.link.pull(self.now)

    def run_until(self, done, ms_max=10_000):
        for _ in range(ms_max // STEP_MS):
            if done():
                return
            self.run(STEP_MS)
        raise AssertionError(f"nothing within {ms_max} ms; heard {self.agent.heard}")

    def up(self):
        self.run_until(lambda: self.agent.link.up and self.app.server.link.up)

    def heard(self, kind, count=1, ms_max=30_000):
        """The first `count` messages of this kind."""
        self.run_until(lambda: len(self.agent.of(kind)) >= count, ms_max)
        return self.agent.of(kind)

    def print_job(self, effect_id, job, crc32, chunk=200):
        for at in range(0, len(job), chunk):
            self.agent.send(messages.PRINT_DATA, effect_id, at, tail=job[at : at + chunk])
        self.agent.send(messages.PRINT_RUN, effect_id, len(job), crc32)

    def press(self, pin, ms=300):
        """Close a contact to ground for a while: 6 is the help button, 9 the desk."""
        self.machine.pins[pin].level = 0
        self.run(ms)
        self.machine.pins[pin].level = 1
        self.run(100)

    def relay_edges(self):
        return self.machine.pins[4].levels[1:]

    def _entropy(self, count):
        self.sessions += 1
        return bytes([self.sessions] * count)

    def _reader(self, data):
        sam = self.sam
        if data == sam["cmd_find"]:
            return sam[self.card]
        if data == sam["cmd_select"]:
            return sam["rep_select_ok"]
        return sam[self.card_text] if data == sam["cmd_read"] else sam["rep_ok"]

    def _printer(self, data):
        if data[:2] == QUERY_PREFIX:
            return self.printer_status[data[2] - 1 : data[2]]
        self.paper.extend(data)
        if data[:3] == b"\x1d\x28\x48" and self.prints:
            return b"\x37\x22" + data[-4:] + b"\x00"
        return b""

    def _voice(self, data):
        if data[3] == 0x21:
            return b"\x41\x4f"
        self.spoken.append(data)
        return b"\x41"
