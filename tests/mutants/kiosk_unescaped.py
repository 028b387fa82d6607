"""Planted: values go into the page as they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from jinja2 import Environment

from edge_agent.kiosk import draw
from tests.pages.kiosk_guards import values_are_escaped
from tongban.web.pages import templates

GUARD = values_are_escaped


def _plain(folder: Path) -> Environment:
    environment = templates(folder)
    environment.autoescape = False
    return environment


@contextmanager
def apply() -> Iterator[None]:
    """The code with the fault, inside."""
    with patch.object(draw, "templates", _plain):
        yield
