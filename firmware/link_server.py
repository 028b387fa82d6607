"""The board's end of the link: board messages in, dispatched to the devices; their answers out.

| message | goes to |
| --- | --- |
| READ_CARD, READ_STOP | card reader |
| SAY, HUSH | voice |
| PRINT_DATA, PRINT_RUN | print job, then printer as an effect |
| PULSE | gate as an effect |
| LAMP, HELP_RING, HELP_ANSWER | help button |
| EVENT_ACK | events |
| EFFECT_QUERY | effects |
| CASH_ACCEPT, CASH_STACK, CASH_RETURN, CASH_ACK | cash desk |
| SCAN_START, SCAN_STOP | the scanner, by `serve` |

| link | does |
| --- | --- |
| up | every DEVICE, then every open EVENT, then every open CASH_NOTE |
| down | searches for a card or code end, a half-sent job is forgotten; what has begun goes on |
"""

from firmware.counters import Counters
from firmware.drivers.print_job import PrintJob
from firmware.effect_journal import EffectJournal
from firmware.effects import Effects
from firmware.event_journal import EventJournal
from firmware.events import Events
from firmware.flash_gate import FlashGate
from firmware.outbound import Outbound
from protocol.wire import messages, states
from protocol.wire import trace_entries as te
from protocol.wire.link import BOARD, INFO_BYTES_MAX, Link

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from firmware.cash_desk import CashDesk
    from firmware.drivers.escpos_printer import EscposPrinter
    from firmware.drivers.gate import Gate
    from firmware.drivers.help_button import HelpButton
    from firmware.drivers.sdt_card_reader import SdtCardReader
    from firmware.drivers.voice import Voice

_DECISECOND_MS = 100


