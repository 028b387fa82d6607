"""Every word a citizen hears or reads, by message id, in three languages.

A texts file is TOML, one table a message:

    ["gate.entered"]
    told = true                     # says that the visit is done: may only follow a record
    zh-CN = "您已登记，请进。"
    yue = "您已登记，请入。"
    en = "You are registered. Please come in."

`{name}` is filled from the visit. zh-CN is the source. What says "done" carries one of DONE_WORDS
and is marked `told`; nothing else carries them, so that a validator, not a reviewer, keeps a yes
behind its record. What says that an officer is coming carries one of ANSWERED_WORDS and is marked
`answered`; nothing else carries them, and no definition may use it: only an answer to a call for
help says or shows it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge_agent.core import money

MARKS = ("told", "answered")
LANGUAGES = ("zh-CN", "yue", "en")
SPOKEN_IN_CHINESE = ("zh-CN", "yue")
SETTLED_WORD = "已缴费"
DONE_WORDS = ("已登记", "已取号", SETTLED_WORD)
TEXT_CHARACTERS_MAX = 400
ANSWERED_WORDS = {
    "zh-CN": ("正在过来", "已应答", "正在赶来", "马上来", "马上就来", "在路上"),
    "yue": ("过紧嚟", "已经应咗", "即刻嚟", "嚟紧", "正在过来", "在路上"),
    "en": ("is coming", "officer has answered", "on the way", "will come"),
}
SPELLED_FIELDS = ("phone", "ticket", "voucher")
"""Fields that are spoken character by character."""

_FIELD = re.compile(r"\{([a-z_]+)\}")
_BRACES = re.compile(r"[{}]")
_NUMERALS = "零一二三四五六七八九"


class TextsError(Exception):
    """A texts file cannot be used; the text names file, message, key and cure."""


@dataclass(frozen=True)
class Message:
    """One message: language -> text, whether it says "done", whether it says that an officer is
    coming, the fields it fills in."""

    texts: Mapping[str, str]
    told: bool
    answered: bool
    fields: frozenset[str]

    @property
    def settles(self) -> bool:
        """Whether it says that a payment is settled."""
        return SETTLED_WORD in self.texts["zh-CN"]


class Texts:
    """All messages of a terminal."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        self._messages = dict(messages)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    def __getitem__(self, message_id: str) -> Message:
        return self._messages[message_id]

    def ids(self) -> list[str]:
        """All message ids, sorted."""
        return sorted(self._messages)

    def text(self, message_id: str, language: str, fields: Mapping[str, str | int]) -> str:
        """The text with its fields filled in. `language` is one of LANGUAGES."""
        source = self._messages[message_id].texts[language]
        fields = {**fields, **money.amounts(fields, money.written, language)}
        return _FIELD.sub(lambda match: str(fields[match[1]]), source)

    def spoken(self, message_id: str, language: str, fields: Mapping[str, str | int]) -> str:
        """The text as the voice says it: a ticket's number is spelled, amounts are words."""
        spelled = {
            name: spell(str(fields[name]), language) for name in SPELLED_FIELDS if name in fields
        }
        said = money.amounts(fields, money.spoken, language)
        source = self._messages[message_id].texts[language]
        filled = {**fields, **spelled, **said}
        return _FIELD.sub(lambda match: str(filled[match[1]]), source)


def parse_texts(files: Iterable[tuple[str, str]]) -> Texts:
    """Messages of all files (name, TOML text). Raises TextsError."""
    messages: dict[str, Message] = {}
    for name, text in files:
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise TextsError(f"{name}: not valid TOML: {error}. Correct that line.") from error
        for message_id, table in tree.items():
            if message_id in messages:
                raise TextsError(f"{name}: {message_id}: is in another file too. Rename one.")
            messages[message_id] = _message(f"{name}: {message_id}", table)
    return Texts(messages)


def _message(where: str, table: object) -> Message:
    if not isinstance(table, dict):
        raise TextsError(f'{where}: is no table. Write ["id"] above its languages.')
    unknown = set(table) - {*LANGUAGES, *MARKS}
    if unknown:
        known = ", ".join((*LANGUAGES, *MARKS))
        raise TextsError(f"{where}: {min(unknown)}: unknown key. Use {known}.")
    told, answered = (_mark(where, table, name) for name in MARKS)
    for language in LANGUAGES:
        _check_text(f"{where}: {language}", table.get(language), language)
    fields = {language: frozenset(_FIELD.findall(table[language])) for language in LANGUAGES}
    if len(set(fields.values())) > 1:
        raise TextsError(f"{where}: the languages fill in different fields. Use the same in each.")
    for language in SPOKEN_IN_CHINESE:
        if any(word in table[language] for word in DONE_WORDS) != told:
            raise TextsError(
                f"{where}: {language}: a text that says done is marked told = true and has one of "
                f"{', '.join(DONE_WORDS)}; no other has it. Change the text or the mark."
            )
    for language, words in ANSWERED_WORDS.items():
        if any(word in table[language] for word in words) != answered:
            raise TextsError(
                f"{where}: {language}: a text that says that an officer is coming is marked "
                f"answered = true and has one of {', '.join(words)}; no other has it. Change the "
                "text or the mark."
            )
    return Message({name: table[name] for name in LANGUAGES}, told, answered, fields["zh-CN"])


def _mark(where: str, table: Mapping[str, object], name: str) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise TextsError(f"{where}: {name}: must be true or false.")
    return value


def _check_text(where: str, text: object, language: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise TextsError(f"{where}: is missing. Every message has {', '.join(LANGUAGES)}.")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise TextsError(f"{where}: longer than {TEXT_CHARACTERS_MAX} characters. Split it.")
    if _BRACES.search(_FIELD.sub("", text)):
        raise TextsError(f"{where}: a field is written {{name}}, in small letters.")
    if language in SPOKEN_IN_CHINESE:
        try:
            text.encode("gbk")
        except UnicodeEncodeError as error:
            bad = text[error.start]
            raise TextsError(
                f"{where}: the voice module cannot speak {bad!r} (not in GBK). Use another word."
            ) from error


def spell(value: str, language: str) -> str:
    """B-017 as people understand it: `B 零一七`, in English `B 0 1 7`."""
    letters = " ".join(c for c in value if c.isalpha())
    digits = [c for c in value if c.isdecimal()]
    if language in SPOKEN_IN_CHINESE:
        return f"{letters} {''.join(_NUMERALS[int(c)] for c in digits)}".strip()
    return " ".join([letters, *digits]).strip()
