"""The keys of a `pay` step: what is due, which notes are taken."""

from edge_agent.core.flow_table import Table
from protocol.wire.states import NOTE_YUAN

DUE_FEN_MAX = 100_000
"""No more than a thousand yuan at a machine that gives no change."""
_DUE_CURE = f"Whole fen, 1 to {DUE_FEN_MAX}: 1000 is ten yuan."


def due_of(table: Table) -> tuple[str, dict[str, int]]:
    """`due_fen = 1000`, or `{ by = "matter", birth = 1000, ... }`: (fact, its value -> fen)."""
    cure = 'A number of fen, or { by = "fact", value = fen, ... }.'
    given = table.get("due_fen", (int, dict), cure)
    if isinstance(given, int):
        return "", {"": table.number("due_fen", 1, DUE_FEN_MAX, _DUE_CURE)}
    choice = Table(table.file, f"{table.place}.due_fen", given)
    by = choice.name("by", "Name the fact that chooses, for example matter.")
    due = {
        value: choice.number(value, 1, DUE_FEN_MAX, _DUE_CURE) for value in given if value != "by"
    }
    if not due:
        raise choice.error("by", "chooses among nothing. Add one amount per value.")
    return by, due


def notes_of(table: Table) -> int:
    """`notes = [10, 20]`: the mask of states.NOTE_YUAN."""
    known = ", ".join(map(str, NOTE_YUAN))
    given = table.get("notes", list, f"List the notes that are taken, of {known} yuan.")
    mask = 0
    for yuan in given:
        if isinstance(yuan, bool) or yuan not in NOTE_YUAN:
            raise table.error("notes", f"there is no note of {yuan!r} yuan. Use some of {known}.")
        mask |= 1 << NOTE_YUAN.index(yuan)
    if not mask:
        raise table.error("notes", f"is empty. Take one kind or more of {known} yuan.")
    return mask


def yuan_of(mask: int) -> tuple[int, ...]:
    """The notes of a mask."""
    return tuple(yuan for bit, yuan in enumerate(NOTE_YUAN) if mask >> bit & 1)
