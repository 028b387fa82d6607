"""The book of fault scenes: for every named fault of a device model, what the whole firmware must
say and do.

A scene gets a terminal that works, switches its fault on, sees it reported, switches it off and
sees the device work again. Faults that no driver can see (a dead loudspeaker) are here too: the
firmware must go on undisturbed.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from tests.board.terminal_scene import Terminal

Play = Callable[[Terminal], Awaitable[None]]


NO_OPTIONS: Mapping[str, Callable[[], Any]] = {}


class Scene(NamedTuple):
    """`settings` is a line of settings.txt; `clock_rate` shortens long waits; `options` make more
    arguments of `terminal`."""

    play: Play
    settings: str
    clock_rate: float
    options: Mapping[str, Callable[[], Any]] = NO_OPTIONS


class Book:
    """Scenes of one device by the name of the fault."""

    def __init__(self) -> None:
        self.scenes: dict[str, Scene] = {}

    def scene(
        self,
        *faults: str,
        settings: str = "",
        clock_rate: float = 1,
        options: Mapping[str, Callable[[], Any]] = NO_OPTIONS,
    ) -> Callable[[Play], Play]:
        """Register a scene for these faults."""

        def register(play: Play) -> Play:
            for fault in faults:
                assert fault not in self.scenes, f"two scenes for {fault}"
                self.scenes[fault] = Scene(play, settings, clock_rate, options)
            return play

        return register
