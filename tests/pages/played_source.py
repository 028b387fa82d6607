"""A source of screens that behaves as the agent's does, without an agent: it holds one screen,
takes keys, drops stale ones, and tells those who watch. Scenes are put on it by `show`."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent.catalogue import load_texts
from edge_agent.core import screen as s
from edge_agent.core.screen import Choice, Screen
from edge_agent.core.texts import LANGUAGES, Texts

FIRST_CHOICES = (Choice("1", "screen.no_card"), Choice("2", "screen.ask_officer"))
WELCOME = Screen(choices=FIRST_CHOICES)
PERSON = "样*甲 ...0027"
VOLUME_STEP = 3
ALWAYS = (s.KEY_HELP, s.KEY_STOP, s.KEY_OTHER)
"""Keys that mean the same on every page, so that a late one is no mistake."""
SCENES: dict[str, Screen] = {
    "welcome": replace(WELCOME, speaking=True),
    "reading": Screen(page=s.READING, text="screen.reading"),
    "working": Screen(page=s.WORKING, text="screen.working", person=PERSON),
    "choice": Screen(
        page=s.CHOICE,
        text="screen.choose",
        person=PERSON,
        speaking=True,
        choices=(
            Choice("1", "gate.title"),
            Choice("2", "screen.no_card"),
            Choice("3", "screen.ask_officer"),
        ),
    ),
    "warning": replace(WELCOME, page=s.CHOICE, text="screen.choose", warning_ms=20_000),
    "entered": Screen(page=s.MESSAGE, text="gate.entered", person=PERSON, speaking=True),
    "take": Screen(page=s.MESSAGE, text="card.take", speaking=True),
    "officer": Screen(page=s.MESSAGE, text="terminal.sorry", person=PERSON, speaking=True),
    "ticket": Screen(
        page=s.TICKET,
        text="screen.ticket",
        fields={"number": "B-017"},
        number="B-017",
        person=PERSON,
        speaking=True,
    ),
    "fault": Screen(page=s.FAULT, text="screen.fault"),
    "help called": replace(WELCOME, help=s.HELP_CALLED),
    "help answered": replace(WELCOME, help=s.HELP_ANSWERED, warning_ms=20_000),
}
"""One of every page and state."""
CROWDED = replace(SCENES["choice"], help=s.HELP_CALLED, warning_ms=20_000)
"""Everything at once."""
RARE_NAME = "\u4dae\U0002c0f0·" * 16 + "样例"
"""50 characters: rare ones, separators, and no place that offers a break."""
LONG_PERSON = replace(SCENES["entered"], person=RARE_NAME, speaking=False)
LONG_FIELD = Screen(page=s.MESSAGE, text="screen.person", fields={"person": RARE_NAME})


def shipped_texts() -> Texts:
    """All texts that the agent ships."""
    return load_texts([Path(s.__file__).resolve().parents[1] / "texts"])


class PlayedSource:
    """Thread-safe; `pressed` keeps what counted, `stale` what came too late."""

    def __init__(self, screen: Screen = WELCOME) -> None:
        self._lock = threading.Lock()
        self._screen = replace(screen, serial=1)
        self._watchers: list[Callable[[], None]] = []
        self.pressed: list[str] = []
        self.stale: list[str] = []

    def screen(self) -> Screen:
        with self._lock:
            return self._screen

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        with self._lock:
            self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    @property
    def watchers(self) -> int:
        """How many look on."""
        return len(self._watchers)

    def show(self, screen: Screen) -> None:
        """Put another scene on, with the next serial."""
        with self._lock:
            self._screen = replace(screen, serial=self._screen.serial + 1)
            watchers = list(self._watchers)
        for changed in watchers:
            changed()

    def change(self, **fields: Any) -> None:
        """Change fields of the present scene."""
        self.show(replace(self.screen(), **fields))

    def press(self, key: str, serial: int) -> None:
        screen = self.screen()
        if serial != screen.serial and key not in ALWAYS:
            self.stale.append(key)
            return
        self.pressed.append(key)
        if key == s.KEY_STOP:
            self.show(WELCOME)
        elif key == s.KEY_HELP:
            self.change(help=s.HELP_CALLED)
        elif key == s.KEY_LARGER:
            self.change(large=not screen.large)
        elif key == s.KEY_LANGUAGE:
            at = LANGUAGES.index(screen.language)
            self.change(language=LANGUAGES[(at + 1) % len(LANGUAGES)])
        elif key == s.KEY_LOUDER:
            self.change(volume=(screen.volume + VOLUME_STEP) % 17)
        elif key == s.KEY_SLOWER:
            self.change(speed=(screen.speed - 1) % 6)
        elif key == s.KEY_OTHER:
            self.change(warning_ms=None)
        elif key in {choice.key for choice in screen.choices}:
            self._choose(key, screen)

    def _choose(self, key: str, screen: Screen) -> None:
        as_set = {"language": screen.language, "large": screen.large}
        if screen.page == s.WELCOME and key == "1":
            self.show(Screen(page=s.MESSAGE, text="screen.no_card_way", **as_set))
        elif screen.page == s.WELCOME:
            self.show(replace(WELCOME, help=s.HELP_CALLED, **as_set))
        else:
            self.show(replace(SCENES["ticket"], **as_set))
