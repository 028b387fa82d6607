"""No power cut loses, doubles or hides a note; the sweeps that say so can fail."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.sweep import cash_sweep, cli
from simulator.sweep.cash_scripts import SCRIPTS, Script
from simulator.sweep.cash_world import PARTS
from tests.sweep.guards import (
    BY_NAME,
    EXACT,
    journals_lose_nothing,
    moments_of,
    money_balances,
)

ENDS = {
    "exact": "paid",
    "over": "paid_and_voucher",
    "returned": "voucher",
    "rejected": "paid",
    "cassette_full": "voucher",
    "jam": "case",
    "cheated": "case",
    "quick": "paid",
    "bad_line": "paid",
}
LINE_FAULTS = ("wrong_crc", "wrong_crc_stacked", "lost_reply", "lost_ack", "noise", "naks", "busy")
NOTE_FAULTS = ("jam_in_validator", "jam_in_cassette", "cheated", "reject_optic")
MOMENT_MAX = 300


@pytest.mark.parametrize("name", ENDS)
def test_each_story_ends_as_it_should_when_nothing_is_cut(name: str) -> None:
    result = cash_sweep.play(BY_NAME[name], {}, name, "")
    assert (result.outcome, result.violations) == (ENDS[name], [])


def test_every_story_is_told() -> None:
    assert set(ENDS) == {script.name for script in SCRIPTS}


def test_every_kind_of_moment_is_a_cut_point() -> None:
    assert {what for what, _ in moments_of(EXACT)} == {
        "flash write",
        "frame to the acceptor",
        "frame of the acceptor",
        "message to the agent",
        "message to the board",
        "before a commit",
        "after a commit",
    }


def test_money_balances_through_cuts_of_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.cash(every=120, json_=True) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["violations"] == 0
    assert last["cut_points"] > 60
    assert last["outcomes"]["paid"] > 5


def test_money_balances_while_a_note_is_taken() -> None:
    assert money_balances() == []


def test_journals_lose_nothing() -> None:
    assert journals_lose_nothing() == []


def test_a_planted_mistake_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.cash(every=300, plant="credit-before-stack", json_=True) == 1
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["violations"] > 0
    assert "credited that are not in the cassette" in said.err
    assert cli.journal(every=20, plant="erase-before-write") == 1


@pytest.mark.parametrize(("every", "plant"), [(0, ""), (1, "nothing-known")])
def test_wrong_options_name_the_right_ones(
    capsys: pytest.CaptureFixture[str], every: int, plant: str
) -> None:
    assert cli.cash(every=every, plant=plant) == 2
    assert "choose 1 or more" in (text := capsys.readouterr().err) or "credit-before" in text


cuts = st.dictionaries(
    st.integers(1, MOMENT_MAX),
    st.sets(st.sampled_from(PARTS), min_size=1).map(lambda parts: tuple(sorted(parts))),
    max_size=4,
)
faults = st.lists(st.sampled_from(LINE_FAULTS + NOTE_FAULTS), max_size=4, unique=True)
stories = st.builds(
    lambda script, bad, recovery: replace(
        script, faults=tuple(bad), credit_recovery=recovery and script.credit_recovery
    ),
    st.sampled_from(SCRIPTS),
    faults,
    st.booleans(),
)


def check_any(script: Script, at: dict[int, tuple[str, ...]]) -> None:
    assert cash_sweep.play(script, at, "", "").violations == []


@settings(max_examples=25, deadline=None)
@given(stories, cuts)
def test_any_faults_and_any_cuts_leave_the_books_in_balance(
    script: Script, at: dict[int, tuple[str, ...]]
) -> None:
    check_any(script, at)


@pytest.mark.long
@settings(max_examples=3000, deadline=None)
@given(stories, cuts)
def test_many_faults_and_cuts_leave_the_books_in_balance(
    script: Script, at: dict[int, tuple[str, ...]]
) -> None:
    check_any(script, at)
