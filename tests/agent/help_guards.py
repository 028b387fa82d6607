"""What must hold of calls for help, whatever happens in whatever order."""

import random
from pathlib import Path

from edge_agent.core import help_desk as hd
from edge_agent.core import help_events as hx
from edge_agent.core.help_desk import HelpDesk
from edge_agent.core.help_events import CallKey
from edge_agent.core.screen import HELP_ANSWERED, HELP_NONE

BOARD = 11
WALL_MS = 1_790_000_000_000
STEPS = 40
ROUNDS = 200

Step = tuple[str, int, int, bool]


class _World:
    """A desk, a disk that resolves records when told to, and what came of it."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.wall_ms = WALL_MS
        self.core = HelpDesk(None, 0, WALL_MS)
        self.calls: list[hx.RecordCall] = []
        self.answers: list[hx.RecordAnswer] = []
        self.stored: set[CallKey] = set()
        self.called: set[CallKey] = set()
        self.given = 0  # answers that came from outside
        self.wrong: list[str] = []

    def do(self, effects: hx.Effects) -> None:
        for effect in effects:
            match effect:
                case hx.RecordCall():
                    self.calls.append(effect)
                case hx.RecordAnswer():
                    self.answers.append(effect)
                    if not self.given:
                        self.wrong.append(f"an answer that nobody gave: {effect}")
                case hx.Say(text) if text == hx.ANSWERED and not self.given:
                    self.wrong.append("an officer was announced before any answer")
                case hx.Say(text):
                    if text == hx.ANSWERED:
                        self.given -= 1
        if self.core.state == HELP_ANSWERED and self.core._now and not self.core._now.answer:
            self.wrong.append("the screen shows an answer that there is not")
        if self.core.state == HELP_NONE and self.core.open_call(self.now_ms):
            self.wrong.append("the board rings for what the screen does not show")

    def step(self, what: str, number: int, age_ms: int, flag: bool) -> None:
        key = CallKey(BOARD, number)
        if what == "press":
            self.do(self.core.pressed(key, age_ms, self.now_ms, rings=flag))
        elif what == "asked":
            self.do(self.core.asked(hx.OWN_NUMBERS + number, self.now_ms, rings=flag))
        elif what == "desk":
            self.given += 1
            event = CallKey(BOARD, 100 + number)
            self.do(self.core.answered_at_desk(event, number, 5, age_ms, self.now_ms))
        elif what == "page":
            self.given += 1
            of = number if flag else hx.OWN_NUMBERS + number
            self.do(self.core.answered_on_page(of, number, self.now_ms))
        elif what == "stored":
            self.resolve(flag)
        elif what == "wait":
            self.now_ms += min(age_ms, 2 * hd.CALL_MS_MAX)
            self.wall_ms += min(age_ms, 2 * hd.CALL_MS_MAX)
            self.do(self.core.tick(self.now_ms))
        else:
            saved = self.core.to_save(self.now_ms, self.wall_ms)
            self.core = HelpDesk(saved, self.now_ms, self.wall_ms)
            self.calls.clear()
            self.answers.clear()

    def resolve(self, ok: bool) -> None:
        if self.calls:
            key = self.calls.pop(0).key
            repeated = ok and key in self.stored
            self.stored |= {key} if ok else set()
            self.do(self.core.call_recorded(key, self.now_ms, ok=ok, repeated=repeated))
        elif self.answers:
            self.do(self.core.answer_recorded(self.answers.pop(0).key, self.now_ms, ok=ok))


def early_promise_violations(_folder: Path | None, steps: list[Step] | None = None) -> list[str]:
    """An officer is announced only by an answer, and at most once for each."""
    if steps is not None:
        return _played(steps)
    wrong: list[str] = []
    for seed in range(ROUNDS):
        wrong += _played(_random_steps(random.Random(seed)))
    return wrong


def _played(steps: list[Step]) -> list[str]:
    world = _World()
    for step in steps:
        world.step(*step)
    for _ in range(len(steps) + 1):
        world.resolve(True)
    return world.wrong


def _random_steps(dice: random.Random) -> list[Step]:
    kinds = ("press", "press", "asked", "desk", "page", "stored", "stored", "wait", "restart")
    ages = (0, 50, hd.FRESH_MS, 90_000)
    return [
        (dice.choice(kinds), dice.randrange(6), dice.choice(ages), dice.random() < 0.7)
        for _ in range(STEPS)
    ]
