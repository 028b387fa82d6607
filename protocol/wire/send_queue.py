"""The sending half of Go-Back-N: messages in order, kept until they are acked, under a credit.

| the queue holds, oldest first | |
| --- | --- |
| in flight | sent since the last `go_back`; their encoded bytes are covered by the peer's window |
| to send again | sent once, not acked, before the last `go_back` |
| to send | never sent |

A window smaller than what is in flight takes nothing back, it only stops the sending.
"""

from protocol.wire.frames import encoded_max

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true

QUEUE_MESSAGES_MAX = 32
QUEUE_BYTES_MAX = 4096

_SEQ_MASK = 0xFFFF


class SendQueue:
    def __init__(self) -> None:
        self._ring: "list[bytes | None]" = [None] * QUEUE_MESSAGES_MAX
        self.clear()

    def clear(self) -> None:
        """As at the start of a connection: empty, seq 0, no credit."""
        for at in range(QUEUE_MESSAGES_MAX):
            self._ring[at] = None
        self._first = 0
        self._count = 0
        self._bytes = 0
        self._in_flight = 0  # messages
        self._flight_bytes = 0
        self._ever_sent = 0  # messages not acked that were sent at least once
        self.seq = 0  # of the oldest message
        self.window = 0  # bytes the peer last said it can take

    def add(self, message: bytes) -> bool:
        """Queue a message; False when there is no room."""
        if self._count == QUEUE_MESSAGES_MAX or self._bytes + len(message) > QUEUE_BYTES_MAX:
            return False
        self._ring[(self._first + self._count) % QUEUE_MESSAGES_MAX] = message
        self._count += 1
        self._bytes += len(message)
        return True

    @property
    def size(self) -> int:
        """Bytes of the messages that it keeps."""
        return self._bytes

    @property
    def unacked(self) -> int:
        """Messages that were sent and not acked."""
        return self._ever_sent

    @property
    def in_flight(self) -> int:
        """Of them, those sent since the last `go_back`."""
        return self._in_flight

    def next(self) -> bytes | None:
        """The message to send now, None when there is none or the credit does not cover it."""
        if self._in_flight == self._count:
            return None
        message = self._at(self._in_flight)
        if self._flight_bytes + encoded_max(len(message)) > self.window:
            return None
        return message

    def sent(self) -> int:
        """The message of `next` goes out now; its seq."""
        seq = (self.seq + self._in_flight) & _SEQ_MASK
        self._flight_bytes += encoded_max(len(self._at(self._in_flight)))
        self._in_flight += 1
        self._ever_sent = max(self._ever_sent, self._in_flight)
        return seq

    def acknowledge(self, ack: int) -> bool:
        """Forget what comes before seq `ack`; False when that is nothing, or not what was sent."""
        done = (ack - self.seq) & _SEQ_MASK
        if not 0 < done <= self._ever_sent:
            return False
        for _ in range(done):
            size = len(self._at(0))
            self._ring[self._first] = None
            self._first = (self._first + 1) % QUEUE_MESSAGES_MAX
            self._count -= 1
            self._bytes -= size
            if self._in_flight:
                self._in_flight -= 1
                self._flight_bytes -= encoded_max(size)
        self._ever_sent -= done
        self.seq = ack
        return True

    def go_back(self) -> int:
        """Everything in flight is to be sent again; how many messages."""
        count = self._in_flight
        self._in_flight = 0
        self._flight_bytes = 0
        return count

    def _at(self, place: int) -> bytes:
        message = self._ring[(self._first + place) % QUEUE_MESSAGES_MAX]
        assert message is not None
        return message
