"""MQTT topics: `tb/1/<terminal>/up|down/<name>`, and one status list for all terminals."""

import re

from protocol.errors import Reason, TopicError
from protocol.fields import TERMINAL_PATTERN, pack_terminal

ROOT = "tb/1"
TERMINAL_ID = re.compile(TERMINAL_PATTERN)
UP_BATCH, UP_STATE = "up/batch", "up/state"
DOWN_RECEIPT, DOWN_COMMAND = "down/receipt", "down/command"
STATUS_LIST = "down/status_list"
TOPIC_CHARACTERS_MAX = 64

_TERMINAL_NAMES = frozenset({UP_BATCH, UP_STATE, DOWN_RECEIPT, DOWN_COMMAND})
_TOPIC = re.compile(rf"{ROOT}/(?:({TERMINAL_PATTERN})/)?((?:up|down)/[a-z_]+)")


def _of(terminal: str, name: str) -> str:
    pack_terminal(terminal)  # refuses wildcards and slashes
    return f"{ROOT}/{terminal}/{name}"


def up_batch(terminal: str) -> str:
    """Where a terminal publishes batches."""
    return _of(terminal, UP_BATCH)


def up_state(terminal: str) -> str:
    """Where a terminal keeps its retained state."""
    return _of(terminal, UP_STATE)


def down_receipt(terminal: str) -> str:
    """Where the centre answers a terminal."""
    return _of(terminal, DOWN_RECEIPT)


def down_command(terminal: str) -> str:
    """Where the centre asks something of a terminal."""
    return _of(terminal, DOWN_COMMAND)


def status_list() -> str:
    """Where the centre keeps the retained status list for all terminals."""
    return f"{ROOT}/{STATUS_LIST}"


def every_up(name: str) -> str:
    """The centre's subscription to `name` (UP_BATCH, UP_STATE) of every terminal."""
    return f"{ROOT}/+/{name}"


def parse(topic: str) -> tuple[str, str]:
    """(terminal, name) of a topic; terminal is "" for the status list. Raises TopicError."""
    found = _TOPIC.fullmatch(topic) if len(topic) <= TOPIC_CHARACTERS_MAX else None
    if found is not None:
        terminal, name = found[1] or "", found[2]
        if name in _TERMINAL_NAMES if terminal else name == STATUS_LIST:
            return terminal, name
    raise TopicError(Reason.MALFORMED, f"topic {topic[:TOPIC_CHARACTERS_MAX]!r} is none of ours")
