"""Every word a citizen hears: three languages, speakable, and "done" only where it is marked."""

from pathlib import Path

import pytest

from edge_agent.core.help_events import ANSWERED, RECORDED, RINGS, RINGS_UNRECORDED
from edge_agent.core.money import MONEY_FIELDS, number_words, spoken, written
from edge_agent.core.screen import HELP_ANSWERED
from edge_agent.core.speech import SYN6288
from edge_agent.core.texts import (
    DONE_WORDS,
    LANGUAGES,
    Texts,
    TextsError,
    parse_texts,
)
from edge_agent.kiosk.view import HELP_TEXTS

FOLDER = Path(__file__).resolve().parents[2] / "edge_agent" / "texts"
GOOD = '["a.b"]\nzh-CN = "您好"\nyue = "你好"\nen = "Hello"\n'


@pytest.fixture(scope="module")
def texts() -> Texts:
    files = sorted(FOLDER.glob("*.toml"))
    return parse_texts((path.name, path.read_text("utf-8")) for path in files)


def test_every_text_is_there_in_three_languages_and_fits_one_frame(texts: Texts) -> None:
    assert texts.ids()
    for message_id in texts.ids():
        message = texts[message_id]
        fields = {name: 2_050 if name in MONEY_FIELDS else "24" for name in message.fields}
        for language in LANGUAGES:
            text = texts.text(message_id, language, fields)
            assert text
            assert "{" not in text
            if language != "en":
                assert [part.decode("gbk") for part in SYN6288.encode(text)] == [text]


def test_only_the_success_texts_say_that_the_visit_is_done(texts: Texts) -> None:
    told = {name for name in texts.ids() if texts[name].told}
    numbers = {"number.told", "number.told_no_slip", "number.again"}
    fees = {"fee.told", "fee.told_no_slip", "fee.told_voucher", "fee.told_voucher_no_slip"}
    assert told == {"gate.entered", "gate.left", *numbers, *fees}
    assert {name for name in told if texts[name].settles} == fees
    for name in texts.ids():
        for language in ("zh-CN", "yue"):
            said = any(word in texts[name].texts[language] for word in DONE_WORDS)
            assert said == (name in told)


def test_amounts_are_read_and_heard_as_people_say_them(texts: Texts) -> None:
    heard = {2_000: "二十元", 200: "两元", 550: "五元五角", 505: "五元零五分", 0: "零元", 5: "五分"}
    for fen, words in heard.items():
        assert spoken(fen, "zh-CN") == words
    assert [written(fen, "zh-CN") for fen in (2_000, 550)] == ["20元", "5.50元"]
    assert spoken(2_050, "en") == written(2_050, "en") == "20.50 yuan"
    long = {
        10: "十",
        15: "十五",
        110: "一百一十",
        105: "一百零五",
        1_005: "一千零五",
        20_300: "二万零三百",
    }
    for number, words in long.items():
        assert number_words(number) == words
    said = texts.spoken("pay.more", "zh-CN", {"paid": 1_000, "rest": 500, "due": 1_500})
    assert said == "已收十元，还差五元。请继续放入纸币。"
    assert texts.text("pay.more", "yue", {"paid": 1_000, "rest": 500}).startswith(
        "已收10元，仲差5元"
    )


def test_only_the_answer_says_that_an_officer_is_coming(texts: Texts) -> None:
    coming = ("工作人员正在过来", "工作人员过紧嚟", "An officer is coming")
    saying = [
        name
        for name in texts.ids()
        if any(words in text for words in coming for text in texts[name].texts.values())
    ]
    assert saying == [ANSWERED]
    marked = [name for name in texts.ids() if texts[name].answered]
    assert marked == [ANSWERED, HELP_TEXTS[HELP_ANSWERED]]
    for words, language in zip(coming, ("zh-CN", "yue", "en"), strict=True):
        assert words in texts[ANSWERED].texts[language]
    likely = ("马上来", "正在赶来", "已经来", "就来", "会来", "在路上", "on the way", "will come")
    for name in texts.ids():
        assert not [w for w in likely if any(w in t for t in texts[name].texts.values())]


def test_until_somebody_answered_every_word_says_that_nobody_did(texts: Texts) -> None:
    for name in (RINGS, RINGS_UNRECORDED, RECORDED):
        assert "还没有人应答" in texts[name].texts["zh-CN"]
        assert "Nobody has answered yet" in texts[name].texts["en"]
    assert "响" in texts[RINGS].texts["zh-CN"]
    for name in ("help.go", "help.go_or_phone"):
        assert "服务台" in texts[name].texts["zh-CN"]


def test_a_good_file_is_read() -> None:
    assert parse_texts([("a.toml", GOOD)]).text("a.b", "yue", {}) == "你好"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["a.b"]\nzh-CN = "您好"\nyue = "你好"\n', "a.b: en: is missing"),
        (GOOD + 'fr = "Salut"\n', "a.b: fr: unknown key"),
        (GOOD + "told = 1\n", "a.b: told: must be true or false"),
        (GOOD + "told = true\n", "says done is marked"),
        (GOOD + "answered = 1\n", "a.b: answered: must be true or false"),
        (GOOD + "answered = true\n", "says that an officer is coming is marked"),
        (GOOD.replace("Hello", "He is coming"), "en: a text that says that an officer is coming"),
        (GOOD.replace("您好", "正在过来"), "zh-CN: a text that says that an officer is coming"),
        (GOOD.replace("您好", "您已登记"), "says done is marked"),
        (GOOD.replace("您好", "𠮷"), "cannot speak '𠮷'"),
        (GOOD.replace("您好", "第{number}号"), "different fields"),
        (GOOD.replace("您好", "第{号"), "a field is written {name}"),
        (GOOD.replace("您好", "好" * 401), "longer than 400"),
        ("a = 1\n", "is no table"),
        ("[", "not valid TOML"),
    ],
)
def test_a_bad_file_is_refused_with_file_message_and_cure(text: str, words: str) -> None:
    with pytest.raises(TextsError, match=r"bad.toml") as caught:
        parse_texts([("bad.toml", text)])
    assert words in str(caught.value)


def test_a_message_in_two_files_is_refused() -> None:
    with pytest.raises(TextsError, match="another file"):
        parse_texts([("a.toml", GOOD), ("b.toml", GOOD)])
