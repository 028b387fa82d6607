"""Bill acceptor, CCNET protocol: polls it, obeys its rules, keeps in force what its owner wants.

What a bill is worth, and what becomes of it, its owner decides (cash_desk): it sees every poll
answer before that is acknowledged.

| last poll answer | sent at the next exchange, first that fits |
| --- | --- |
| none yet, or a command was just obeyed | POLL |
| 80, 1A | STACK, RETURN or HOLD, when asked for |
| 10 11 12; 43 44 45 47 every RESET_EVERY_MS | RESET, once `owner.may_reset` |
| 19 | IDENTIFICATION, GET BILL TABLE, each once after a power-up |
| 14 19 | ENABLE BILL TYPES, when others are in force than wanted |
| any | POLL, after POLL_EVERY_MS |

| exchange | event | does |
| --- | --- | --- |
| REST | due, unless `owner.wants_rest` | send |
| ANSWER | poll state, table or identification | ACK it, rest for ACK_GAP_MS |
| ANSWER | poll state that `owner.polled` does not want acknowledged | POLL again after AGAIN_MS |
| ANSWER | ACK | done; POLL |
| ANSWER | ILLEGAL COMMAND | POLL after POLL_EVERY_MS |
| ANSWER | NAK | send again, SENT_MAX times in all |
| ANSWER | damaged frame, or no answer to this command | NAK, NAKS_MAX times |
| ANSWER | time-out, the last NAK of these rows | `missed` counts; POLL |
| ANSWER | MISSED_MAX of them in a row | OFFLINE, POLL every OFFLINE_EVERY_MS |

Times: CCNET 2.3.1, and what integrators found to work (200 ms between polls, 20 ms after an ACK).
"""

from firmware.drivers import ccnet_frames as ccnet
from firmware.drivers import ccnet_states as polled
from firmware.drivers.ccnet_bills import BillTable
from firmware.drivers.sender import Sender
from protocol.wire import states
from protocol.wire.ticks import add, diff

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

POLL_EVERY_MS = 200
ACK_GAP_MS = 20
AGAIN_MS = 50
ANSWER_MS_MAX = 300
LONG_ANSWER_MS_MAX = 600
OFFLINE_EVERY_MS = 1000
RESET_EVERY_MS = 10_000
BUSY_MS_MAX = 5000
SENT_MAX = 3
NAKS_MAX = 3
MISSED_MAX = 5
_DECISECOND_MS = 100
_ACK_CODE = 0x00
_NAK_CODE = 0xFF

REST = 0
POLL = 1
RESET = 2
IDENTIFICATION = 3
BILL_TABLE = 4
ENABLE = 5
STACK = 6
RETURN = 7
HOLD = 8
_FRAMES = (
    None,
    memoryview(ccnet.POLL),
    memoryview(ccnet.RESET),
    memoryview(ccnet.IDENTIFICATION),
    memoryview(ccnet.BILL_TABLE),
    None,  # ENABLE is made when it is needed
    memoryview(ccnet.STACK),
    memoryview(ccnet.RETURN),
    memoryview(ccnet.HOLD),
)
_DATA_BYTES = {IDENTIFICATION: ccnet.IDENTIFICATION_BYTES, BILL_TABLE: ccnet.BILL_TABLE_BYTES}
_ACK = memoryview(ccnet.ACK)
_NAK = memoryview(ccnet.NAK)


