"""Text of a SYN6288 speak frame: character sets and the control tags inside it.

Tags are half-width, in square brackets. Settings stay until reset. `[d]`, `[v]` and `[m]` are
obeyed only before the first character of a frame. What looks like a tag and is none is read aloud.
Source: SYN6288 datasheet V1.7.
"""

import re
from dataclasses import dataclass, field, replace

ENCODINGS = {0: "gb2312", 1: "gbk", 2: "big5", 3: "utf-16-be"}
CHIME = re.compile(r"sound[a-s]|ring[a-w]")
_TAG = re.compile(r"\[(?:([vmtnyxbo])(\d{1,2})|([dr23]))\]")
_HIGHEST = {"v": 16, "m": 16, "t": 5, "n": 2, "y": 1, "x": 1, "b": 1, "o": 1}
_START_ONLY = {"v", "m", "d"}


@dataclass(frozen=True)
class Settings:
    """What tags set; the defaults are those after reset."""

    volume: int = 10
    music_volume: int = 4
    speed: int = 4
    digits: int = 0
    one: int = 0
    chimes: int = 1
    punctuation: int = 0
    style: int = 0


_NAMES = {
    "v": "volume",
    "m": "music_volume",
    "t": "speed",
    "n": "digits",
    "y": "one",
    "x": "chimes",
    "b": "punctuation",
    "o": "style",
}


@dataclass
class Spoken:
    """A frame's text without its tags, and the settings that hold from its end on."""

    text: str
    settings: Settings
    chimes: list[str] = field(default_factory=list)
    ignored_tags: list[str] = field(default_factory=list)


def read_tags(text: str, settings: Settings) -> Spoken:
    """Take the tags out of `text` and obey them."""
    spoken = Spoken("", settings)
    position = 0
    for match in _TAG.finditer(text):
        spoken.text += text[position : match.start()]
        position = match.end()
        name, digits = match[1] or match[3], match[2]
        if digits is not None and int(digits) > _HIGHEST[name]:
            spoken.text += match[0]
        elif name in _START_ONLY and spoken.text:
            spoken.ignored_tags.append(match[0])
        elif name == "d":
            spoken.settings = Settings()
        elif digits is not None:
            spoken.settings = replace(spoken.settings, **{_NAMES[name]: int(digits)})
    spoken.text += text[position:]
    if spoken.settings.chimes:
        spoken.chimes = CHIME.findall(spoken.text)
        spoken.text = CHIME.sub("", spoken.text)
    return spoken
