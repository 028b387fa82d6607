"""Events on their way to the agent: onto flash first, then over the link until the agent
acknowledges.

| what | when |
| --- | --- |
| written | as soon as the FlashGate lets it; WAITING_MAX wait for that, `lost` counts more |
| sent | after it was written; again after every link up, and every RESEND_MS of no answer |
| forgotten | on EVENT_ACK |
"""

from protocol.wire.states import AGE_UNKNOWN, HELP_ANSWERED, HELP_PRESSED
from protocol.wire.ticks import add, diff

WAITING_MAX = 8
RESEND_MS = 15_000
_AGE_MS_MAX = 0x10000000  # three days; older than that the ticks cannot tell


class Events:
    """`send(event, age_ms) -> bool` puts one on the link, False when there is no room yet;
    `trouble()`: the flash refused a write.
    """

    def __init__(self, journal, gate, send, trouble, now):
        self._journal = journal
        self._gate = gate
        self._send = send
        self._trouble = trouble
        self._waiting = []
        self._acks = []
        self._sent = 0  # how many of journal.open have been sent
        self._up = False
        self._resend_at = now
        self.lost = 0

    def happened(self, kind, tail, now):
        """The number that the event has from now on, 0 when too many wait for the flash."""
        if len(self._waiting) >= WAITING_MAX:
            self.lost += 1
            return 0
        number = self._journal.reserve()
        self._waiting.append((number, kind, tail, now))
        return number

    def waits(self, number):
        """Whether this event is still on its way: the agent has not acknowledged it."""
        for waiting in self._waiting:
            if waiting[0] == number:
                return True
        for event in self._journal.open:
            if event.number == number:
                return True
        return False

    def call_left_open(self):
        """(number of a press that nobody answered, number of the press answered last), 0 for none,
        as far as the agent has not acknowledged them. For the start of a life."""
        pressed = answered = 0
        for event in self._journal.open:
            if event.kind == HELP_PRESSED and not pressed:
                pressed = event.number
            elif event.kind == HELP_ANSWERED:
                pressed = 0
                answered = int.from_bytes(event.tail[:4], "little")
        return pressed, answered

    def acknowledge(self, number, now):
        if len(self._acks) < WAITING_MAX:
            self._acks.append((number, now))  # one too many comes again with the event

    def link_up(self, now):
        self._up = True
        self._sent = 0
        self._resend_at = add(now, RESEND_MS)

    def link_down(self):
        self._up = False

    def tick(self, now):
        """At most one flash write a pass."""
        self._age(now)
        if self._waiting and self._gate.is_open(self._waiting[0][3], now):
            self._write(*self._waiting.pop(0))
        elif self._acks and self._gate.is_open(self._acks[0][1], now):
            self._settle(self._acks.pop(0)[0])
        if self._up:
            self._send_next(now)

    def _write(self, number, kind, tail, at):
        dropped = self._journal.dropped
        try:
            self._journal.add(number, kind, tail, at)
        except OSError:
            self._trouble()
        if self._journal.dropped != dropped:
            self._sent = 0

    def _settle(self, number):
        for place, event in enumerate(self._journal.open):
            if event.number == number:
                if place < self._sent:
                    self._sent -= 1
                break
        try:
            self._journal.acknowledge(number)
        except OSError:
            self._trouble()

    def _send_next(self, now):
        events = self._journal.open
        if self._sent < len(events):
            event = events[self._sent]
            age_ms = AGE_UNKNOWN if event.at is None else diff(now, event.at)
            if self._send(event, age_ms):
                self._sent += 1
                self._resend_at = add(now, RESEND_MS)
        elif events and diff(now, self._resend_at) >= 0:
            self._sent = 0

    def _age(self, now):
        for event in self._journal.open:
            if event.at is not None and diff(now, event.at) >= _AGE_MS_MAX:
                event.at = None
