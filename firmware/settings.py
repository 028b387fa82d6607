"""What differs between terminals with the same board: DATA/settings.txt, written by a technician.

One `part.key=value` a line over the board description, `#` begins a comment. A value is a number,
of `model` a name: `printer.model=none` for a device that is not there, `voice.baud=19200`,
`help.bell=-1` for a pin that is not wired. What the model cannot or the chip has not stops the
start and says why.
"""

from firmware import description

FILE = "settings.txt"
LINES_MAX = 64


class SettingsError(Exception):
    """Board description or settings.txt cannot be used as they stand."""


def describe(board, folder):
    """{part: its description} of a board module, changed by the settings file in `folder` if there
    is one, completed by the models; {} for what is not built in.
    """
    try:
        file = open(folder + "/" + FILE)
    except OSError as error:
        if error.errno != 2:  # ENOENT: nothing differs
            raise
        parts, problems = apply(board, ())
    else:
        with file:
            parts, problems = apply(board, file)
    for problem in problems:
        raise SettingsError(problem)
    return parts


def apply(board, lines):
    """(parts of `board` changed by these lines of settings; what is wrong, one sentence each)."""
    parts = description.written(board)
    own = {name: part.get("model") for name, part in parts.items()}
    places = {}  # (part, key): line
    problems = []
    number = 0
    for line in lines:
        number += 1
        words = line.split("#")[0].strip()
        try:
            if number > LINES_MAX:
                raise ValueError("more than %d lines" % LINES_MAX)
            if words:
                part, key, value = _parse(words)
                if part not in parts:
                    raise ValueError("no part %r; there are %s" % (part, ", ".join(parts)))
                parts[part][key] = value
                places[part, key] = number
        except ValueError as error:
            problems.append("%s line %d: %s" % (FILE, number, error))
            if number > LINES_MAX:
                break
    for name, part in parts.items():
        if part.get("model") != own[name]:
            description.drop_foreign(name, part, [key for at, key in places if at == name])
    for problem in description.complete(parts, board.CHIP):
        place = places.get((problem.part, problem.key)) or places.get(problem.other)
        where = "board " + board.NAME if place is None else "%s line %d" % (FILE, place)
        problems.append("%s: %s" % (where, problem))
    return parts, problems


def _parse(line):
    """(part, key, value). Raises ValueError that tells the cure."""
    name, equals, value = line.partition("=")
    part, dot, key = name.strip().partition(".")
    value = value.strip()
    if not equals or not dot:
        raise ValueError("%r is not part.key=value" % line)
    if key == "model":
        return part, key, value
    try:
        return part, key, int(value)
    except ValueError:
        raise ValueError("%s = %r is no number" % (name.strip(), value))
