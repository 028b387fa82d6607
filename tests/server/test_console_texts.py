"""The console's words: every language has the same ones, and every page finds its own."""

import re
import string
from pathlib import Path

import pytest

from protocol.records import KINDS
from protocol.wire import states
from sync_server import accounts, console, help_desk, overview
from sync_server.console.fleet_table import SORTS
from sync_server.console.texts import LANGUAGES, SOURCE, texts
from sync_server.core import ledger, queue
from sync_server.core.codes import IntakeCode

HERE = Path(console.__file__).resolve().parent
WRITTEN = [*HERE.rglob("*.html"), *HERE.rglob("*.py")]
KEY = re.compile(r"""["']([a-z_]+(?:\.[a-z_0-9]+)+)["']""")
FAMILY = re.compile(r'\bt(?:\.of)?\(\s*[\'"]([a-z_.]+?)\.?[\'"]\s*[,+]')
IN_CODE = ("account_problem", "terminal_alarm", "refused", "nav", "desk", "calls", "cash_problem")
"""Families whose keys are put together in Python."""
OUTCOMES = sorted({outcome for each in ledger.OUTCOMES.values() for outcome in each})


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != SOURCE])
def test_languages_have_the_same_texts_with_the_same_places(language: str) -> None:
    source, other = texts(SOURCE), texts(language)
    assert source.keys() ^ other.keys() == set()
    wrong = [k for k in source.keys() if places(source(k)) != places(other(k))]  # noqa: SIM118
    assert wrong == []
    assert [k for k in other.keys() if not other(k).strip()] == []  # noqa: SIM118


def test_chinese_texts_are_chinese_and_english_ones_english() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    zh, en = texts(SOURCE), texts("en")
    assert {key for key in zh.keys() if not chinese.search(zh(key))} == {"none", "comma"}  # noqa: SIM118
    assert [key for key in en.keys() if chinese.search(en(key))] == []  # noqa: SIM118


def used() -> set[str]:
    """Keys written out, and families whose last word comes from data."""
    found: set[str] = set()
    for path in WRITTEN:
        text = path.read_text("utf-8")
        found |= set(KEY.findall(text)) | set(FAMILY.findall(text)) | {"brand", "none", "comma"}
    return found | set(IN_CODE)


def test_every_text_is_used_somewhere() -> None:
    names = used()
    families = {name + "." for name in names}
    unused = [
        key
        for key in texts(SOURCE).keys()  # noqa: SIM118
        if key not in names and not any(key.startswith(family) for family in families)
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("family", "codes"),
    [
        ("kind", [info.name for info in KINDS.values()]),
        ("device", states.DEVICE_NAMES[1:]),
        ("terminal_state", overview.RANKS),
        ("attention_todo", overview.RANKS),
        ("ticket_state", queue.STATES),
        ("role", accounts.ROLES),
        ("sort", SORTS),
        ("help_state", [help_desk.OPEN, help_desk.ANSWERING, help_desk.ANSWERED, help_desk.MISSED]),
        (
            "intake",
            [c.name.lower() for c in IntakeCode if c >= IntakeCode.GAP_REWOUND],
        ),
        (
            "audit_what",
            [
                *("ticket." + a for a in (queue.CALL, queue.MARK_NO_SHOW, queue.MARK_DONE)),
                "help.answered",
                "conflict.decided",
                "alarm.acknowledged",
                "voucher.settled",
                "cash_case.closed",
                "cassette.counted",
                "login.done",
                "account.added",
            ],
        ),
        ("cash_outcome", [*OUTCOMES, ledger.CAME]),
        ("cash_books", OUTCOMES),
        ("cash_tab", ["cash", "vouchers", "cases", "cassettes"]),
        (
            "cash_problem",
            [
                "settled",
                "closed",
                "no_voucher",
                "several",
                "counted",
                "amount",
                "slip_unknown",
                "slip_forged",
                "slip_other",
                "outcome",
                "note",
            ],
        ),
        (
            "officer_action",
            ["ticket." + a for a in (queue.CALL, queue.MARK_NO_SHOW, queue.MARK_DONE)],
        ),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_that_a_page_can_meet_has_a_text(language: str, family: str, codes) -> None:
    words = texts(language)
    assert [code for code in codes if not words.has(f"{family}.{code}")] == []


def test_a_code_of_a_newer_part_is_shown_as_it_is() -> None:
    assert texts(SOURCE).of("kind", "brand.new") == "brand.new"


def test_no_chinese_stands_in_templates_or_code() -> None:
    """But for the mark of the brand, and the name of the language."""
    allowed = {"通", "中文"}
    for path in WRITTEN:
        found = set(re.findall(r"[\u4e00-\u9fff]+", path.read_text("utf-8")))
        assert found <= allowed, path
