"""Promise 9's first half: one number a person, matter and day, and no number twice, whatever."""

import asyncio
import datetime
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import checks, tickets
from edge_agent.outbox import OutboxFailedError, SetPassage, TakeTicket
from protocol.fields import TICKET_NUMBER_PATTERN
from protocol.records import Person
from protocol.status_list import CODE_BLOCKED, CODE_OFFICER, Scrypt, StatusList
from tests.agent import ticket_guards as guards
from tests.agent.flow_tools import HOLDER
from tests.agent.outbox_guards import open_outbox

DAY, NEXT_DAY = "2026-11-27", "2026-11-28"
WHO, OTHER = b"w" * 12, b"o" * 12


def take(outbox, number: int, who: bytes = WHO, day: str = DAY, matter: str = "social") -> None:
    intent = f"{day}{number}{who[:1].decode()}{matter}".encode()[:16].ljust(16, b".")
    outbox.append(intent, (), [TakeTicket(day, who, matter, number)]).result(10)


def test_a_number_is_the_letter_and_three_digits_or_more() -> None:
    assert [tickets.number_of("B", n) for n in (1, 17, 1000)] == ["B-001", "B-017", "B-1000"]
    assert [tickets.counter_of(n) for n in ("B-001", "CD-017", "B-99999")] == [1, 17, 99_999]
    assert all(re.fullmatch(TICKET_NUMBER_PATTERN, n) for n in ("B-001", "CD-017", "B-99999"))
    last = tickets.today("B", DAY, own=0, last=tickets.NUMBERS_A_DAY_MAX - 1, closed=False)
    assert last[1]["ticket"] == "B-99999"
    full = tickets.today("B", DAY, own=0, last=tickets.NUMBERS_A_DAY_MAX, closed=False)
    assert full == ("full", {})


def test_the_database_refuses_a_second_number_and_a_number_twice(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.db")
    take(outbox, 1)
    for number, who, matter in ((2, WHO, "social"), (1, OTHER, "social"), (1, OTHER, "civil")):
        with pytest.raises(OutboxFailedError):
            take(outbox, number, who, matter=matter)
    take(outbox, 2, WHO, matter="civil")
    take(outbox, 3, OTHER)
    assert outbox.ticket_day(DAY, WHO, "social") == (1, 3, False)
    assert outbox.ticket_day(DAY, OTHER, "civil") == (0, 3, False)
    outbox.close()


@pytest.mark.parametrize("closing", ["ticket", "passage"])
def test_index_and_salt_of_a_day_that_is_over_are_deleted_and_its_numbers_never_come_again(
    tmp_path: Path, closing: str
) -> None:
    path = tmp_path / "outbox.db"
    outbox = open_outbox(path)
    salt = outbox.day_salt(DAY)
    take(outbox, 1)
    if closing == "ticket":
        take(outbox, 1, OTHER, NEXT_DAY)
    else:
        outbox.append(b"p" * 16, (), [SetPassage(NEXT_DAY, OTHER, "entry")]).result(10)
    assert outbox.ticket_day(DAY, WHO, "social") == (0, 1, True)
    with pytest.raises(OutboxFailedError, match="taken, or that day's index is deleted"):
        take(outbox, 2, OTHER)
    assert outbox.day_salt(DAY) != salt
    outbox.close()
    assert WHO not in b"".join(file.read_bytes() for file in tmp_path.iterdir() if file == path)


def test_a_clock_that_goes_back_over_midnight_sends_people_to_the_desk(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.db")

    async def night() -> list[object]:
        desk = guards.Desk(outbox)
        answers = []
        for day, who in ((0, 1), (1, 2), (0, 1), (0, 3), (1, 2), (2, 3)):
            desk.wall_ms = guards.noon(day)
            answers.append(await desk.visit(guards.person(who), "social"))
        return answers

    answers = asyncio.run(night())
    outbox.close()
    shown = [a if isinstance(a, str) else a[3] for a in answers]
    assert shown == ["B-001", "B-001", "unknown", "unknown", "B-001", "B-001"]


def test_restarts_and_midnight_lose_and_double_nothing(tmp_path: Path) -> None:
    assert guards.restart_violations(tmp_path) == []


MOVE = st.tuples(
    st.sampled_from(["visit"] * 5 + ["restart"]),
    st.integers(0, 3),
    st.integers(1, 4),
    st.sampled_from(["social", "civil"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(MOVE, min_size=1, max_size=25))
def test_whatever_the_clock_does_no_number_and_no_person_comes_twice(
    moves: list[guards.Move],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert guards.moves_violations(Path(folder), moves) == []


def test_a_power_cut_costs_no_number_and_doubles_none(tmp_path: Path) -> None:
    assert guards.power_cut_violations(tmp_path, each=3) == []


@pytest.mark.long
def test_a_power_cut_at_any_operation_costs_no_number_and_doubles_none(tmp_path: Path) -> None:
    assert guards.power_cut_violations(tmp_path) == []


def test_a_disk_that_fails_once_costs_no_number_and_doubles_none(tmp_path: Path) -> None:
    assert guards.failing_disk_violations(tmp_path, each=3) == []


def test_a_number_is_told_only_when_it_is_durable(tmp_path: Path) -> None:
    assert guards.told_violations(tmp_path) == []


# ---- who is eligible


@pytest.mark.parametrize("document", ["C", "J", "I"])
@pytest.mark.parametrize(
    ("birth", "outcome"),
    [
        (datetime.date(1966, 11, 27), "old_enough"),
        (datetime.date(1966, 11, 28), "younger"),
        (datetime.date(1966, 1, 31), "old_enough"),
        (datetime.date(2026, 11, 28), "unknown"),
    ],
)
def test_sixty_counts_from_the_birthday_on_for_every_document(
    document: str, birth: datetime.date, outcome: str
) -> None:
    person = Person(document, HOLDER.person.number, "样例甲")
    holder = HOLDER._replace(person=person, birth=birth)
    found, facts = checks.age(holder, datetime.date(2026, 11, 27), 60)
    assert found == outcome
    assert facts == ({"ground": "age"} if outcome == "old_enough" else {})


NOW_MS = guards.noon(0)


def a_list(code: int, expires_ms: int = NOW_MS + 1) -> StatusList:
    scrypt = Scrypt(bytes(16), log2_n=4)
    digest = scrypt.digest(HOLDER.person.document, HOLDER.person.number)
    return StatusList(5, NOW_MS - 1, expires_ms, scrypt, {digest: code} if code else {})


@pytest.mark.parametrize(
    ("status_list", "outcome"),
    [
        (a_list(CODE_OFFICER), "agreed"),
        (a_list(CODE_BLOCKED), "not_officer"),
        (a_list(0), "not_officer"),
        (a_list(CODE_OFFICER, NOW_MS), "not_officer"),
        (None, "not_officer"),
    ],
)
def test_only_the_signed_list_in_force_says_who_is_an_officer(
    status_list: StatusList | None, outcome: str
) -> None:
    day = guards.FIRST_DAY
    assert checks.officer(HOLDER, status_list, NOW_MS, day) == (outcome, {})
    expired = HOLDER._replace(valid_to=day - datetime.timedelta(1))
    assert checks.officer(expired, status_list, NOW_MS, day)[0] == "not_officer"


def test_an_officer_passes_the_gate_like_anybody() -> None:
    outcome, facts = checks.status(HOLDER, a_list(CODE_OFFICER), NOW_MS, 3_600_000)
    assert (outcome, facts["status"], facts["status_code"]) == ("clear", "clear", 0)
