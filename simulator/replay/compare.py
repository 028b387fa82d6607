"""Where the firmware of a replay told something else than the trace."""

import difflib
from collections.abc import Iterable

from protocol.wire import messages, states
from simulator.replay.numbers import DRAWN
from simulator.replay.script import NOT_PLAYED, Told

UNTIMED = NOT_PLAYED | {messages.COUNTERS} if hasattr(messages, "COUNTERS") else NOT_PLAYED
_AGE_FIELDS = {messages.EVENT: (2,)}
_WORDS = {
    messages.EFFECT_RESULT: (1, states.OUTCOME_NAMES),
    messages.CARD_FAULT: (1, states.CARD_FAULT_NAMES),
    messages.SPEECH: (1, states.SPEECH_NAMES),
    messages.EVENT: (1, states.EVENT_NAMES),
}


def streams_of(told: Iterable[Told]) -> dict[str, list[str]]:
    """What was told of one thing, in order, a line a message; what is told of different things may
    come in any order. A device's state counts when it changes."""
    streams: dict[str, list[str]] = {}
    for one in told:
        line = line_of(one)
        lines = streams.setdefault(stream_of(one), [])
        is_state = one.kind == messages.DEVICE
        if is_state and (one.fields[1] == states.STARTING or lines[-1:] == [line]):
            continue
        lines.append(line)
    return streams


def stream_of(one: Told) -> str:
    """The thing that a message is about."""
    name = messages.NAMES[one.kind]
    if one.kind == messages.DEVICE:
        return f"{name} {_named(states.DEVICE_NAMES, one.fields[0])}"
    if one.kind == messages.EFFECT_RESULT:
        return f"{name} {one.fields[0]}"
    return name.partition("_")[0]


def line_of(one: Told) -> str:
    """What a message says, in words where there are some."""
    name = messages.NAMES[one.kind]
    if one.kind == messages.DEVICE:
        device, state, detail = one.fields
        words = (_named(states.DEVICE_NAMES, device), _named(states.STATE_NAMES, state))
        word = states.DETAIL_NAMES.get(detail, detail) if detail else ""
        return f"{name} {' '.join(words)} {word}".rstrip()
    hidden = (*_AGE_FIELDS.get(one.kind, ()), *([DRAWN[one.kind]] if one.kind in DRAWN else []))
    fields = [str(value) for at, value in enumerate(one.fields) if at not in hidden]
    if one.kind in _WORDS:
        at, names = _WORDS[one.kind]
        fields.append(f"({_named(names, one.fields[at])})")
    tail = f" +{one.tail_bytes} bytes" if one.tail_bytes else ""
    return f"{name} {' '.join(fields)}{tail}"


def differences(recorded: dict[str, list[str]], replayed: dict[str, list[str]]) -> list[str]:
    """`- line` is only in the trace, `+ line` only in the replay."""
    found = []
    for stream in sorted(recorded | replayed):
        then, now = recorded.get(stream, []), replayed.get(stream, [])
        matcher = difflib.SequenceMatcher(None, then, now, autojunk=False)
        for what, a_from, a_to, b_from, b_to in matcher.get_opcodes():
            if what != "equal":
                found += [f"- {line}" for line in then[a_from:a_to]]
                found += [f"+ {line}" for line in now[b_from:b_to]]
    return found


def last_states(told: Iterable[Told]) -> dict[str, str]:
    """Device -> what was told of it last."""
    return {
        _named(states.DEVICE_NAMES, one.fields[0]): line_of(one)
        for one in told
        if one.kind == messages.DEVICE
    }


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else str(number)
