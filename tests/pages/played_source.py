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
from protocol.records import Person

WELCOME = Screen(choices=s.FIRST_CHOICES)
PERSON = s.masked(Person("C", "441900190001010027", "样例甲"))
VOLUME_STEP = 3
MATTERS = (
    Choice("1", "matter.social"),
    Choice("2", "matter.medical"),
    Choice("3", "matter.civil"),
)
ASK = Screen(page=s.CHOICE, text="matter.ask", choices=MATTERS, person=PERSON)
TICKET = Screen(
    page=s.TICKET, text="number.told", fields={"ticket": "B-017"}, number="B-017", speaking=True
)
NOTES = (5, 10, 20, 50)
PAY = Screen(
    page=s.PAY,
    title="fee.title",
    text=s.PAY_MORE_TEXT,
    fields={"paid": 10_00, "rest": 10_00},
    money=s.Money(20_00, 10_00, NOTES),
    choices=s.PAY_CHOICES,
    person=PERSON,
    speaking=True,
)
SCENES: dict[str, Screen] = {
    "welcome": replace(WELCOME, title="number.title", text="number.welcome", speaking=True),
    "first": WELCOME,
    "officer card": Screen(page=s.READING, text="number.officer_card", person=PERSON),
    "working": Screen(page=s.WORKING, text="screen.working", person=PERSON),
    "printing": Screen(page=s.WORKING, text="visit.printing"),
    "choice": replace(ASK, title="number.title", speaking=True),
    "warning": replace(ASK, warning_ms=20_000),
    "entered": Screen(page=s.MESSAGE, text="gate.entered", person=PERSON, speaking=True),
    "note": Screen(page=s.MESSAGE, text="gate.no_slip", person=PERSON, speaking=True),
    "take": Screen(page=s.MESSAGE, text="card.take", speaking=True),
    "officer": Screen(page=s.MESSAGE, text="terminal.sorry", person=PERSON, speaking=True),
    "ticket": TICKET,
    "fault": Screen(page=s.FAULT, text="reader.fault"),
    "help called": replace(WELCOME, help=s.HELP_CALLED),
    "help answered": replace(WELCOME, help=s.HELP_ANSWERED, warning_ms=20_000),
    "policy": Screen(
        page=s.CHOICE,
        title="fee.title",
        text="fee.policy",
        fields={"due": 15_50},
        choices=s.OFFER_CHOICES,
        person=PERSON,
    ),
    "pay": PAY,
    "pay busy": replace(
        PAY, text=s.PAY_BUSY_TEXT, fields={}, choices=(), money=s.Money(20_00, 10_00, NOTES, True)
    ),
    "pay crowded": replace(
        PAY,
        text="pay.rejected",
        fields={"rest": 189_50},
        money=s.Money(199_50, 10_00, NOTES),
        help=s.HELP_CALLED,
        warning_ms=20_000,
    ),
}
"""One of every page and state."""
CROWDED = replace(ASK, title="number.title", help=s.HELP_CALLED, warning_ms=20_000, speaking=True)
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
        self._asked_serial = 1  # since when the page asks what it asks, as the agent's own has it
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
            old = self._screen
            self._screen = replace(screen, serial=old.serial + 1)
            if (old.page, old.text, old.choices) != (screen.page, screen.text, screen.choices):
                self._asked_serial = self._screen.serial
            watchers = list(self._watchers)
        for changed in watchers:
            changed()

    def begin(self, screen: Screen = WELCOME) -> None:
        """Another person comes: no key has counted yet, and this scene is on."""
        self.show(screen)
        self.pressed.clear()
        self.stale.clear()

    def change(self, **fields: Any) -> None:
        """Change fields of the present scene."""
        self.show(replace(self.screen(), **fields))

    def press(self, key: str, serial: int) -> None:
        screen = self.screen()
        if key in s.KEY_CHOICES and serial < self._asked_serial:
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
        if screen.page == s.WELCOME and key == s.KEY_NO_CARD:
            self.show(replace(ASK, **as_set))
        elif screen.page == s.WELCOME:
            self.show(Screen(page=s.MESSAGE, text="officer.ask", **as_set))
        else:
            self.show(replace(TICKET, **as_set))
