"""How this visitor wants to be spoken and written to. Keys change it; it is gone with the visitor.

One key goes round: louder from the usual volume to the loudest and back, slower likewise.
"""

from dataclasses import dataclass, replace

from edge_agent.core.screen import KEY_LANGUAGE, KEY_LARGER, KEY_LOUDER, KEY_SLOWER
from edge_agent.core.texts import LANGUAGES

VOLUME_STEP, VOLUME_MAX = 2, 16
SPEED_MIN = 1


@dataclass(frozen=True)
class Prefs:
    """`volume` 0 to 16 and `speed` 0 to 5 as the voice module has them."""

    language: str
    volume: int
    speed: int
    large: bool = False


def pressed(now: Prefs, key: str, usual: Prefs) -> Prefs:
    """What a key changes. `usual`: as the terminal is set up."""
    if key == KEY_LOUDER:
        loudest = now.volume >= VOLUME_MAX
        volume = usual.volume if loudest else min(VOLUME_MAX, now.volume + VOLUME_STEP)
        return replace(now, volume=volume)
    if key == KEY_SLOWER:
        slowest = now.speed <= SPEED_MIN
        return replace(now, speed=usual.speed if slowest else now.speed - 1)
    if key == KEY_LARGER:
        return replace(now, large=not now.large)
    if key == KEY_LANGUAGE:
        following = (LANGUAGES.index(now.language) + 1) % len(LANGUAGES)
        return replace(now, language=LANGUAGES[following])
    return now
