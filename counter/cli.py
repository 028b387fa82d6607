"""`tongban slip ...`: check slips at a counter. Verdicts on stdout, the rest on stderr.

Exit codes: 0 genuine, or the page is written; 1 not genuine; 2 it could not be checked, and the
sentence on stderr says what to do.
"""

import datetime
import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from counter.images import ImageError, read_codes
from counter.page import build_page
from counter.verdict import SENTENCES, Verdict, Word, judge
from protocol.errors import SlipKeysError
from protocol.slip_keys import SLIP_KEYS_BYTES_MAX, SlipKeys, open_slip_keys
from protocol.slip_proof import SLIP_WORD

EXIT_GENUINE, EXIT_NOT_GENUINE, EXIT_NOT_CHECKED = 0, 1, 2

app = App(name="slip", help="At a counter: is a slip genuine? Needs no network.")

Keys = Annotated[Path, Parameter(help="The file that `tongban server slip-keys` wrote.")]
Centre = Annotated[
    str, Parameter(help="Take keys of this centre only: the fingerprint it says, 16 hex digits.")
]


class UsageError(Exception):
    """What was typed cannot be done; the text says what can."""


def _read_keys(path: Path, centre: str) -> SlipKeys:
    try:
        with path.open("rb") as file:
            return open_slip_keys(file.read(SLIP_KEYS_BYTES_MAX + 1), centre)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: no such file. Have the centre write it: tongban server slip-keys"
        ) from error


@app.command
def verify(
    text: str = "",
    *,
    keys: Keys,
    image: Path | None = None,
    centre: Centre = "",
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Say whether a slip is genuine: the exit code is 0 when it is, 1 when not.

    Parameters
    ----------
    text
        What a scanner reads from the slip's code.
    image
        A picture of the slip instead.
    as_json
        One JSON object on stdout.
    """
    try:
        if bool(text) == (image is not None):
            raise UsageError("give the text of the code, or --image FILE")
        known = _read_keys(keys, centre)
        verdict = judge(text if image is None else _slip_in(image), known)
    except (UsageError, ImageError, SlipKeysError, OSError) as error:
        print(f"tongban slip: {error}", file=sys.stderr)
        return EXIT_NOT_CHECKED
    if as_json:
        print(json.dumps(_facts(verdict, known), ensure_ascii=False))
    else:
        _say(verdict)
    return EXIT_GENUINE if verdict.word is Word.GENUINE else EXIT_NOT_GENUINE


@app.command
def page(*, keys: Keys, out: Path, centre: Centre = "") -> int:
    """Write the page that a counter opens in its browser and scans slips into.

    Parameters
    ----------
    out
        The HTML file to write, for example verify.html; it needs nothing else.
    """
    try:
        known = _read_keys(keys, centre)
        out.write_text(build_page(known), "utf-8")
    except (UsageError, SlipKeysError, OSError) as error:
        print(f"tongban slip: {error}", file=sys.stderr)
        return EXIT_NOT_CHECKED
    print(
        f"{out}: keys of {len(known.terminals)} terminals, of the centre {known.fingerprint}. "
        "Compare that once with what the centre says, then open the file in a browser.",
        file=sys.stderr,
    )
    return EXIT_GENUINE


def _slip_in(image: Path) -> str:
    """The text of a slip among the codes of a picture, else of the first code."""
    codes = read_codes(image)
    return next((code for code in codes if code.startswith(f"{SLIP_WORD}/")), codes[0])


def _facts(verdict: Verdict, keys: SlipKeys) -> dict[str, object]:
    said = verdict.proof._asdict() if verdict.proof is not None else {}
    if verdict.proof is not None:
        said["day"] = verdict.proof.day.isoformat()
    return {
        "genuine": verdict.word is Word.GENUINE,
        "verdict": verdict.word.value,
        **said,
        "keys_issued": _date(keys.issued_ms),
        "centre": keys.fingerprint,
    }


def _say(verdict: Verdict) -> None:
    print(SENTENCES[verdict.word])
    if verdict.proof is not None:
        proof = verdict.proof
        print(f"{proof.number}  {proof.day}  {proof.terminal}  {proof.unit}  {proof.service}")


def _date(at_ms: int) -> str:
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).date().isoformat()