class CcnetAcceptor:
    """`report(state, detail)` takes changes of the device's state. `owner` is put in by its owner:
    `polled(state, argument, now) -> bool`, `offline(now)`, `may_reset` and `wants_rest`.
    """

    def __init__(self, port, report, now):
        self.owner: "Any" = None
        self.bills = BillTable()
        self.identity = None  # 15 bytes part number, 12 serial number, 7 asset number
        self.state = None  # the last poll answer
        self.in_force = None  # types that are enabled, None while that is not known
        self.is_offline = False
        self._wanted = 0
        self._report = report
        self._sender = Sender(port)
        self._replies = ccnet.CcnetReplies()
        self._enable = ccnet.enable_frame()
        self._enable_view = memoryview(self._enable)
        self._enabling = 0
        self._command = REST
        self._asked = REST
        self._poll_next = True
        self._due = now  # REST: when to begin; else: when the answer is late
        self._earliest = now
        self._reset_at = now
        self._sent = 0
        self._naks = 0
        self._missed = 0

    @property
    def is_exchanging(self):
        """An answer is due."""
        return self._command != REST

    @property
    def long_answer_due(self):
        """An answer longer than a hardware FIFO is coming: not the time to stall interrupts."""
        return IDENTIFICATION <= self._command <= BILL_TABLE

    @property
    def is_ready(self):
        """It can be enabled: no power-up, no fault, and its bills are known."""
        return (
            self.state is not None
            and self.bills.known
            and polled.device_state(self.state)[0] == states.ONLINE
        )

    def want(self, mask):
        """Let in these notes (mask of NOTE_YUAN), with escrow, as soon as it can be done; 0 for
        none."""
        self._wanted = mask

    def stack(self, now):
        """Take the bill in escrow."""
        self._ask(STACK, now)

    def give_back(self, now):
        """Give the bill in escrow back."""
        self._ask(RETURN, now)

    def hold(self, now):
        """Keep the bill in escrow for longer."""
        self._ask(HOLD, now)

    def _ask(self, command, now):
        self._asked = command
        if self._command == REST and diff(self._due, self._earliest) > 0:
            self._due = self._earliest

    def feed(self, buf, n, now):
        at = 0
        replies = self._replies
        while True:
            at = replies.take(buf, at, n)
            if replies.result == ccnet.FRAME:
                self._on_frame(now)
            elif replies.result == ccnet.DAMAGED:
                self._on_damage(now)
            else:
                return

    def tick(self, now):
        self._sender.pump()
        if diff(now, self._due) < 0:
            return
        if self._command != REST:
            self._on_silence(now)
        elif not self.owner.wants_rest:
            self._begin(self._next_command(now), now)

    def deadline(self, now):
        """Milliseconds until `tick` has work, at least 0."""
        return max(0, diff(self._due, now))

    def _next_command(self, now):
        state = self.state
        if self._poll_next or state is None:
            return POLL
        if self._asked != REST:
            asked, self._asked = self._asked, REST
            if state in polled.ESCROWED:
                return asked
        if self._reset_is_due(now) and self.owner.may_reset:
            return RESET
        if state == polled.DISABLED and self.identity is None:
            return IDENTIFICATION
        if state == polled.DISABLED and not self.bills.known:
            return BILL_TABLE
        return ENABLE if state in polled.ENABLES and self.in_force != self._target() else POLL

    def _reset_is_due(self, now):
        if self.state in polled.POWERED_UP:
            return True
        return self.state in polled.WANTS_RESET and diff(now, self._reset_at) >= 0

    def _target(self):
        return self.bills.types(self._wanted) if self.bills.known else 0

    def _begin(self, command, now):
        self._command = command
        self._sent = 0
        self._naks = 0
        if command == ENABLE:
            self._enabling = self._target()
            ccnet.set_enabled(self._enable, self._enabling)
        elif command == RESET:
            self._reset_at = add(now, RESET_EVERY_MS)
        self._replies.reset()
        self._send(now)

    def _send(self, now):
        command = self._command
        self._sent += 1
        self._sender.send(self._enable_view if command == ENABLE else _FRAMES[command])
        self._wait(now)

    def _wait(self, now):
        self._due = add(now, LONG_ANSWER_MS_MAX if self.long_answer_due else ANSWER_MS_MAX)

    def _rest(self, now, delay_ms):
        self._command = REST
        self._earliest = add(now, ACK_GAP_MS)
        self._due = add(now, delay_ms)

    def _on_frame(self, now):
        command = self._command
        if command == REST:
            return  # an answer that came after its time-out
        first = self._replies.data(0)
        length = self._replies.length
        if length == 1 and first == _NAK_CODE:
            self._on_nak(now)
        elif command == POLL:
            if polled.is_poll_answer(length, first):
                self._on_poll(first, self._replies.data(1) if length == 2 else 0, now)
            else:
                self._on_damage(now)
        elif length == 1 and first == _ACK_CODE:
            self._on_obeyed(now)
        elif length == 1 and first == ccnet.RESET[3]:  # ILLEGAL COMMAND has its bytes
            self._poll_next = True
            self._answered(now)
            self._rest(now, POLL_EVERY_MS)
        elif length == _DATA_BYTES.get(command, 0):
            self._on_data(now)
        else:
            self._on_damage(now)

    def _answered(self, now):
        self._missed = 0
        self.is_offline = False

    def _on_poll(self, state, argument, now):
        self._answered(now)
        if state in polled.POWERED_UP:
            self.identity = None
            self.bills.forget()
            self.in_force = None
        elif state == polled.DISABLED:
            self.in_force = 0
        elif state == polled.IDLING and self.in_force == 0:
            self.in_force = None  # somebody else's doing: say again what is wanted
        may_ack = self.owner.polled(state, argument, now)
        self._poll_next = False
        self.state = state
        known = polled.device_state(state)
        self._report(known[0], known[1])
        if may_ack:
            self._sender.send(_ACK)
        self._earliest = add(now, ACK_GAP_MS)
        if not may_ack:
            self._poll_next = True
            self._rest(now, AGAIN_MS)
        elif state == polled.BUSY:
            self._rest(now, max(POLL_EVERY_MS, min(BUSY_MS_MAX, argument * _DECISECOND_MS)))
        else:
            self._rest(now, POLL_EVERY_MS)
            if self._has_more_to_do(now):
                self._due = self._earliest

    def _has_more_to_do(self, now):
        asked = self._asked
        command = self._next_command(now)
        self._asked = asked
        return command != POLL

    def _on_obeyed(self, now):
        if self._command == ENABLE:
            self.in_force = self._enabling
        elif self._command == RESET:
            self.in_force = 0
        self._answered(now)
        self._poll_next = True
        self._rest(now, ACK_GAP_MS)

    def _on_data(self, now):
        if self._command == BILL_TABLE:
            self.bills.read(self._replies)
        else:
            self.identity = bytes([self._replies.data(at) for at in range(self._replies.length)])
        self._answered(now)
        self._sender.send(_ACK)
        self._rest(now, ACK_GAP_MS)

    def _on_nak(self, now):
        if self._sent < SENT_MAX:
            self._send(now)
        else:
            self._on_missed(now)

    def _on_damage(self, now):
        if self._command == REST:
            return
        if self._naks < NAKS_MAX:
            self._naks += 1
            self._replies.reset()  # the answer comes whole again
            self._sender.send(_NAK)
            self._wait(now)
        else:
            self._on_missed(now)

    def _on_silence(self, now):
        self._replies.reset()
        self._sender.drop()
        self._on_missed(now)

    def _on_missed(self, now):
        self._poll_next = True
        self._missed += 1
        if self._missed < MISSED_MAX:
            self._rest(now, ACK_GAP_MS)
            return
        self.is_offline = True
        self.state = None
        self.in_force = None
        self._report(states.OFFLINE, states.DETAIL_SILENT)
        self.owner.offline(now)
        self._rest(now, OFFLINE_EVERY_MS)
