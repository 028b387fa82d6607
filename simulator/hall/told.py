"""What people understand from what they hear and hold: that it is done, and which number they have.

The words are those of the terminal's texts in its three languages; a number is spoken character by
character and printed as B-017.
"""

import re
from collections.abc import Iterable

DONE_WORDS = (
    *("已登记", "已取号", "已缴费", "没有缴成"),
    *("yuan paid.", "The fee was not paid."),
    *("You are registered", "leaving is registered", "Your number is", "You have a number"),
)
TAKE_CARD_WORDS = ("取回", "take your card", "take it and", "take the card")
"""Every visit ends with these. "Go to the service desk" alone may be about a call for help."""
OFFICER_WORDS = ("请工作人员放上", "请工作人员重新放上", "officer puts", "officer please put")

_NUMERALS = "零一二三四五六七八九"
_PRINTED = re.compile(r"\b([A-Z])-(\d{3,5})\b")
_SPOKEN = re.compile(rf"\b([A-Z]) ((?:[{_NUMERALS}]){{3,5}}|\d(?: \d){{2,4}})")


def is_done(texts: Iterable[str]) -> bool:
    """Somebody heard that it is done."""
    return any(words in text for words in DONE_WORDS for text in texts)


def is_over(texts: Iterable[str]) -> bool:
    """Nothing more will come: the card is given back."""
    return any(words in text for words in TAKE_CARD_WORDS for text in texts)


def asks_officer(text: str) -> bool:
    """The next card shall be an officer's, for the person whose card was read before."""
    return any(words in text for words in OFFICER_WORDS)


def number_in(texts: Iterable[str]) -> str:
    """The first ticket number that was spoken or printed, as B-017; "" when there is none."""
    for text in texts:
        if printed := _PRINTED.search(text):
            return f"{printed[1]}-{printed[2]}"
        if spoken := _SPOKEN.search(text):
            digits = (str(_NUMERALS.find(c)) if c in _NUMERALS else c for c in spoken[2])
            return f"{spoken[1]}-{''.join(digits).replace(' ', '')}"
    return ""
