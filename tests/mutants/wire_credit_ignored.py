"""Planted: everything queued goes out at once, whatever room the peer announced."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from protocol.wire.send_queue import SendQueue
from tests.wire.guards import no_more_on_the_way_than_was_announced

GUARD = no_more_on_the_way_than_was_announced


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""

    def next_message(queue: SendQueue) -> bytes | None:
        return None if queue._in_flight == queue._count else queue._at(queue._in_flight)

    with patch.object(SendQueue, "next", next_message):
        yield
