"""An elder at the terminal for numbers, at the pace of life; and a newcomer who starts the demo.

The elder puts the card down and presses one key every KEY_EVERY_S on the keypad, no mouse: from
the card on the reader to the first word, and to the printed number in the hand. The newcomer:
from the command (all is installed) to the first page, and to the first person on it.
"""

import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from simulator.devices import cards
from simulator.hall.citizens import ASKS
from simulator.hall.hall import Hall, Options
from simulator.hall.place import Place
from simulator.hall.posts import NUMBER
from simulator.hall.told import number_in

ELDERS = 5
KEY_EVERY_S = 4.0
VISIT_S_MAX = 120.0
START_S_MAX = 120.0
LOOK_EVERY_S = 0.01


def run(folder: Path, tick: Callable[[], None]) -> dict[str, float]:
    """Seconds; medians, and the slowest first word."""
    visits = asyncio.run(_elders(folder / "elders", tick))
    page_s, moving_s = _start(folder / "start")
    tick()
    return {
        "elder_card_to_number_p50_s": round(statistics.median(v[1] for v in visits), 1),
        "elder_first_word_p50_s": round(statistics.median(v[0] for v in visits), 2),
        "elder_first_word_max_s": round(max(v[0] for v in visits), 2),
        "demo_start_to_page_s": round(page_s, 1),
        "demo_start_to_people_s": round(moving_s, 1),
    }


async def _elders(folder: Path, tick: Callable[[], None]) -> list[tuple[float, float]]:
    folder.mkdir(parents=True)
    hall = Hall(Options(seconds=None, speed=1.0), folder, lambda _text: None)
    numbers = cards.numbers_for_tests(random.Random("elders"), ELDERS)
    found = []
    try:
        await hall.open()
        place = next(t.place for t in hall.terminals if t.place.service == NUMBER)
        for number in numbers:
            found.append(await _elder(place, cards.citizen_card("样例甲", number)))
            tick()
    finally:
        await hall.stop()
    return found


async def _elder(place: Place, card: cards.Card) -> tuple[float, float]:
    """(seconds to the first word, seconds to the number in the hand) of one visit."""
    while (seen := await place.keypad.look()) is None or seen.page != "welcome":
        await asyncio.sleep(0.1)
    while not place.is_silent:
        await asyncio.sleep(0.1)
    place.tidy()
    heard_before = place.utterances
    started = time.monotonic()
    first_word_s = 0.0
    next_key = started + KEY_EVERY_S
    place.reader.place(card)
    while (now := time.monotonic()) - started < VISIT_S_MAX:
        if not first_word_s and place.utterances > heard_before:
            first_word_s = now - started
        slip = place.printer.take_slip()
        if slip is not None and slip.complete and number_in([slip.text]):
            place.reader.lift()
            return first_word_s, now - started
        if now >= next_key:
            next_key = now + KEY_EVERY_S
            seen = await place.keypad.look()
            if seen is not None and seen.page == ASKS:
                await place.keypad.press("1")
        await asyncio.sleep(LOOK_EVERY_S)
    raise TimeoutError(f"no number in {VISIT_S_MAX:.0f} s")


def _start(folder: Path) -> tuple[float, float]:
    """Seconds from the command to its address, and to the first person on its page."""
    command = [sys.executable, "-m", "tongban.cli", "demo", "--port", "0", "--data", str(folder)]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as demo:
        assert demo.stdout is not None
        try:
            address = demo.stdout.readline().decode().split()[-1]
            urllib.request.urlopen(address, timeout=START_S_MAX).read()
            page_s = time.monotonic() - started
            with urllib.request.urlopen(f"{address}/events", timeout=START_S_MAX) as stream:
                for raw in stream:
                    if raw.startswith(b"data:") and _has_people(json.loads(raw[5:])):
                        return page_s, time.monotonic() - started
        finally:
            demo.send_signal(signal.SIGTERM)
    raise TimeoutError("the demo's page ended before anybody came")


def _has_people(scene: dict[str, list[dict[str, object]]]) -> bool:
    return any(terminal["look"] is not None for terminal in scene["terminals"])
