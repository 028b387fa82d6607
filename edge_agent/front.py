"""The citizen's screen for whoever draws it: what it shows now, and the keys that are pressed.

Safe from any thread. The terminal shows screens from its event loop; pages read and press from
their own threads. A choice counts only for the question it was pressed for: keys that mean the
same on every page (louder, help, stop ...) always count.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

from edge_agent.core.screen import KEY_CHOICES, KEYS, Screen

WATCHERS_MAX = 64
PRESSES_WAITING_MAX = 16

Changed = Callable[[], None]


class FrontError(Exception):
    """A page asked for what it cannot have; the text says what to do."""


class Front:
    """`on_key(key)` gets every key that counts, on the loop that `serve` was given."""

    def __init__(self, on_key: Callable[[str], None]) -> None:
        self._on_key = on_key
        self._lock = threading.Lock()
        self._screen = Screen()
        self._asked_serial = 0  # since when the page asks what it asks
        self._watchers: dict[int, Changed] = {}
        self._watchers_ever = 0
        self._waiting = 0
        self._call_soon: Callable[[Callable[[], None]], object] | None = None

    # ---- for pages, from any thread

    def screen(self) -> Screen:
        """What has to be seen now."""
        with self._lock:
            return self._screen

    def press(self, key: str, serial: int) -> None:
        """A key was pressed while the screen `serial` was seen. Raises FrontError."""
        if key not in KEYS:
            raise FrontError(f"no such key {key!r}; use one of: {', '.join(KEYS)}")
        with self._lock:
            if self._call_soon is None or self._waiting >= PRESSES_WAITING_MAX:
                return  # nobody serves, or a key hangs: what is pressed now means nothing
            self._waiting += 1
            self._call_soon(lambda: self._take(key, serial))

    def watch(self, changed: Changed) -> Callable[[], None]:
        """`changed` is called after each change, on the terminal's loop: it must not wait.

        Gives what ends that. Raises FrontError when WATCHERS_MAX watch already.
        """
        with self._lock:
            if len(self._watchers) >= WATCHERS_MAX:
                raise FrontError(f"{WATCHERS_MAX} pages watch this screen; close some")
            self._watchers_ever += 1
            name = self._watchers_ever
            self._watchers[name] = changed

        def end() -> None:
            with self._lock:
                self._watchers.pop(name, None)

        return end

    # ---- for the terminal, on its loop

    def serve(self, call_soon: Callable[[Callable[[], None]], object] | None) -> None:
        """Keys are taken by `call_soon` (thread-safe) from now on; None: by nobody any more."""
        with self._lock:
            self._call_soon = call_soon

    def show(self, screen: Screen) -> None:
        """This is to be seen now; its serial is given here."""
        with self._lock:
            old = self._screen
            if _same(old, screen):
                return
            self._screen = replace(screen, serial=old.serial + 1)
            if (old.page, old.text, old.choices) != (screen.page, screen.text, screen.choices):
                self._asked_serial = self._screen.serial
            watchers = list(self._watchers.values())
        for changed in watchers:
            changed()

    def _take(self, key: str, serial: int) -> None:
        with self._lock:
            self._waiting -= 1
            offered = any(choice.key == key for choice in self._screen.choices)
            counts = key not in KEY_CHOICES or (offered and serial >= self._asked_serial)
        if counts:
            self._on_key(key)


def _same(old: Screen, new: Screen) -> bool:
    """Whether nothing changed but the serial and the time that is left."""
    warned = (old.warning_ms is None) == (new.warning_ms is None)
    return warned and replace(new, serial=old.serial, warning_ms=old.warning_ms) == old
