"""The device models: one small module each, loaded when a board description names it.

A model says which driver speaks to it and what may be set:

| name | what |
| --- | --- |
| DRIVER | its module in `firmware.drivers`; `build(host, part)` there gives the driver |
| BAUDS | the speeds it can, the usual one first; () for a device without a line |
| RXBUF | bytes of receive room that its longest answer needs; with BAUDS |
| PINS | {pin: whether it must be wired} |
| SWITCHES | {key: (default, allowed values: a tuple or a range)} |

Adding a model: a module here and its name in MODELS. A driver only if it speaks another protocol.
"""

MODELS = {
    "card_reader": ("sdt",),
    "printer": ("escpos", "escpos58", "clone80", "clone58"),
    "voice": ("syn6288", "xfs5152"),
    "gate": ("relay", "lcus"),
    "help": ("button",),
    "cash": ("ccnet",),
    "scanner": ("gm65", "gm812"),
}
"""The parts of a board, in the order in which they are asked, and the models of each."""
NONE = "none"
"""The model of a part that is not built in."""


def load(name):
    """The module of a model in MODELS."""
    return __import__("firmware.models." + name, None, None, ("DRIVER",))
