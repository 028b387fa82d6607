"""What the text of a slip's code is worth, by the keys of a unit's terminals. No I/O.

| text is | verdict |
| --- | --- |
| no whole text of a slip | `unreadable`: scan it again |
| of a terminal that the keys lack | `unknown_terminal`: of another unit, forged, or old keys |
| not signed by that terminal | `forged` |
| of another unit than the terminal stands in | `wrong_unit` |
| all of it right | `genuine` |
"""

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

from protocol.errors import Reason, SlipProofError
from protocol.slip_keys import SlipKeys
from protocol.slip_proof import SLIP_CHARACTERS_MAX, SlipProof, claimed_terminal, open_slip

TYPED_CHARACTERS_MAX = 4 * SLIP_CHARACTERS_MAX
_SPACE = re.compile(r"\s+")
_TYPED = str.maketrans({"、": "/", "–": "-", "—": "-"})


class Word(StrEnum):
    """A verdict in one word."""

    GENUINE = "genuine"
    UNREADABLE = "unreadable"
    UNKNOWN_TERMINAL = "unknown_terminal"
    FORGED = "forged"
    WRONG_UNIT = "wrong_unit"


SENTENCES = {
    Word.GENUINE: "Genuine: this terminal printed this slip.",
    Word.UNREADABLE: "Not the whole text of a slip. Scan the code again.",
    Word.UNKNOWN_TERMINAL: "Not known: the keys have no such terminal. If it is new, "
    "have the centre write the keys again: tongban server slip-keys.",
    Word.FORGED: "Not genuine: the terminal did not sign this.",
    Word.WRONG_UNIT: "Not genuine: the terminal does not stand in the hall that the slip names.",
}


class Verdict(NamedTuple):
    """`proof`: what the slip says, only when it is genuine."""

    word: Word
    proof: SlipProof | None = None


def normalise(text: str) -> str:
    """What was meant by what was typed: full-width characters, small letters, spaces, line ends."""
    plain = unicodedata.normalize("NFKC", text[:TYPED_CHARACTERS_MAX]).translate(_TYPED)
    return _SPACE.sub("", plain).upper()


def judge(text: str, keys: SlipKeys) -> Verdict:
    """What `text`, as scanned or typed, is worth."""
    slip = normalise(text)
    try:
        terminal = keys.terminals.get(claimed_terminal(slip))
        if terminal is None:
            return Verdict(Word.UNKNOWN_TERMINAL)
        proof = open_slip(slip, terminal.key)
    except SlipProofError as error:
        forged = error.reason is Reason.BAD_SIGNATURE
        return Verdict(Word.FORGED if forged else Word.UNREADABLE)
    if proof.unit != terminal.unit:
        return Verdict(Word.WRONG_UNIT)
    return Verdict(Word.GENUINE, proof)
