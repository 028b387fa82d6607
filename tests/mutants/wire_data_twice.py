"""Planted: DATA that came before is delivered again; neither number nor seq stop it."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from protocol.wire.link import Link
from tests.wire.guards import each_message_comes_once_in_order

GUARD = each_message_comes_once_in_order


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    real = Link._on_data

    def on_data(link: Link, seq: int, size: int) -> None:
        if (link._next_in - seq) & 0xFFFF == 1:
            link._next_in = seq
        real(link, seq, size)

    taken = patch.object(Link, "_is_new", lambda _link: True)
    with taken, patch.object(Link, "_on_data", on_data):
        yield
