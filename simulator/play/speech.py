"""Sound for what a terminal says, made by espeak-ng in a process of its own.

espeak-ng is GPL: it is never loaded into this process, and the demo works without it. A terminal's
own voice module sounds in its own way; this is so that somebody at a page can hear the words.
"""

import asyncio
import contextlib
import importlib.util
import sys
from collections import OrderedDict

from simulator.children import AS_CHILD

SPEAKER = "simulator.play.speak"
TEXT_CHARACTERS_MAX = 200
SOUNDS_KEPT_MAX = 32
WAV_BYTES_MAX = 4_000_000
AT_ONCE = 2
TIME_LIMIT_S = 10.0
CANTONESE = frozenset("嘅唔係喺咗嚟攞冇佢哋啱郁同埋掣")
WORDS_A_MINUTE = (100, 115, 130, 145, 160, 175)
"""For the voice module's speeds 0 to 5."""

_Key = tuple[str, str, int]


def voice_of(text: str) -> str:
    """The voice that can read a text: English, Cantonese or Mandarin."""
    if text.isascii():
        return "en"
    return "yue" if CANTONESE.intersection(text) else "cmn"


class Speech:
    """`wav(text, speed)` gives a WAV file, or None when it cannot be spoken here."""

    def __init__(self) -> None:
        self.is_installed = importlib.util.find_spec("espeakng_loader") is not None
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def wav(self, text: str, speed: int) -> bytes | None:
        """The sound of `text` at the module's speed 0 to 5."""
        text = text[:TEXT_CHARACTERS_MAX]
        if not self.is_installed or not text.strip():
            return None
        key = (text, voice_of(text), speed)
        async with self._slots:
            if key not in self._kept:
                sound = await _speak(*key)
                if sound is None:
                    return None
                self._kept[key] = sound
                while len(self._kept) > SOUNDS_KEPT_MAX:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


async def _speak(text: str, voice: str, speed: int) -> bytes | None:
    rate = WORDS_A_MINUTE[min(max(speed, 0), len(WORDS_A_MINUTE) - 1)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", SPEAKER, voice, str(rate)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        **AS_CHILD,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(text.encode()), TIME_LIMIT_S)
    except (TimeoutError, asyncio.CancelledError) as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise
        return None
    good = process.returncode == 0 and 0 < len(out) <= WAV_BYTES_MAX
    return out if good else None
