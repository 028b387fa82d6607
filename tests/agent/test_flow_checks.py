"""What a visit is checked for, and who may speak when."""

import datetime
import itertools

import pytest

from edge_agent.core import checks
from edge_agent.core.flow_records import business_date, clock_time
from edge_agent.core.speaker import WAITING_MAX, Speaker
from protocol.status_list import Scrypt, StatusList
from tests.agent.flow_tools import HOLDER

HOUR_MS = 3_600_000
NOW_MS = 1_790_000_000_000
DAY = datetime.date(2026, 11, 24)


def status_list(listed: bool, issued_ms: int, expires_ms: int = NOW_MS + HOUR_MS) -> StatusList:
    scrypt = Scrypt(bytes(16), log2_n=4)
    digest = scrypt.digest(HOLDER.person.document, HOLDER.person.number)
    return StatusList(5, issued_ms, expires_ms, scrypt, {digest: 1} if listed else {})


def test_a_card_for_life_never_expires() -> None:
    assert checks.card_valid(HOLDER, datetime.date(2099, 1, 1)) == ("valid", {})


@pytest.mark.parametrize(
    ("valid_to", "outcome"),
    [(DAY, "valid"), (DAY - datetime.timedelta(1), "expired")],
)
def test_the_last_day_of_a_card_counts(valid_to: datetime.date, outcome: str) -> None:
    assert checks.card_valid(HOLDER._replace(valid_to=valid_to), DAY) == (outcome, {})


def test_a_card_not_in_force_yet_or_with_a_wrong_number_is_invalid() -> None:
    early = HOLDER._replace(valid_from=DAY + datetime.timedelta(1))
    assert checks.card_valid(early, DAY)[0] == "invalid"
    person = type(HOLDER.person)("C", "441900190001010028", "样例甲")
    assert checks.card_valid(HOLDER._replace(person=person), DAY)[0] == "invalid"


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (None, "unknown", 0),
        (status_list(False, NOW_MS - HOUR_MS), "clear", 0),
        (status_list(True, NOW_MS - HOUR_MS), "listed", 1),
        (status_list(False, NOW_MS - 4 * HOUR_MS), "too_old", 0),
        (status_list(True, NOW_MS - 4 * HOUR_MS), "listed", 1),
        (status_list(False, NOW_MS - HOUR_MS, NOW_MS), "too_old", 0),
        (status_list(False, NOW_MS + 9 * HOUR_MS), "clear", 0),
    ],
)
def test_the_cached_list_is_judged_with_its_age(
    status: StatusList | None, outcome: str, code: int
) -> None:
    found, facts = checks.status(HOLDER, status, NOW_MS, 3 * HOUR_MS)
    version = 0 if status is None else 5
    assert found == outcome
    assert facts == {"status": outcome, "status_code": code, "list_version": version}


@pytest.mark.parametrize(
    ("configured", "last", "way"),
    [
        ("entry", "entry", "entry"),
        ("exit", None, "exit"),
        ("both", None, "entry"),
        ("both", "entry", "exit"),
        ("both", "exit", "entry"),
    ],
)
def test_who_is_inside_leaves_and_who_is_not_enters(
    configured: str, last: str | None, way: str
) -> None:
    assert checks.direction(configured, last) == (way, {"direction": way})


def test_dates_are_those_of_shanghai() -> None:
    late = int(datetime.datetime(2026, 11, 24, 16, 30, tzinfo=datetime.UTC).timestamp() * 1000)
    assert business_date(late) == datetime.date(2026, 11, 25)
    assert clock_time(late) == "00:30"


class Desk:
    """A speaker with its module: what sounds, and what the speakers were told."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, str]] = []
        self.ended: list[tuple[str, bool]] = []
        self.hushed = 0
        self.speaker = Speaker(lambda number, words: self.begun.append((number, words)), self.hush)

    def hush(self) -> None:
        self.hushed += 1

    def say(self, speaker: str, text: str) -> bool:
        note = f"{speaker}:{text}"
        return self.speaker.say(speaker, text, lambda heard: self.ended.append((note, heard)))

    def finish(self) -> None:
        self.speaker.ended(self.begun[-1][0], True)


def test_help_is_heard_to_its_end_before_the_visit_goes_on_and_back() -> None:
    desk = Desk()
    desk.say("visit", "a")
    desk.say("help", "h")
    assert [words for _, words in desk.begun] == ["a"]
    desk.finish()
    desk.say("visit", "b")
    assert [words for _, words in desk.begun] == ["a", "h"]
    desk.finish()
    desk.finish()
    assert [words for _, words in desk.begun] == ["a", "h", "b"]
    assert [note for note, _ in desk.ended] == ["visit:a", "help:h", "visit:b"]


def test_a_visit_that_goes_on_and_on_does_not_silence_help() -> None:
    desk = Desk()
    desk.speaker.say("visit", "a", lambda _heard: desk.say("visit", "b"))
    desk.say("help", "h")
    for _ in range(3):
        desk.finish()
    assert [words for _, words in desk.begun] == ["a", "h", "b"]
    assert [note for note, _ in desk.ended] == ["help:h", "visit:b"]


def test_a_new_utterance_of_a_visit_replaces_its_older_one() -> None:
    desk = Desk()
    desk.say("visit", "a")
    desk.say("visit", "b")
    desk.speaker.ended(1, False)  # the interrupted one: nobody waits for it any more
    assert desk.ended == []
    desk.finish()
    assert desk.ended == [("visit:b", True)]


def test_what_nobody_needs_is_hushed_and_the_next_speaks() -> None:
    desk = Desk()
    desk.say("visit", "a")
    desk.say("help", "h")
    desk.speaker.forget("visit")
    assert desk.hushed == 1
    assert desk.begun[-1][1] == "h"
    desk.finish()
    assert desk.ended == [("help:h", True)]


def test_waiting_utterances_are_bounded() -> None:
    desk = Desk()
    said = [desk.say(f"s{number}", "x") for number in itertools.islice(itertools.count(), 10)]
    assert said == [True] * (1 + WAITING_MAX) + [False] * (9 - WAITING_MAX)
