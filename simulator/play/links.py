"""Asks the terminals themselves how they are: each agent's own health page, once a second."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterable

from simulator.hall.hall import Terminal

TIME_LIMIT_S = 1.0
ANSWER_BYTES_MAX = 16_384


async def links_of(terminals: Iterable[Terminal]) -> dict[str, str]:
    """Terminal -> the first word that its uplink says of itself; those that answered."""
    asked = {t.place.name: str(t.agent.ready_line.get("health", "")) for t in terminals}
    names = [name for name, address in asked.items() if address]
    words = await asyncio.gather(*(asyncio.to_thread(_ask, asked[name]) for name in names))
    return {name: word for name, word in zip(names, words, strict=True) if word}


def _ask(address: str) -> str:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=TIME_LIMIT_S) as answer:
            raw = answer.read(ANSWER_BYTES_MAX)
    except urllib.error.HTTPError as error:  # not ready says so, and why, in the same form
        raw = error.read(ANSWER_BYTES_MAX)
    except OSError:
        return ""
    try:
        note = json.loads(raw)["checks"]["uplink"]["note"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(note).split(",", 1)[0]
