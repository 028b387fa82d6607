"""Words of the demo: every fault has them, and people understand what terminals say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_agent
from edge_agent.catalogue import load_texts
from edge_agent.core.texts import LANGUAGES, spell
from simulator.hall.told import asks_officer, is_done, is_over, number_in
from simulator.play.faults import DEVICES, FAULTS
from tests.play.play_tools import Scene

TEXTS = load_texts([Path(edge_agent.__file__).parent / "texts"])
NUMBERS = st.builds("{}-{:03}".format, st.sampled_from("ABCDEFGHJKLMNP"), st.integers(1, 99_999))


def said(message: str, language: str) -> str:
    return TEXTS.spoken(message, language, {})


def test_every_fault_of_every_device_is_on_the_page_in_words() -> None:
    devices = Scene().place.devices()
    assert set(devices) == set(DEVICES) == set(FAULTS)
    for name, device in devices.items():
        assert set(FAULTS[name]) == set(device.FAULTS), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_understand_exactly_what_says_that_it_is_done(language: str) -> None:
    fields = {"ticket": "B-017"}
    for message in TEXTS.ids():
        known = TEXTS[message]
        if known.fields - set(fields):
            continue
        heard = TEXTS.spoken(message, language, fields)
        assert is_done([heard]) == known.told, f"{message}: {heard}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_know_when_an_officer_is_asked_for(language: str) -> None:
    asking = {m for m in TEXTS.ids() if not TEXTS[m].fields and asks_officer(said(m, language))}
    assert asking == {"number.officer_card", "number.officer_again"}


@pytest.mark.parametrize("message", ["help.rings", "help.recorded", "help.go"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_for_help_ends_nobodys_visit(message: str, language: str) -> None:
    assert not is_over([said(message, language)])


def test_every_end_of_a_visit_gives_the_card_back_in_words() -> None:
    for message in ("card.take", "card.expired", "gate.not_opened", "terminal.sorry"):
        for language in ("zh-CN", "yue", "en"):
            assert is_over([said(message, language)]), f"{message} {language}"


@given(NUMBERS, st.sampled_from(LANGUAGES))
def test_a_spoken_number_is_the_printed_one(number: str, language: str) -> None:
    heard = TEXTS.spoken("number.told", language, {"ticket": number})
    assert number_in([heard]) == number
    assert number_in([f"号码 {number}"]) == number
    assert number_in(["请取回您的身份证。", spell(number, language)]) == number


def test_no_number_is_heard_where_none_was_said() -> None:
    assert number_in(["您已登记，请进。", "2026-11-27 09:14", "终端 gate-1"]) == ""
