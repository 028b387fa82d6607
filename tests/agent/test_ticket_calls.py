"""Tickets are called between visits, and give way to everybody."""

from edge_agent.core.speaker import Speaker
from edge_agent.ticket_calls import SPEAKER, WAITING_MAX, TicketCalls

MINUTE_MS = 60_000


class Hall:
    """A voice that sounds until the test ends it, and somebody being served, or not."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.free = True
        self.begun: list[str] = []
        self.hushed = 0
        self.speaker = Speaker(self._begin, self._hush)
        self.calls = TicketCalls(
            self.speaker,
            lambda: self.now_ms,
            is_free=lambda: self.free,
            words=lambda ticket, counter: f"{ticket} to {counter}",
        )

    def _begin(self, number: int, words: str) -> None:
        self.number = number
        self.begun.append(words)

    def _hush(self) -> None:
        self.hushed += 1

    def call(self, number: int, lasts_ms: int = MINUTE_MS) -> None:
        self.calls.call(f"B-{number:03}", "3", lasts_ms)

    def heard(self, to_its_end: bool = True) -> None:
        self.speaker.ended(self.number, to_its_end)
        self.calls.on_time()


def test_calls_sound_one_after_the_other_in_order() -> None:
    hall = Hall()
    for number in (17, 18):
        hall.call(number)
    assert hall.begun == ["B-017 to 3"]
    hall.heard()
    assert hall.begun == ["B-017 to 3", "B-018 to 3"]
    hall.heard(to_its_end=False)  # the voice module failed: no second try
    assert len(hall.begun) == 2


def test_a_visit_is_never_interrupted() -> None:
    hall = Hall()
    hall.free = False
    hall.speaker.say("visit", "read this", lambda _heard: None)
    hall.call(17)
    hall.heard()
    assert hall.begun == ["read this"]
    hall.free = True
    hall.calls.on_time()
    assert hall.begun[1:] == ["B-017 to 3"]


def test_a_visit_that_begins_stops_the_call_which_comes_again_afterwards() -> None:
    hall = Hall()
    hall.call(17)
    hall.call(18)
    hall.free = False
    hall.calls.on_time()
    assert (hall.hushed, hall.speaker.speaking) == (1, False)
    hall.free = True
    hall.calls.on_time()
    hall.heard()
    assert hall.begun == ["B-017 to 3", "B-017 to 3", "B-018 to 3"]


def test_words_that_somebody_waits_for_come_first() -> None:
    hall = Hall()
    hall.call(17)
    hall.speaker.say("help", "an answer", lambda _heard: None)
    hall.calls.on_time()
    assert hall.begun == ["B-017 to 3", "an answer"]
    hall.heard()
    assert hall.begun[2:] == ["B-017 to 3"]


def test_a_call_that_is_too_old_is_not_made() -> None:
    hall = Hall()
    hall.free = False
    hall.call(17, 5_000)
    hall.call(18, MINUTE_MS)
    hall.call(19, -1)
    hall.now_ms = 5_000
    hall.free = True
    hall.calls.on_time()
    assert hall.begun == ["B-018 to 3"]


def test_the_same_ticket_again_is_one_call_and_the_oldest_gives_way_to_too_many() -> None:
    hall = Hall()
    hall.free = False
    for number in (1, 1, *range(WAITING_MAX + 1)):
        hall.call(number)
    hall.free = True
    hall.calls.on_time()
    while hall.speaker.speaking:
        hall.heard()
    assert hall.begun == [f"B-{number:03} to 3" for number in range(1, WAITING_MAX + 1)]


def test_a_call_is_said_under_its_own_name() -> None:
    hall = Hall()
    hall.call(17)
    hall.speaker.forget(SPEAKER)
    assert hall.hushed == 1
