"""Checks of the citizen's screen that need no browser: each gives what is wrong, best nothing."""

import asyncio
import re

from edge_agent.core import screen as s
from edge_agent.core.money import MONEY_FIELDS
from edge_agent.core.screen import Screen
from edge_agent.core.texts import LANGUAGES
from edge_agent.kiosk import LoopPulse
from edge_agent.kiosk.draw import Drawer
from edge_agent.kiosk.pulse import STALL_S_MAX
from tests.pages.played_source import shipped_texts

HOSTILE = "<script>alert(1)</script>\"'&"
_WORDS = re.compile(r'<div class="words">(.*?)</div>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>|\s")


def what_is_spoken_is_drawn() -> list[str]:
    """Every shipped text, in each language, word for word."""
    texts = shipped_texts()
    drawer = Drawer(texts)
    missing = []
    for name in texts.ids():
        fields = {f: 2_000 if f in MONEY_FIELDS else "B-017" for f in texts[name].fields}
        for language in LANGUAGES:
            screen = Screen(page=s.MESSAGE, text=name, fields=fields, language=language)
            found = _WORDS.search(drawer.fragment(screen))
            drawn = _TAG.sub("", found[1]) if found else ""
            if drawn != texts.text(name, language, fields).replace(" ", ""):
                missing.append(f"{name} {language}: {drawn}")
    return missing


def values_are_escaped() -> list[str]:
    """A text that would be a script, wherever a value can stand."""
    drawer = Drawer(shipped_texts())
    scenes = {
        "field": Screen(page=s.MESSAGE, text="screen.person", fields={"person": HOSTILE}),
        "person": Screen(person=HOSTILE),
        "number": Screen(page=s.TICKET, number=HOSTILE),
        "page": Screen(page=s.MESSAGE, text="card.take", help=s.HELP_CALLED, person=HOSTILE),
    }
    return [
        name
        for name, screen in scenes.items()
        if "<script>alert" in drawer.fragment(screen) or HOSTILE in drawer.page(screen, HOSTILE)
    ]


def a_stalled_loop_is_noticed() -> list[str]:
    """The pulse of a loop that is kept from turning, and of one that turns again."""
    now = [0.0]
    pulse = LoopPulse(clock=lambda: now[0])

    async def run() -> list[str]:
        pulse.begin(asyncio.get_running_loop())
        wrong = [] if pulse.beats() else ["a loop that was just asked counts as dead"]
        now[0] += STALL_S_MAX
        wrong += ["a loop that does not answer counts as alive"] if pulse.beats() else []
        await asyncio.sleep(0)
        return wrong if pulse.beats() else [*wrong, "a loop that answers again counts as dead"]

    return asyncio.run(run())
