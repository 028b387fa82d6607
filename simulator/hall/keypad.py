"""The keypad of a terminal: ten keys, and the screen that a person looks at while pressing them.

On a real terminal its keys go to the browser that shows the citizen's screen; this one does what
that browser does. A key counts for the screen that was seen, so the screen is looked at first.
"""

import asyncio
import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

KEYS = {
    "1": "1",
    "2": "2",
    "3": "3",
    "4": "repeat",
    "5": "slower",
    "6": "louder",
    "7": "larger",
    "8": "language",
    "9": "help",
    "0": "stop",
}
"""What a digit means: as it stands on the screen's fixed bar."""
TIME_LIMIT_S = 2.0
PAGE_BYTES_MAX = 256 * 1024
_SERIAL = re.compile(r'data-serial="(\d+)"')
_PAGE = re.compile(r'data-page="([a-z]+)"')
_CHOICE = re.compile(r'class="choice"')


@dataclass(frozen=True)
class Seen:
    """What the screen shows: the name of its page and how many choices stand on it."""

    serial: int
    page: str
    choices: int


class Keypad:
    """`address()` is the screen's, "" while there is none."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address

    async def look(self) -> Seen | None:
        """The screen now; None when there is none to see."""
        return await asyncio.to_thread(_look, self._address())

    async def press(self, digit: str) -> bool:
        """Press one of KEYS; False when nobody took it."""
        return await asyncio.to_thread(_press, self._address(), KEYS[digit])


def _look(address: str) -> Seen | None:
    if not address:
        return None
    try:
        with urllib.request.urlopen(f"{address}/", timeout=TIME_LIMIT_S) as answer:
            page = answer.read(PAGE_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return None
    serial, name = _SERIAL.search(page), _PAGE.search(page)
    if serial is None or name is None:
        return None
    return Seen(int(serial[1]), name[1], len(_CHOICE.findall(page)))


def _press(address: str, key: str) -> bool:
    seen = _look(address)
    if seen is None:
        return False
    request = urllib.request.Request(
        f"{address}/key",
        json.dumps({"key": key, "serial": seen.serial}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIME_LIMIT_S) as answer:
            return bool(answer.status == 204)
    except OSError:
        return False
