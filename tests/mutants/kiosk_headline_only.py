"""Planted: only the first sentence of what is spoken stands on the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from edge_agent.core.screen import Screen
from edge_agent.core.texts import Texts
from edge_agent.kiosk import draw
from edge_agent.kiosk.view import View, view_of
from tests.pages.kiosk_guards import what_is_spoken_is_drawn

GUARD = what_is_spoken_is_drawn


def _first_only(screen: Screen, texts: Texts) -> View:
    return replace(view_of(screen, texts), rest=())


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch.object(draw, "view_of", _first_only):
        yield