class LinkServer:
    """`entropy(n)` gives random bytes; `window` is the receive room in bytes that the agent may
    fill; `pair_key` as pairing.py gives it; the journals lie in `folder`. Devices are put in by
    their owner, None is absent.
    """

    def __init__(self, *, info, trace, window, entropy, pair_key, note, folder, flash_trouble, now):
        self._base_info = self._info = info
        self._trace = trace
        self._window = window
        self.entropy = entropy
        self._pair_key = pair_key
        self._note = note
        self.folder = folder
        self.flash_trouble = flash_trouble
        self._now = now
        self.outbound = Outbound()
        self.counters = Counters(self.outbound)
        self.bad_messages = 0
        self.job = PrintJob()
        self.reader: "SdtCardReader | None" = None
        self.printer: "EscposPrinter | None" = None
        self.voice: "Voice | None" = None
        self.gate: "Gate | None" = None
        self.help: "HelpButton | None" = None
        self.cash: "CashDesk | None" = None
        self.long_answers: "list" = []  # drivers with a `long_answer_due`
        self._at_link_down: "list" = []
        self.flash_gate = FlashGate(self._long_answer_due, self._pause_link)
        self.effects = Effects(EffectJournal(folder), self.flash_gate, self._answer_effect)
        self.events = Events(
            EventJournal(folder), self.flash_gate, self._send_event, flash_trouble, now
        )
        self._begin_session()
        self._dispatch = {
            messages.READ_CARD: self._read_card,
            messages.READ_STOP: self._read_stop,
            messages.SAY: self._say,
            messages.HUSH: self._hush,
            messages.PRINT_DATA: self._print_data,
            messages.PRINT_RUN: self._print_run,
            messages.PULSE: self._pulse,
            messages.EVENT_ACK: self._event_ack,
            messages.LAMP: self._lamp,
            messages.HELP_RING: self._help_ring,
            messages.HELP_ANSWER: self._help_answer,
            messages.EFFECT_QUERY: self._effect_query,
            messages.SCAN_START: self._no_scanner,
        }

    def serve(self, kind, handle):
        """`handle(fields, tail, now)` is called for every message of `kind`, in order."""
        self._dispatch[kind] = lambda fields, tail: handle(fields, tail, self._now)

    def at_link_down(self, act):
        """`act()` is called whenever the agent is gone."""
        self._at_link_down.append(act)

    def introduce(self, lines):
        """`key=value` lines that HELLO says before the board's own, from now on."""
        text = "".join(line + "\n" for line in lines).encode()
        self._info = (text + self._base_info)[:INFO_BYTES_MAX]
        self.link.introduce(self._info)

    def is_busy(self):
        """Whether something is under way that a reset would leave unknown."""
        money = self.cash is not None and self.cash.is_busy
        return money or self.effects.are_open or self._printing()

    def receive(self, buf, n, now):
        """Bytes from the line."""
        self._now = now
        self.flash_gate.link_heard(now)
        self.link.receive(buf, n, now)

    def tick(self, now):
        """After the devices' ticks: timers, and what waits goes to the link as it has room."""
        self._now = now
        self.effects.tick(now)
        self.events.tick(now)
        self.flash_gate.tick()
        if self.outbound.overflowed:
            self.link_down("overflow")
            self._begin_session()
        self.link.tick(now)
        self.counters.tick(now)
        if self.link.up:
            self.outbound.pump(self._send)

    def pull(self, now):
        """The next encoded frame for the line, or None."""
        return self.link.pull(now)

    def deadline(self, now):
        return self.link.deadline(now)

    def _answer_effect(self, effect_id, outcome, detail):
        if self.job.effect_id == effect_id:
            self.job.clear()
        self.outbound.emit(messages.EFFECT_RESULT, effect_id, outcome, detail)

    def _send_event(self, event, age_ms):
        message = messages.pack(messages.EVENT, event.number, event.kind, age_ms, tail=event.tail)
        return self._send(message)

    def _send(self, message):
        if not self.link.send(message):
            return False
        self._trace.message(te.MESSAGE_OUT, message)
        return True

    def link_up(self, version, info):
        self._trace.mark(te.MARK_UP)
        self.outbound.link_up()
        self.counters.link_up(self._now)
        self.events.link_up(self._now)
        if self.cash is not None:
            self.cash.link_up(self._now)

    def link_down(self, reason):
        self._trace.mark(te.MARK_DOWN)
        self.outbound.link_down()
        self.events.link_down()
        for act in self._at_link_down:
            act()
        if self.cash is not None:
            self.cash.link_down(self._now)
        if not self._printing():
            self.job.clear()

    def link_message(self, view):
        self._trace.message(te.MESSAGE_IN, view)
        try:
            kind, fields, tail = messages.unpack(view)
            handle = self._dispatch[kind]
        except (messages.MessageError, KeyError) as error:
            self.bad_messages += 1
            self._note("message of the agent not understood: %r" % error)
            return
        handle(fields, tail)

    def _begin_session(self):
        self.link = Link(
            BOARD,
            self.entropy,
            self,
            window=self._window,
            info=self._info,
            pair_key=self._pair_key,
        )

    def _pause_link(self, on):
        self.link.announce(0 if on else self._window)

    def _long_answer_due(self):
        for driver in self.long_answers:
            if driver.long_answer_due:
                return True
        return False

    def _no_scanner(self, fields, tail):
        self.outbound.emit(messages.SCAN_FAULT, fields[0], states.SCAN_SILENT)

    def _printing(self):
        return self.printer is not None and self.printer.busy

    def _read_card(self, fields, tail):
        read_no, limit_ds = fields
        if self.reader is None:
            self.outbound.emit(messages.CARD_FAULT, read_no, states.CARD_READER_SILENT)
        else:
            self.reader.start(read_no, limit_ds * _DECISECOND_MS, self._now)

    def _read_stop(self, fields, tail):
        if self.reader is not None:
            self.reader.stop(fields[0])

    def _say(self, fields, tail):
        utterance_no, volume, speed = fields
        if self.voice is None:
            self.outbound.emit(messages.SPEECH, utterance_no, states.SPEECH_FAILED)
        else:
            self.voice.say(utterance_no, volume, speed, tail, self._now)

    def _hush(self, fields, tail):
        if self.voice is not None:
            self.voice.hush()

    def _print_data(self, fields, tail):
        effect_id, offset = fields
        if not self._printing():  # the buffer is in use; PRINT_RUN will be answered with BUSY
            self.job.add(effect_id, offset, tail)

    def _print_run(self, fields, tail):
        effect_id, total, crc32 = fields
        if not self.effects.request(effect_id):
            return
        if self.printer is None or self.printer.busy:
            self._refuse(effect_id, self.printer)
            return
        data = self.job.whole(effect_id, total, crc32)
        if data is None:
            self._end(effect_id, states.DETAIL_BAD_REQUEST)
        else:
            self.printer.start(effect_id, data, self._now)

    def _pulse(self, fields, tail):
        effect_id, duration_ms = fields
        if not self.effects.request(effect_id):
            return
        if self.gate is None or self.gate.busy:
            self._refuse(effect_id, self.gate)
        else:
            self.gate.start(effect_id, duration_ms, self._now)

    def _refuse(self, effect_id, device):
        self._end(effect_id, states.DETAIL_NO_DEVICE if device is None else states.DETAIL_BUSY)

    def _end(self, effect_id, detail):
        self.effects.end(effect_id, states.NOT_DONE, detail, self._now)

    def _event_ack(self, fields, tail):
        self.events.acknowledge(fields[0], self._now)

    def _lamp(self, fields, tail):
        lamp, mode = fields
        if lamp == states.LAMP_HELP and self.help is not None:
            self.help.set_lamp(mode, self._now)

    def _help_ring(self, fields, tail):
        event_no, age_ms = fields
        if self.help is not None:
            self.help.ring(event_no, age_ms, self._now)

    def _help_answer(self, fields, tail):
        if self.help is not None:
            self.help.answer(fields[0], self._now)

    def _effect_query(self, fields, tail):
        self.effects.query(fields[0])
