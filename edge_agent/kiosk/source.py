"""Where the citizen's screen comes from, and where its keys go."""

from collections.abc import Callable
from typing import Protocol

from edge_agent.core.screen import Screen


class ScreenSource(Protocol):
    """Called from the threads of the pages; none of these may wait for anything."""

    def screen(self) -> Screen:
        """What has to be seen now."""

    def press(self, key: str, serial: int) -> None:
        """One of KEYS was pressed while the screen with this serial was seen."""

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` after every change, from any thread, until the returned one is called."""
