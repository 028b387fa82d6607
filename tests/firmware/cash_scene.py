"""A cash desk with an acceptor that answers what a case says. For CPython and MicroPython."""

from firmware.cash_desk import CashDesk
from firmware.cash_journal import CashJournal
from firmware.drivers.ccnet_acceptor import CcnetAcceptor
from protocol.wire import states
from protocol.wire.messages import CASH_ACCEPT, CASH_NOTE, CASH_STACK, CASH_STATE
from tests.firmware.scene import STEP_MS, Scene

ALL_NOTES = 0x3F
SESSION = 0x1234


class OpenGate:
    """Flash may be written whenever it is asked."""

    def is_open(self, since, now):
        return True


class ShutGate:
    def is_open(self, since, now):
        return False


class CashScene(Scene):
    """A desk whose acceptor answers what the case says. `boot` is a new life on the same flash."""

    def __init__(self, vectors, folder, poll="idle"):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors["ccnet"].items()}
        self.folder = folder
        self.entropy = 0
        self.troubles = 0
        self.gate = OpenGate()
        self.poll = poll
        self.commands = []  # all but POLL and ACK, in order
        self.acks = 0
        self.answers = True
        self.after_reset = "disabled"
        self.boot()

    def boot(self):
        self.handlers = {}
        self.acceptor = CcnetAcceptor(self.port, self.report, self.now)
        self.driver = CashDesk(
            CashJournal(self.folder, self._entropy),
            self.acceptor,
            self,
            self.emit,
            self._trouble,
            self.now,
        )
        self.driver.serve(self._serve)
        self.driver.link_up(self.now)

    def is_open(self, since, now):
        return self.gate.is_open(since, now)

    def run(self, ms):
        """Time goes by; the device answers each frame at once."""
        for _ in range(ms // STEP_MS):
            self.now = (self.now + STEP_MS) & 0x3FFFFFFF
            self.driver.tick(self.now)
            if self.answers:
                self._answer(self.port.taken())

    def _answer(self, data):
        v = self.v
        at = 0
        while at < len(data):
            frame = data[at : at + data[at + 2]]
            at += len(frame)
            if frame == v["ack"]:
                self.acks += 1
                continue
            if frame == v["poll"]:
                if self.poll:
                    self.reply(v[self.poll])
                continue
            self.commands.append(frame)
            answers = {v["ident"]: v["ident_reply"], v["table"]: v["table_cny"]}
            self.reply(answers.get(frame, v["ack"]))
            if frame == v["reset"]:
                self.poll = self.after_reset
            elif frame == v["disable"]:
                self.poll = "disabled"
            elif frame == v["enable_0_to_5_escrow"]:
                self.poll = "idle"

    def tell(self, kind, *fields):
        self.handlers[kind](fields, b"", self.now)

    def opened(self):
        """A session in which all notes are taken."""
        self.run(2000)
        self.tell(CASH_ACCEPT, SESSION, ALL_NOTES)
        self.run(1000)
        assert self.said()[-1] == (CASH_STATE, SESSION, states.CASH_OPEN, ALL_NOTES)
        self.commands = []
        return self

    def in_escrow(self):
        """The number of a 20 yuan note."""
        self.poll = "escrow_3"
        self.run(400)
        message = self.said()[-1]
        assert message[0] == CASH_NOTE
        assert message[2:] == (SESSION, 20, states.NOTE_ESCROW, 0, 0)
        return message[1]

    def stacking(self):
        number = self.in_escrow()
        self.tell(CASH_STACK, number)
        self.run(20)
        assert self.said() == [(CASH_NOTE, number, SESSION, 20, states.NOTE_STACKING, 0, 0)]
        return number

    def notes(self):
        """(number, state, place, reason) of each CASH_NOTE since the last call."""
        return [m[1:2] + m[4:] for m in self.said() if m[0] == CASH_NOTE]

    def _serve(self, kind, handle):
        self.handlers[kind] = handle

    def _entropy(self, count):
        self.entropy += 1
        return bytes([self.entropy] * count)

    def _trouble(self):
        self.troubles += 1
