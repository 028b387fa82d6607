"""What differs between terminals with the same board: DATA/settings.txt, written by a technician.

One `part.key=number` a line over the board description, `#` begins a comment;
`printer.process_id=0` for a printer without GS ( H, `voice.baud=19200`, `card_reader.uart=-1` for a
device that is not there. A line that cannot be used stops the start and says why.
"""

FILE = "settings.txt"
LINES_MAX = 64
PARTS = ("link", "card_reader", "printer", "voice", "gate", "help")


class SettingsError(Exception):
    """settings.txt cannot be used as it stands."""


def describe(board, folder):
    """{part: its description} of a board module, changed by the settings file in `folder` if there
    is one.
    """
    parts = {name: dict(getattr(board, name.upper(), {})) for name in PARTS}
    try:
        file = open(folder + "/" + FILE)
    except OSError as error:
        if error.errno != 2:  # ENOENT: nothing differs
            raise
        return parts
    with file:
        for number in range(1, LINES_MAX + 1):
            line = file.readline()
            if not line:
                return parts
            _apply(parts, line.split("#")[0].strip(), number)
    raise SettingsError("%s: more than %d lines" % (FILE, LINES_MAX))


def _apply(parts, line, number):
    if not line:
        return
    name, _, value = line.partition("=")
    part, _, key = name.strip().partition(".")
    if part not in parts or key not in parts[part]:
        raise SettingsError("%s line %d: no setting %r; use part.key=number" % (FILE, number, name))
    try:
        parts[part][key] = int(value)
    except ValueError:
        raise SettingsError("%s line %d: %r is no number" % (FILE, number, value))
