"""Pages see each change once, and a choice counts only for the question it was pressed for."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest

from edge_agent.core.screen import CHOICE, MESSAGE, Choice, Screen
from edge_agent.front import PRESSES_WAITING_MAX, WATCHERS_MAX, Front, FrontError

ASKED = Screen(page=CHOICE, text="matter.ask", choices=(Choice("1", "a"), Choice("2", "b")))


class Loop:
    """Takes what a press wants done, and does it when told."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.waiting: deque[Callable[[], None]] = deque()
        self.front = Front(self.keys.append)
        self.front.serve(self.waiting.append)

    def run(self) -> list[str]:
        while self.waiting:
            self.waiting.popleft()()
        taken, self.keys[:] = list(self.keys), []
        return taken


def test_the_serial_rises_with_every_change_and_only_then() -> None:
    front = Loop().front
    seen: list[int] = []
    end = front.watch(lambda: seen.append(front.screen().serial))
    for screen in (ASKED, ASKED, replace(ASKED, speaking=True), replace(ASKED, large=True)):
        front.show(screen)
    assert seen == [1, 2, 3]
    end()
    end()
    front.show(Screen(page=MESSAGE, text="card.take"))
    assert seen == [1, 2, 3]


def test_time_that_goes_by_is_no_change_but_a_warning_is_one() -> None:
    front = Loop().front
    front.show(replace(ASKED, warning_ms=20_000))
    serial = front.screen().serial
    front.show(replace(ASKED, warning_ms=13_000))
    assert front.screen().serial == serial
    front.show(ASKED)
    assert front.screen().serial == serial + 1


def test_a_choice_of_an_older_question_is_ignored_and_one_of_this_question_is_not() -> None:
    loop = Loop()
    loop.front.show(ASKED)
    old = loop.front.screen().serial
    loop.front.show(replace(ASKED, speaking=True))  # the same question, still
    loop.front.press("2", old)
    assert loop.run() == ["2"]
    loop.front.show(replace(ASKED, text="other.ask"))
    loop.front.press("1", old)
    for key in ("stop", "louder", "help", "other"):
        loop.front.press(key, old)
    assert loop.run() == ["stop", "louder", "help", "other"]


def test_a_choice_that_waited_while_the_question_went_is_ignored_too() -> None:
    loop = Loop()
    loop.front.show(ASKED)
    loop.front.press("1", loop.front.screen().serial)
    loop.front.show(Screen(page=MESSAGE, text="visit.too_late"))
    assert loop.run() == []


def test_what_the_page_does_not_offer_is_no_choice() -> None:
    loop = Loop()
    loop.front.show(ASKED)
    loop.front.press("3", loop.front.screen().serial)
    assert loop.run() == []


def test_a_key_that_nobody_knows_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(FrontError, match="no such key 'f1'; use one of: 1, 2, 3, repeat"):
        Loop().front.press("f1", 0)


def test_presses_that_wait_are_bounded_and_without_a_loop_they_mean_nothing() -> None:
    loop = Loop()
    for _ in range(PRESSES_WAITING_MAX + 5):
        loop.front.press("louder", 0)
    assert loop.run() == ["louder"] * PRESSES_WAITING_MAX
    loop.front.press("louder", 0)
    assert loop.run() == ["louder"]
    loop.front.serve(None)
    loop.front.press("louder", 0)
    assert loop.run() == []


def test_watchers_are_bounded() -> None:
    front = Loop().front
    ends = [front.watch(lambda: None) for _ in range(WATCHERS_MAX)]
    with pytest.raises(FrontError, match=f"{WATCHERS_MAX} pages watch"):
        front.watch(lambda: None)
    ends[0]()
    front.watch(lambda: None)
